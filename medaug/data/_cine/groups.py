"""Where and when each frame of an enhanced multi-frame DICOM image was taken.

Its functional groups say so, each either for one frame or for all (PS3.3, C.7.6.16).
"""

from collections.abc import Sequence
from typing import Any

from pydicom import Dataset

from ...errors import UnreadableImageError
from .._formats.elements import element, finite, given, shown, tag
from .series import Frame

_PER_FRAME, _SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"
_CONVERTED = "UnassignedPerFrameConvertedAttributesSequence"
# of MR, CT and XA, or of an ultrasound volume: C.7.6.16.2.3, C.7.6.16.2.4, C.8.24.6.1, C.8.24.6.2
_POSITIONS = (
    ("PlanePositionSequence", "ImagePositionPatient"),
    ("PlanePositionVolumeSequence", "ImagePositionVolume"),
)
_ORIENTATIONS = (
    ("PlaneOrientationSequence", "ImageOrientationPatient"),
    ("PlaneOrientationVolumeSequence", "ImageOrientationVolume"),
)
_TIMES = (
    ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("TemporalPositionSequence", "TemporalPositionTimeOffset"),
    ("FrameContentSequence", "TemporalPositionIndex"),
    # legacy converted from single frames (C.7.6.16.2.25.1): what has no group of its own
    (_CONVERTED, "TriggerTime"),
    (_CONVERTED, "TemporalPositionIdentifier"),
    (_CONVERTED, "InstanceNumber"),
)
# what all frames must share, with the name that it has in a classic header
_SHARED_VALUES = (
    ("PixelMeasuresSequence", "PixelSpacing"),
    ("PixelValueTransformationSequence", "RescaleSlope"),
    ("PixelValueTransformationSequence", "RescaleIntercept"),
)


def is_enhanced(header: Dataset) -> bool:
    """Whether each frame has functional groups of its own."""
    return bool(element(header, _PER_FRAME))


def enhanced_frames(header: Dataset, count: int) -> list[Frame]:
    """Position, orientation and time of each frame.

    Raises:
        UnreadableImageError: there isn't one item for each of `count` frames.
    """
    items = _items(header, count)
    return [
        Frame(
            name=f"frame {number}",
            position=numbers(_first(header, item, _POSITIONS), 3, "ImagePositionPatient"),
            orientation=numbers(_first(header, item, _ORIENTATIONS), 6, "ImageOrientationPatient"),
            times={
                keyword: finite(keyword, value)
                for sequence, keyword in _TIMES
                if given(value := _value(header, item, sequence, keyword))
            },
        )
        for number, item in enumerate(items, start=1)
    ]


def lift_shared(header: Dataset, count: int) -> None:
    """Write spacing and rescale, the same for all frames, to where a classic header has them.

    Raises:
        UnreadableImageError: they differ from frame to frame.
    """
    items = _items(header, count)
    for sequence, keyword in _SHARED_VALUES:
        values = [_value(header, item, sequence, keyword) for item in items]
        require_same([f"frame {number}" for number in range(1, count + 1)], values, keyword)
        if given(values[0]):
            setattr(header, keyword, values[0])


def require_same(names: Sequence[str], values: Sequence[object], keyword: str) -> None:
    """Refuse values of an element that differ, with the names of two frames."""
    for name, value in zip(names, values, strict=True):
        if value != values[0]:
            raise UnreadableImageError(
                f"all frames must have the same {tag(keyword)}, got {shown(values[0])} in "
                f"{names[0]} and {shown(value)} in {name}"
            )


def numbers(value: Any, count: int, keyword: str) -> tuple[float, ...] | None:
    """So many finite numbers; None where there is no value."""
    if not given(value):
        return None
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if len(values) != count:
        raise UnreadableImageError(f"{tag(keyword)} must be {count} numbers, got {len(values)}")
    return tuple(finite(keyword, part) for part in values)


def _items(header: Dataset, count: int) -> list[Dataset]:
    items = list(element(header, _PER_FRAME))
    if len(items) != count:
        raise UnreadableImageError(
            f"{tag(_PER_FRAME)} must have one item for each of {count} frames, got {len(items)}"
        )
    return items


def _first(header: Dataset, item: Dataset, places: tuple[tuple[str, str], ...]) -> Any:
    values = (_value(header, item, sequence, keyword) for sequence, keyword in places)
    return next((value for value in values if given(value)), None)


def _value(header: Dataset, item: Dataset, sequence: str, keyword: str) -> Any:
    """An element of a functional group: of the frame, else of all frames."""
    for groups in (item, *(element(header, _SHARED) or [])):
        group = element(groups, sequence)
        if group and given(value := element(group[0], keyword)):
            return value
    return None
