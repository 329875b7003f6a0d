"""One grey image from a DICOM file held in memory.

The order is that of the standard: the header's limits before anything is allocated, decoding with
the length of the pixel data checked, padding, modality LUT, VOI LUT or window, presentation.
References are to DICOM PS3.3, the section in brackets.
"""

import hashlib
import logging
import math
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ...errors import UnreadableImageError
from .dicom_grey import grey_table
from .dicom_pixels import stored_values
from .elements import element, given, integer, shown, tag
from .inflate import RAW, check_unpacked
from .pixels import Decoded, FloatImage, Options, look_up, scale_levels, to_grey
from .quiet import quietly
from .shutter import shutter_mask

_LOGGER = logging.getLogger("medaug")


# Nothing else is taken from the file: no name, date or UID of the patient ever enters memory
# as an element. PatientID is hashed at once.
IMAGE_TAGS = [
    "PatientID",
    "PresentationIntentType",
    "ImagerPixelSpacing",
    "ShutterShape",
    "ShutterLeftVerticalEdge",
    "ShutterRightVerticalEdge",
    "ShutterUpperHorizontalEdge",
    "ShutterLowerHorizontalEdge",
    "CenterOfCircularShutter",
    "RadiusOfCircularShutter",
    "VerticesOfThePolygonalShutter",
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
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
]
_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR")


@dataclass(frozen=True)
class _Shown:
    """Pixels in [0, 1] and what is known of them; `valid` is None where all are."""

    pixels: FloatImage
    bits: int
    value_range: tuple[float, float]
    valid: NDArray[np.bool_] | None


@quietly
def decode_dicom(data: bytes, options: Options) -> Decoded:
    """Decode a single-frame DICOM image.

    Raises:
        UnreadableImageError: the image isn't one grey frame, its header lies or exceeds the
            limits, its pixel data are short, or no decoder for it is installed.
    """
    check_inflated(data, options)
    header = dcmread(BytesIO(data), specific_tags=list(IMAGE_TAGS))
    if given(element(header, "NumberOfFrames")):
        integer(header, "NumberOfFrames", 1, 1)
    check_header(header, options)
    # what lies behind the shutter is read before the pixels, so that a bad one costs little
    spacing, spacing_source = pixel_spacing(header)
    shutter = shutter_mask(header, spacing)
    stored = stored_values(header, options.limits)[0]
    photometric = str(header.PhotometricInterpretation)
    seen = (_grey if photometric in _GREY else _colour)(header, stored, options)
    pixels, valid = seen.pixels, seen.valid
    if shutter is not None:
        pixels[~shutter] = 0
        valid = shutter if valid is None else valid & shutter
    return Decoded(
        pixels=pixels,
        bits=seen.bits,
        value_range=seen.value_range,
        spacing=spacing,
        spacing_source=spacing_source,
        photometric=photometric,
        patient=patient_key(element(header, "PatientID")),
        valid=valid,
    )


def check_inflated(data: bytes, options: Options) -> None:
    """Refuse a deflated data set that unpacks beyond the limit (pydicom would unpack it all)."""
    stream = BytesIO(data)
    read_preamble(stream, force=False)
    if _read_file_meta_info(stream).get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    rest = data[stream.tell() :]
    check_unpacked(rest, options.limits, wbits=RAW, what="the inflated data set")


def check_header(header: Dataset, options: Options) -> None:
    """Check everything that decoding one frame relies on, with no pixel decoded yet."""
    photometric = element(header, "PhotometricInterpretation")
    if photometric is None and "PixelData" not in header:
        raise UnreadableImageError("must be an image, got a DICOM object without pixels")
    if photometric not in _GREY and not (options.grey and photometric in _COLOUR):
        raise UnreadableImageError(
            f"{tag('PhotometricInterpretation')} must be MONOCHROME1 or MONOCHROME2, got "
            f"{shown(photometric)}"
            + ("; grey=True takes the luminance" if photometric in _COLOUR else "")
        )
    samples = 1 if photometric in (*_GREY, "PALETTE COLOR") else 3
    integer(header, "SamplesPerPixel", samples, samples)
    allocated = integer(header, "BitsAllocated", 1, 64)
    if allocated not in (8, 16):
        raise UnreadableImageError(f"{tag('BitsAllocated')} must be 8 or 16, got {allocated}")
    bits = integer(header, "BitsStored", 1, allocated)
    integer(header, "HighBit", bits - 1, bits - 1)
    integer(header, "PixelRepresentation", 0, 1)
    options.limits.check_shape(
        integer(header, "Rows", 1, 65535),
        integer(header, "Columns", 1, 65535),
        samples * allocated // 8,
    )
    if element(header, "PresentationIntentType") == "FOR PROCESSING":
        _warn_for_processing()


@cache
def _warn_for_processing() -> None:
    _LOGGER.warning(
        "some images are marked FOR PROCESSING (0008,0068): raw detector values, which are "
        "often bone-dark and are meant to be processed before they are looked at"
    )


def _grey(header: Dataset, stored: NDArray[np.generic], options: Options) -> _Shown:
    table = grey_table(header, options.voi)
    last = table.first + len(table.levels) - 1
    if int(stored.min()) < table.first or int(stored.max()) > last:
        raise UnreadableImageError(
            f"stored values must fit into {tag('BitsStored')} = {header.BitsStored}, "
            f"got {stored.min()} to {stored.max()}"
        )
    valid = look_up(~table.padding, stored, table.first) if table.padding.any() else None
    pixels = look_up(table.levels, stored, table.first)
    return _Shown(pixels, table.bits, table.value_range, valid)


def _colour(header: Dataset, stored: NDArray[np.generic], options: Options) -> _Shown:
    """Luminance of a colour or palette image (the caller has asked for it)."""
    bits = int(header.BitsStored)
    if header.PhotometricInterpretation == "PALETTE COLOR":
        if not element(header, "RedPaletteColorLookupTableData"):
            # segmented tables may unpack without end (C.7.9.2), and radiographs have none
            raise UnreadableImageError(
                f"{tag('RedPaletteColorLookupTableData')} must be given in full, got nothing"
            )
        stored = np.asarray(apply_color_lut(stored, header))
        bits = stored.dtype.itemsize * 8
    grey = to_grey(
        list(np.moveaxis(stored, -1, 0)),
        allowed=options.grey,
        what=str(header.PhotometricInterpretation),
    )
    return _Shown(scale_levels(grey, 0, 2**bits - 1), bits, (0.0, 2.0**bits - 1), None)


def pixel_spacing(header: Dataset) -> tuple[tuple[float, float], str]:
    """Millimetres between rows and between columns (10.7.1.3), and the element that says so."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        value = element(header, keyword)
        if value is not None and len(value) == 2:
            row, column = float(value[0]), float(value[1])
            if math.isfinite(row) and math.isfinite(column) and min(row, column) > 0:
                return (row, column), keyword
    return (1.0, 1.0), "none"


def patient_key(patient_id: object) -> str | None:
    """SHA-256 of a patient's ID without outer blanks; None where there is no ID."""
    text = str(patient_id if patient_id is not None else "").strip()
    return hashlib.sha256(text.encode()).hexdigest() if text else None


assert all(tag_for_keyword(keyword) for keyword in IMAGE_TAGS)
