"""One grey image from a NIfTI file held in memory, by nibabel."""

import math
from typing import Any

import nibabel as nib
import numpy as np

from ...errors import UnreadableImageError
from .orientation import upright
from .pixels import Decoded, Options, grey_integers

# nibabel's own types leave out the header and the array proxy
_Image = Any

_UNITS_IN_MM = {"meter": 1000.0, "micron": 0.001}


def decode_nifti(data: bytes, options: Options) -> Decoded:
    """Decode a single two-dimensional NIfTI image (further axes of length 1 are allowed).

    NIfTI has no Bits Stored. 8-bit data have 8 bits; for wider ones `bits` is the smallest
    number, from 8 to 16, that holds the stored integers.

    Raises:
        UnreadableImageError: the image is not one grey frame of whole numbers, or is cut short.
    """
    image = open_nifti(data)
    shape, dtype = tuple(map(int, image.shape)), image.get_data_dtype()
    if len(shape) < 2 or any(extent != 1 for extent in shape[2:]):
        raise UnreadableImageError(f"the image must have two dimensions, got {shape}")
    options.limits.check_shape(shape[1], shape[0], dtype.itemsize)
    grey = grey_integers(np.asarray(image.dataobj.get_unscaled()).reshape(shape[:2]), dtype)
    slope, intercept = _scaling(image)
    low, high = (slope * end + intercept for end in grey.value_range)
    # no qform, no sform: the file gives no orientation
    placed = int(image.header["qform_code"]) or int(image.header["sform_code"])
    pixels, spacing = upright(
        grey.pixels if slope > 0 else np.float32(1) - grey.pixels,
        _zooms(image),
        np.asarray(image.affine) if placed else None,
    )
    return Decoded(
        pixels=pixels,
        bits=grey.bits,
        value_range=(low, high) if slope > 0 else (high, low),
        spacing=spacing,
        spacing_source="pixdim",
    )


def open_nifti(data: bytes) -> _Image:
    """Read the header of a single-file NIfTI, with no pixel read yet.

    Raises:
        UnreadableImageError: it isn't one, its pixels aren't numbers, or they aren't as long as
            the header says, to the byte: nibabel takes any file that is long enough, and
            scrambles the rows where `dim` lies.
    """
    version_2 = 540 in (int.from_bytes(data[:4], "little"), int.from_bytes(data[:4], "big"))
    if data[4:7] != b"n+2" and data[344:347] != b"n+1":
        raise UnreadableImageError("must be a single-file NIfTI, got no magic n+1 or n+2")
    image: _Image = (nib.Nifti2Image if version_2 else nib.Nifti1Image).from_bytes(data)
    dtype, start = image.get_data_dtype(), image.dataobj.offset
    if dtype.kind not in "iuf":
        raise UnreadableImageError(f"pixels must be whole numbers, got {dtype}")
    end = start + math.prod(map(int, image.shape)) * dtype.itemsize
    if len(data) != end:
        raise UnreadableImageError(
            f"the file must have {end:,} bytes for {image.shape} pixels of {dtype} from byte "
            f"{start} (dim, datatype, vox_offset), got {len(data):,}"
        )
    return image


def _scaling(image: _Image) -> tuple[float, float]:
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    if not (math.isfinite(slope) and math.isfinite(intercept)) or slope == 0:
        raise UnreadableImageError(
            f"scl_slope must be finite and not 0, got {slope:g}; scl_inter {intercept:g}"
        )
    return float(slope), float(intercept)


def _zooms(image: _Image) -> tuple[float, float]:
    """Millimetres along the first two axes."""
    unit = _UNITS_IN_MM.get(image.header.get_xyzt_units()[0], 1.0)
    first, second = (float(zoom) * unit for zoom in image.header.get_zooms()[:2])
    return first, second
