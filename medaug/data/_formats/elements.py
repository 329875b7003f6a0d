"""Values of DICOM elements, checked, with errors that name the element."""

import math
import re
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.uid import UID

from ...errors import UnreadableImageError


def tag(keyword: str) -> str:
    """An element's name and number for an error: ``Rows (0028,0010)``."""
    number = tag_for_keyword(keyword)
    assert number is not None
    return f"{dictionary_description(number)} ({number >> 16:04X},{number & 0xFFFF:04X})"


# numbers, and codes as VR CS has them (PS3.5, 6.2)
_SHOWN = re.compile(r"[A-Z0-9_ .,+\-e\[\]]{1,40}")
_CODE = 16


def shown(value: object) -> str:
    """A value as an error shows it, if it's a number, a code or a standard UID.

    The bytes of a damaged file may be those of any other element, a patient's name among them.
    """
    if not given(value):
        return "nothing"
    text = " ".join(str(value).split())
    if text.startswith("1.2.840.10008.") and UID(text).is_valid:  # the standard's own
        return text
    if not _SHOWN.fullmatch(text) or (isinstance(value, str) and len(text) > _CODE):
        return "something else"
    return text


def given(value: object) -> bool:
    """False for an absent element and for one without a value."""
    return value is not None and value != ""


def element(header: Dataset, keyword: str) -> Any:
    """An element's value, None where it is absent.

    Raises:
        UnreadableImageError: its bytes can't be read by its VR, which pydicom finds on access.
    """
    try:
        return header.get(keyword)
    except Exception as error:
        raise UnreadableImageError(
            f"{tag(keyword)} must have a value of its VR, got {type(error).__name__}"
        ) from error


def integer(header: Dataset, keyword: str, low: int, high: int) -> int:
    """A whole number in [low, high]."""
    value = element(header, keyword)
    if not isinstance(value, int) or not low <= value <= high:
        expected = f"an integer from {low} to {high}" if low < high else str(low)
        raise UnreadableImageError(f"{tag(keyword)} must be {expected}, got {shown(value)}")
    return int(value)


def integers(header: Dataset, keyword: str, count: tuple[int, int]) -> list[int]:
    """Whole numbers, at least and at most so many."""
    value = element(header, keyword)
    values = [value] if isinstance(value, int) else list(value) if given(value) else []
    if not count[0] <= len(values) <= count[1] or not all(isinstance(v, int) for v in values):
        number = f"{count[0]} to {count[1]}" if count[0] < count[1] else f"{count[0]}"
        raise UnreadableImageError(f"{tag(keyword)} must be {number} integers, got {shown(value)}")
    return [int(v) for v in values]


def finite(keyword: str, value: object) -> float:
    """A number that is neither NaN nor infinite."""
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UnreadableImageError(f"{tag(keyword)} must be a finite number, got {shown(value)}")
    return number
