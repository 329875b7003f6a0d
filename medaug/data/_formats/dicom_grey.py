"""From stored values to what a screen shows: DICOM's grey-scale transformations as one table.

Stored values have at most 16 bits, so that the whole chain (PS3.4, N.2) is worked out once for
every possible stored value, in float64, and the image is then one look-up.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from ...errors import UnreadableImageError
from .elements import element, finite, given, shown, tag

_Values = NDArray[np.float64]


@dataclass(frozen=True)
class GreyTable:
    """The displayed level, float32 in [0, 1], of every stored value.

    Attributes:
        first: the stored value that `levels[0]` belongs to.
        levels: one level for each stored value; 0 for padding.
        padding: which stored values are padding, not image.
        bits: there are at most 2**bits levels.
        value_range: the modality values that 0 and 1 stand for; the nominal ends where the VOI
            transformation is a table or a sigmoid.
    """

    first: int
    levels: NDArray[np.float32]
    padding: NDArray[np.bool_]
    bits: int
    value_range: tuple[float, float]


@dataclass(frozen=True)
class _Stage:
    """Values after a transformation and the fixed range that they can take."""

    values: _Values
    low: float
    high: float
    bits: int


def grey_table(header: Dataset, voi: str) -> GreyTable:
    """Work out modality LUT, VOI, presentation and padding for all stored values.

    Args:
        header: checked header; see `medaug.data._formats.dicom`.
        voi: "window" applies the file's first VOI LUT, else its first window; where it has
            neither, and with "none", the full range of Bits Stored is shown.
    """
    bits = int(header.BitsStored)
    first = -(2 ** (bits - 1)) if header.PixelRepresentation else 0
    stored = np.arange(first, first + 2**bits, dtype=np.float64)
    modality = _modality(header, stored, bits)
    seen, value_range = _voi(header, modality) if voi == "window" else _full(modality)
    levels = (seen.values - seen.low) / (seen.high - seen.low)
    if _inverse(header):
        levels, value_range = 1.0 - levels, value_range[::-1]
    padding = _padding(header, stored)
    levels[padding] = 0.0
    return GreyTable(first, levels.astype(np.float32), padding, seen.bits, value_range)


def _inverse(header: Dataset) -> bool:
    """Whether what comes out of the VOI transformation is shown inverted: once, or not at all.

    DX says it twice, as MONOCHROME1 and INVERSE (C.7.6.3.1.2, C.8.11.3.1). Where the two differ,
    Presentation LUT Shape decides, since IDENTITY says that these values are P-Values, and of
    those 0 is black; DCMTK and highdicom do the same.
    """
    shape = element(header, "PresentationLUTShape")
    if shape in ("IDENTITY", "INVERSE"):
        return bool(shape == "INVERSE")
    return bool(header.PhotometricInterpretation == "MONOCHROME1")


def _modality(header: Dataset, stored: _Values, bits: int) -> _Stage:
    """Modality LUT Sequence, or rescale where both its elements are given (C.11.1)."""
    if element(header, "ModalityLUTSequence"):
        return _look_up(header, "ModalityLUTSequence", stored)[0]
    slope, intercept = element(header, "RescaleSlope"), element(header, "RescaleIntercept")
    values = stored
    if given(slope) and given(intercept):
        scale = finite("RescaleSlope", slope)
        if scale == 0:
            raise UnreadableImageError(f"{tag('RescaleSlope')} must not be 0, got 0")
        values = scale * stored + finite("RescaleIntercept", intercept)
        if not 0 < values.max() - values.min() < math.inf:
            raise UnreadableImageError(
                f"{tag('RescaleSlope')} must give values that differ and are finite, "
                f"got {shown(slope)} with {tag('RescaleIntercept')} {shown(intercept)}"
            )
    return _Stage(values, float(values.min()), float(values.max()), bits)


def _full(modality: _Stage) -> tuple[_Stage, tuple[float, float]]:
    return modality, (modality.low, modality.high)


def _voi(header: Dataset, modality: _Stage) -> tuple[_Stage, tuple[float, float]]:
    """VOI LUT before window (C.11.2); the full range where there is neither."""
    if element(header, "VOILUTSequence"):
        # a table is indexed by whole numbers: rescaled values are rounded first
        return _look_up(header, "VOILUTSequence", np.rint(modality.values))
    centre, width = _first(element(header, "WindowCenter")), _first(element(header, "WindowWidth"))
    if not given(centre) and not given(width):
        return _full(modality)
    c, w = finite("WindowCenter", centre), finite("WindowWidth", width)
    function = str(element(header, "VOILUTFunction") or "LINEAR").upper()
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise UnreadableImageError(
            f"{tag('VOILUTFunction')} must be LINEAR, LINEAR_EXACT or SIGMOID, "
            f"got {shown(function)}"
        )
    if w <= 0 or (function == "LINEAR" and w < 1):
        least = "at least 1" if function == "LINEAR" else "above 0"
        raise UnreadableImageError(f"{tag('WindowWidth')} must be {least}, got {w:g}")
    # a very narrow window overflows to infinity, which is then clipped
    with np.errstate(over="ignore"):
        levels, ends = _window(modality.values, c, w, function)
    return _Stage(levels, 0.0, 1.0, modality.bits), ends


def _window(x: _Values, c: float, w: float, function: str) -> tuple[_Values, tuple[float, float]]:
    """The three window functions, to [0, 1] (C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2)."""
    if function == "SIGMOID":
        # beyond ±700 exp() overflows, and the level is 0 or 1 long before
        exponent = np.clip(-4 * (x - c) / w, -700, 700)
        return 1 / (1 + np.exp(exponent)), (c - w / 2, c + w / 2)
    if function == "LINEAR_EXACT":
        return np.clip((x - c) / w + 0.5, 0, 1), (c - w / 2, c + w / 2)
    ends = (c - 0.5 - (w - 1) / 2, c - 0.5 + (w - 1) / 2)
    if w == 1:
        return (x > c - 0.5).astype(np.float64), ends
    return np.clip((x - (c - 0.5)) / (w - 1) + 0.5, 0, 1), ends


def _look_up(header: Dataset, sequence: str, x: _Values) -> tuple[_Stage, tuple[float, float]]:
    """Apply the first table of a LUT sequence (C.11.1.1.1, C.11.2.1.1).

    pydicom's own look-up takes the index modulo 256 where the entries have 8 bits (3.0.2).
    """
    item = header[sequence].value[0]
    descriptor = item.get("LUTDescriptor")
    if descriptor is None or isinstance(descriptor, bytes) or len(descriptor) != 3:
        raise UnreadableImageError(f"{tag('LUTDescriptor')} must have 3 values in {tag(sequence)}")
    count = (int(descriptor[0]) & 0xFFFF) or 2**16
    # US or SS: the sign is that of what goes in; the file may have either VR
    first, bits = int(descriptor[1]) & 0xFFFF, int(descriptor[2]) & 0xFFFF
    if x.min() < 0 and first >= 2**15:
        first -= 2**16
    if not 8 <= bits <= 16:
        raise UnreadableImageError(
            f"{tag('LUTDescriptor')} must give 8 to 16 bits in {tag(sequence)}, got {bits}"
        )
    entries = _entries(header, item, count, bits)
    index = np.clip(x - first, 0, count - 1).astype(np.int64)
    stage = _Stage(entries[index].astype(np.float64), 0.0, 2.0**bits - 1, bits)
    return stage, (float(first), float(first + count - 1))


def _entries(header: Dataset, item: Dataset, count: int, bits: int) -> NDArray[np.int64]:
    data: Any = item.get("LUTData")
    big = not header.original_encoding[1]
    if isinstance(data, bytes):
        raw, order = data, ">" if big else "<"
    else:
        words = np.asarray([] if data is None else data, dtype=np.int64).reshape(-1)
        raw, order = (words & 0xFFFF).astype("<u2").tobytes(), "<"
    if len(raw) == 2 * count:
        entries = np.frombuffer(raw, dtype=f"{order}u2")
    elif bits == 8 and len(raw) in (count, count + 1):
        entries = np.frombuffer(raw, dtype=np.uint8)[:count]
    else:
        raise UnreadableImageError(
            f"{tag('LUTData')} must have {count} entries, got {len(raw)} bytes"
        )
    if entries.max() >= 2**bits:
        raise UnreadableImageError(
            f"{tag('LUTData')} must be below {2**bits}, got {int(entries.max())}"
        )
    return entries.astype(np.int64)


def _padding(header: Dataset, stored: _Values) -> NDArray[np.bool_]:
    """Which stored values are padding, not image (C.7.5.1.1.2).

    A padding value beyond Bits Stored is against the standard, and no stored value equals it.
    """
    value, limit = element(header, "PixelPaddingValue"), element(header, "PixelPaddingRangeLimit")
    if not isinstance(value, int):
        return np.zeros(stored.shape, dtype=bool)
    ends = [_as_pixel(end, header) for end in (value, limit) if isinstance(end, int)]
    return (stored >= min(ends)) & (stored <= max(ends))


def _as_pixel(value: int, header: Dataset) -> int:
    """Read `value` with the sign of the pixels, whichever VR (US or SS) it came with."""
    allocated = int(header.BitsAllocated)
    value &= 2**allocated - 1
    signed = header.PixelRepresentation and value >= 2 ** (allocated - 1)
    return value - 2**allocated if signed else value


def _first(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    values = list(value) if isinstance(value, Iterable) else [value]
    return values[0] if values else None
