"""One grey image from a DICOM file held in memory.

The order is that of the standard: the header's limits before anything is allocated, decoding with
the length of the pixel data checked, padding, modality LUT, VOI LUT or window, presentation.
References are to DICOM PS3.3, the section in brackets.
"""

import hashlib
import logging
import math
import struct
import threading
import zlib
from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import get_expected_length, pixel_array
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from ..errors import UnreadableImageError
from ._dicom_grey import grey_table, tag
from ._pixels import Decoded, Options, look_up, scale_levels, to_grey

_LOGGER = logging.getLogger("medaug")


class _Quiet(threading.local, logging.Filter):
    """Keeps pydicom's tracebacks off the terminal while this thread decodes: we raise instead."""

    active = False

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # logging's signature
        return not self.active


_QUIET = _Quiet()
logging.getLogger("pydicom.pixels.decoders.base").addFilter(_QUIET)

# Nothing else is taken from the file: no name, date or UID of the patient ever enters memory
# as an element. PatientID is hashed at once.
_TAGS = [
    "PatientID",
    "PresentationIntentType",
    "ImagerPixelSpacing",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "WindowCenter",
    "WindowWidth",
    "RescaleIntercept",
    "RescaleSlope",
    "VOILUTFunction",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "PresentationLUTShape",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
]
_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR")


def decode_dicom(data: bytes, options: Options) -> Decoded:
    """Decode a single-frame DICOM image.

    Raises:
        UnreadableImageError: the image isn't one grey frame, its header lies or exceeds the
            limits, its pixel data are short, or no decoder for it is installed.
    """
    _check_inflated(data, options)
    header = dcmread(BytesIO(data), specific_tags=list(_TAGS))
    _check_header(header, options)
    _check_pixel_data(header)
    stored = _decode_pixels(header)
    if header.PhotometricInterpretation in _GREY:
        return _grey_image(header, stored, options)
    return _colour_image(header, stored, options)


def _check_inflated(data: bytes, options: Options) -> None:
    """Refuse a deflated data set that unpacks beyond the limit (pydicom would unpack it all)."""
    if DeflatedExplicitVRLittleEndian.encode("ascii") not in data[:4096]:
        return
    # File Meta Information Group Length (0002,0000), UL, is always the first element (PS3.10, 7.1)
    start = 144 + struct.unpack_from("<I", data, 140)[0]
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(
        data[start:], options.limits.max_bytes + 1
    )
    options.limits.check_bytes(len(inflated), "the inflated data set")


def _number(header: Dataset, keyword: str, low: int, high: int) -> int:
    value = header.get(keyword)
    if not isinstance(value, int) or not low <= value <= high:
        raise UnreadableImageError(
            f"{tag(keyword)} must be an integer from {low} to {high}, got {_shown(value)}"
        )
    return int(value)


def _shown(value: object) -> str:
    return "nothing" if value is None or value == "" else str(value)[:40]


def _check_header(header: Dataset, options: Options) -> None:
    """Check everything that decoding relies on, with no pixel decoded yet."""
    photometric = header.get("PhotometricInterpretation")
    if photometric is None and "PixelData" not in header:
        raise UnreadableImageError("must be an image, got a DICOM object without pixels")
    if photometric not in _GREY and not (options.grey and photometric in _COLOUR):
        raise UnreadableImageError(
            f"{tag('PhotometricInterpretation')} must be MONOCHROME1 or MONOCHROME2, got "
            f"{_shown(photometric)}"
            + ("; grey=True takes the luminance" if photometric in _COLOUR else "")
        )
    samples = 1 if photometric in (*_GREY, "PALETTE COLOR") else 3
    _number(header, "SamplesPerPixel", samples, samples)
    frames = header.get("NumberOfFrames")
    if frames is not None and frames != "" and int(frames) != 1:
        raise UnreadableImageError(f"{tag('NumberOfFrames')} must be 1, got {_shown(frames)}")
    allocated = _number(header, "BitsAllocated", 1, 64)
    if allocated not in (8, 16):
        raise UnreadableImageError(f"{tag('BitsAllocated')} must be 8 or 16, got {allocated}")
    bits = _number(header, "BitsStored", 1, allocated)
    _number(header, "HighBit", bits - 1, bits - 1)
    _number(header, "PixelRepresentation", 0, 1)
    options.limits.check_shape(
        _number(header, "Rows", 1, 65535),
        _number(header, "Columns", 1, 65535),
        samples * allocated // 8,
    )
    if header.get("PresentationIntentType") == "FOR PROCESSING":
        _warn_for_processing()


@cache
def _warn_for_processing() -> None:
    _LOGGER.warning(
        "some images are marked FOR PROCESSING (0008,0068): raw detector values, which are "
        "often bone-dark and are meant to be processed before they are looked at"
    )


def _check_pixel_data(header: Dataset) -> None:
    """The length of native pixel data must be what the header asks for, to the byte."""
    if "PixelData" not in header or not isinstance(header.PixelData, bytes):
        other = [key for key in ("FloatPixelData", "DoubleFloatPixelData") if key in header]
        raise UnreadableImageError(
            f"{tag('PixelData')} must be present, got "
            + (tag(other[0]) if other else "none; is the file cut short?")
        )
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        raise UnreadableImageError("Transfer Syntax UID (0002,0010) must be given, got nothing")
    if UID(syntax).is_private or not UID(syntax).is_transfer_syntax:
        raise UnreadableImageError(
            f"Transfer Syntax UID (0002,0010) must be one of the standard, got {syntax}"
        )
    if UID(syntax).is_encapsulated:
        return
    expected = int(get_expected_length(header))
    if len(header.PixelData) not in (expected, expected + expected % 2):
        raise UnreadableImageError(
            f"{tag('PixelData')} must have {expected:,} bytes for {header.Rows} x "
            f"{header.Columns} pixels, got {len(header.PixelData):,}"
        )


def _decode_pixels(header: Dataset) -> NDArray[np.generic]:
    """Stored values, (Rows, Columns) or (Rows, Columns, 3), by pydicom's own plug-ins."""
    syntax = UID(header.file_meta.TransferSyntaxUID)
    if syntax.is_encapsulated:
        _check_decoder(syntax)
    # the data-set form: the path form of pixel_array() doesn't check the length (pydicom 3.0)
    _QUIET.active = True
    try:
        stored = np.asarray(pixel_array(header, allow_excess_frames=False))
    finally:
        _QUIET.active = False
    if stored.shape[:2] != (header.Rows, header.Columns):
        raise UnreadableImageError(
            f"the decoded frame must be {header.Rows} x {header.Columns}, got {stored.shape}"
        )
    return stored


def _check_decoder(syntax: UID) -> None:
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise UnreadableImageError(
            f"no decoder is known for the transfer syntax {syntax} ({syntax.name})"
        ) from error
    if not decoder.is_available:
        raise UnreadableImageError(
            f"the transfer syntax {syntax} ({syntax.name}) needs one of these packages, and none "
            f"is installed: {'; '.join(decoder.missing_dependencies)}"
        )


def _grey_image(header: Dataset, stored: NDArray[np.generic], options: Options) -> Decoded:
    table = grey_table(header, options.voi)
    last = table.first + len(table.levels) - 1
    if int(stored.min()) < table.first or int(stored.max()) > last:
        raise UnreadableImageError(
            f"stored values must fit into {tag('BitsStored')} = {header.BitsStored}, "
            f"got {stored.min()} to {stored.max()}"
        )
    spacing, spacing_source = _spacing(header)
    return Decoded(
        pixels=look_up(table.levels, stored, table.first),
        bits=table.bits,
        value_range=table.value_range,
        spacing=spacing,
        spacing_source=spacing_source,
        photometric=str(header.PhotometricInterpretation),
        patient=patient_key(header.get("PatientID")),
    )


def _colour_image(header: Dataset, stored: NDArray[np.generic], options: Options) -> Decoded:
    """Luminance of a colour or palette image (the caller has asked for it)."""
    bits = int(header.BitsStored)
    if header.PhotometricInterpretation == "PALETTE COLOR":
        stored = np.asarray(apply_color_lut(stored, header))
        bits = stored.dtype.itemsize * 8
    grey = to_grey(stored, allowed=options.grey, what=str(header.PhotometricInterpretation))
    spacing, spacing_source = _spacing(header)
    return Decoded(
        pixels=scale_levels(grey, 0, 2**bits - 1),
        bits=bits,
        value_range=(0.0, 2.0**bits - 1),
        spacing=spacing,
        spacing_source=spacing_source,
        photometric=str(header.PhotometricInterpretation),
        patient=patient_key(header.get("PatientID")),
    )


def _spacing(header: Dataset) -> tuple[tuple[float, float], str]:
    """Millimetres between rows and between columns (10.7.1.3), and the element that says so."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        value = header.get(keyword)
        if value is not None and len(value) == 2:
            row, column = float(value[0]), float(value[1])
            if math.isfinite(row) and math.isfinite(column) and min(row, column) > 0:
                return (row, column), keyword
    return (1.0, 1.0), "none"


def patient_key(patient_id: object) -> str | None:
    """SHA-256 of a patient's ID without outer blanks; None where there is no ID."""
    text = str(patient_id if patient_id is not None else "").strip()
    return hashlib.sha256(text.encode()).hexdigest() if text else None


assert all(tag_for_keyword(keyword) for keyword in _TAGS)
