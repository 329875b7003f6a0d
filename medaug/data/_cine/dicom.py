"""A cine from DICOM: one multi-frame file, or a folder of single frames of one series.

Modality LUT sequences and rescale factors that differ between frames are refused: the levels of a
cine are counted over all of its frames. Windows (VOI) aren't applied: they may differ from frame
to frame, which would make the cine flicker. References are to PS3.3.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import accumulate
from typing import TypeVar

import numpy as np
from pydicom import Dataset, dcmread

from ...errors import UnreadableImageError
from .._formats.decode import one_line
from .._formats.dicom import IMAGE_TAGS, check_header, check_inflated, pixel_spacing
from .._formats.dicom_grey import grey_table
from .._formats.dicom_pixels import stored_values
from .._formats.elements import element, finite, given, integer, shown, tag
from .._formats.pixels import Options
from .._formats.quiet import quietly
from ..limits import Limits
from .groups import enhanced_frames, is_enhanced, lift_shared, numbers, require_same
from .pixels import Modality, Stored, StoredCine
from .series import Frame, Order, arrange, normal_of

_Result = TypeVar("_Result")

# As for radiographs, nothing else enters memory. The series' UID only tells series apart.
_TAGS = [
    *(keyword for keyword in IMAGE_TAGS if keyword != "PatientID"),
    "SeriesInstanceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "TriggerTime",
    "TemporalPositionIdentifier",
    "InstanceNumber",
    "CardiacNumberOfImages",
    "NumberOfTemporalPositions",
    "FrameIncrementPointer",
    "FrameTime",
    "FrameTimeVector",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
_SAME = (
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation"),
    *("PhotometricInterpretation", "PresentationLUTShape", "RescaleSlope", "RescaleIntercept"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "PixelSpacing", "ImagerPixelSpacing"),
)
_GREY = ("MONOCHROME1", "MONOCHROME2")
_TIMES = ("TriggerTime", "TemporalPositionIdentifier", "InstanceNumber")
_DECLARED = ("NumberOfTemporalPositions", "CardiacNumberOfImages")
_MOST_FRAMES = 2**16
_FRAME_TIMES = {0x00181063: "FrameTime", 0x00181065: "FrameTimeVector"}


@quietly
def decode_cine_dicom(data: bytes, limits: Limits) -> StoredCine:
    """Decode a multi-frame DICOM file, classic (one slice over time) or enhanced.

    Raises:
        UnreadableImageError: it isn't a grey cine, its frames aren't slices over time, its header
            lies or exceeds the limits, or its pixel data are short.
    """
    header = _open(data, limits)
    if _frame_count(header) < 2:
        raise UnreadableImageError(
            f"{tag('NumberOfFrames')} must be at least 2, got {_frame_count(header)}; a cine of "
            "single-frame files is read by giving their folder"
        )
    count = _frame_count(header)
    _check_size(header, count, limits)
    if is_enhanced(header):
        order = arrange(enhanced_frames(header, count))
        lift_shared(header, count)
        source = order.by if order.times else "none"
    else:
        order, source = _classic_order(header, count)
    return _cine(header, stored_values(header, limits, frames=count), order, source)


@quietly
def decode_cine_folder(files: Sequence[tuple[str, bytes]], limits: Limits) -> StoredCine:
    """Decode single-frame DICOM files of one series.

    Args:
        files: name and content of each.
        limits: see `medaug.data.limits`.

    Raises:
        UnreadableImageError: they are of several series, differ in size or depth, phases are
            missing, or one of them can't be read; that one is named.
    """
    headers: dict[str, Dataset] = {}
    held = 0  # bytes: deflated files unpack to more than they have
    for name, data in files:
        headers[name] = header = _named(name, _open, data, limits)
        held += len(element(header, "PixelData") or b"")
        limits.check_bytes(held, "the folder's pixel data")
        if _frame_count(header) != 1:
            raise UnreadableImageError(
                f"a folder's files must have one frame each, got {_frame_count(header)} in "
                f"{name}; a multi-frame file is read by giving the file"
            )
    _check_one_series(list(headers.values()))
    for keyword in _SAME:
        require_same(list(headers), [element(h, keyword) for h in headers.values()], keyword)
    syntaxes = [header.file_meta.get("TransferSyntaxUID") for header in headers.values()]
    require_same(list(headers), syntaxes, "TransferSyntaxUID")
    first = next(iter(headers.values()))
    _check_size(first, len(headers), limits)
    order = arrange(
        [_named(name, _frame, name, header) for name, header in headers.items()],
        declared=_declared(list(headers.values())),
    )
    stored = [_named(name, _decode_one, header, limits) for name, header in headers.items()]
    return _cine(first, stored, order, order.by if order.times else "none")


@quietly
def frame_count(data: bytes, limits: Limits) -> int:
    """How many frames a DICOM file says it has."""
    check_inflated(data, Options(limits=limits))
    return _frame_count(
        dcmread(BytesIO(data), specific_tags=["NumberOfFrames"], stop_before_pixels=True)
    )


def _open(data: bytes, limits: Limits) -> Dataset:
    if data[128:132] != b"DICM":
        raise UnreadableImageError(f"must be DICOM, got a file that begins with {data[:8].hex()}")
    options = Options(limits=limits)
    check_inflated(data, options)
    header = dcmread(BytesIO(data), specific_tags=list(_TAGS))
    photometric = element(header, "PhotometricInterpretation")
    if given(photometric) and photometric not in _GREY:
        raise UnreadableImageError(
            f"{tag('PhotometricInterpretation')} must be MONOCHROME1 or MONOCHROME2, got "
            f"{shown(photometric)}; colour cines aren't read"
        )
    check_header(header, options)
    if element(header, "ModalityLUTSequence"):
        raise UnreadableImageError(f"{tag('ModalityLUTSequence')} must be absent in a cine")
    return header


def _frame_count(header: Dataset) -> int:
    if not given(element(header, "NumberOfFrames")):
        return 1
    return integer(header, "NumberOfFrames", 1, _MOST_FRAMES)


def _check_size(header: Dataset, count: int, limits: Limits) -> None:
    size = header.Rows * header.Columns * header.BitsAllocated // 8
    limits.check_bytes(size * count, f"the {count} decoded frames")


def _named(name: str, function: Callable[..., _Result], *arguments: object) -> _Result:
    """Call a function, and say which file it was if that fails."""
    try:
        return function(*arguments)
    except UnreadableImageError as error:
        raise UnreadableImageError(f"{name}: {error}") from (error.__cause__ or error)
    # a damaged file makes pydicom raise almost anything, StopIteration included
    except Exception as error:
        raise UnreadableImageError(f"{name}: {one_line(error)}") from error


def _check_one_series(headers: list[Dataset]) -> None:
    series = Counter(str(element(header, "SeriesInstanceUID")) for header in headers)
    if len(series) > 1:
        sizes = [str(size) for size in sorted(series.values(), reverse=True)]
        text = ", ".join(sizes[:5]) + (", …" if len(sizes) > 5 else "")
        raise UnreadableImageError(
            f"the folder must hold one series, got {len(series)} of {text} files by "
            f"{tag('SeriesInstanceUID')}; put each series into a folder of its own"
        )


def _frame(name: str, header: Dataset) -> Frame:
    return Frame(
        name=name,
        position=numbers(element(header, "ImagePositionPatient"), 3, "ImagePositionPatient"),
        orientation=numbers(
            element(header, "ImageOrientationPatient"), 6, "ImageOrientationPatient"
        ),
        times={
            keyword: finite(keyword, value)
            for keyword in _TIMES
            if given(value := element(header, keyword))
        },
    )


def _declared(headers: list[Dataset]) -> tuple[str, int] | None:
    """How many phases the files say there are, if they agree on it."""
    for keyword in _DECLARED:
        values = [element(header, keyword) for header in headers]
        value = values[0]
        if isinstance(value, int) and value > 1 and all(other == value for other in values):
            return keyword, int(value)
    return None


def _decode_one(header: Dataset, limits: Limits) -> Stored:
    stored: Stored = stored_values(header, limits)[0]
    del header.PixelData  # the files' bytes aren't held any longer than needed
    return stored


def _classic_order(header: Dataset, count: int) -> tuple[Order, str]:
    """One slice in the file's own order (C.7.6.5, C.7.6.6)."""
    times, source = _frame_times(header, count)
    frame = _frame("", header)
    positions = []
    if frame.position and frame.orientation:
        positions = [float(np.dot(frame.position, normal_of(frame.orientation)))]
    return Order([list(range(count))], positions, "stored", [times] if times else []), source


def _frame_times(header: Dataset, count: int) -> tuple[list[float], str]:
    """Ms from the first frame. The frames must be a sequence in time: the file has to say so."""
    pointer = element(header, "FrameIncrementPointer")
    pointers = [pointer] if isinstance(pointer, int) else list(pointer or [])
    if pointers:
        keyword = _FRAME_TIMES.get(int(pointers[0])) if len(pointers) == 1 else None
    else:
        named = (k for k in _FRAME_TIMES.values() if given(element(header, k)))
        keyword = next(named, None)
    if keyword is None:
        raise UnreadableImageError(
            f"{tag('FrameIncrementPointer')} must be {tag('FrameTime')} or "
            f"{tag('FrameTimeVector')}, got {', '.join(map(str, pointers)) or 'nothing'}: the "
            "frames may be anything but phases"
        )
    value = element(header, keyword)
    steps = numbers(value, count if keyword == "FrameTimeVector" else 1, keyword)
    if steps is None:
        return [], "none"
    # a vector's first step lies before the first frame
    steps = steps[1:] if keyword == "FrameTimeVector" else steps * (count - 1)
    if min(steps) <= 0:
        return [], "none"
    return list(accumulate(steps, initial=0.0)), keyword


def _cine(
    header: Dataset, stored: Stored | Sequence[Stored], order: Order, source: str
) -> StoredCine:
    """Frames in order, with the modality that they share."""
    table = grey_table(header, "none")
    last = table.first + len(table.levels) - 1
    low, high = min(int(f.min()) for f in stored), max(int(f.max()) for f in stored)
    if low < table.first or high > last:
        raise UnreadableImageError(
            f"stored values must fit into {tag('BitsStored')} = {header.BitsStored}, "
            f"got {low} to {high}"
        )
    padded = np.flatnonzero(table.padding) + table.first
    slope, intercept = element(header, "RescaleSlope"), element(header, "RescaleIntercept")
    # C.11.1: rescale needs both elements
    rescaled = given(slope) and given(intercept)
    spacing, spacing_source = pixel_spacing(header)
    return StoredCine(
        frames=[[stored[i] for i in phases] for phases in order.slices],
        modality=Modality(
            slope=finite("RescaleSlope", slope) if rescaled else 1.0,
            intercept=finite("RescaleIntercept", intercept) if rescaled else 0.0,
            inverted=header.PhotometricInterpretation == "MONOCHROME1"
            or element(header, "PresentationLUTShape") == "INVERSE",
            padding=(int(padded[0]), int(padded[-1])) if padded.size else None,
        ),
        spacing=spacing,
        spacing_source=spacing_source,
        photometric=str(header.PhotometricInterpretation),
        positions=order.positions,
        order=order.by,
        times=order.times,
        times_source=source,
    )
