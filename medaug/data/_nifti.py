"""One grey image from a NIfTI file held in memory, by nibabel.

NIfTI says where the patient's sides are, not which way up a picture is shown. The rule here:

- the file's affine decides: rows run towards the feet (or, where no axis runs head to feet, as
  in a two-dimensional image converted from DICOM by ITK, towards the back: +P of LPS), columns
  towards the patient's left (or, in a lateral view, towards the back);
- a file that gives no orientation (qform and sform codes both 0) is taken as stored: the first
  array axis is the column, the second the row, the top row first.
"""

import math
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from ..errors import UnreadableImageError
from ._pixels import Decoded, Options, scale_levels

# nibabel's own types leave out the header and the array proxy
_Image = Any

_io_orientation: Any = nib.orientations.io_orientation
_UNITS_IN_MM = {"meter": 1000.0, "micron": 0.001}


def decode_nifti(data: bytes, options: Options) -> Decoded:
    """Decode a single two-dimensional NIfTI image (further axes of length 1 are allowed).

    NIfTI has no Bits Stored. 8-bit data have 8 bits; for wider ones `bits` is the smallest
    number, from 8 to 16, that holds the stored integers.

    Raises:
        UnreadableImageError: the image is not one grey frame of whole numbers, or is cut short.
    """
    version_2 = 540 in (int.from_bytes(data[:4], "little"), int.from_bytes(data[:4], "big"))
    if data[4:7] != b"n+2" and data[344:347] != b"n+1":
        raise UnreadableImageError("must be a single-file NIfTI, got no magic n+1 or n+2")
    image: _Image = (nib.Nifti2Image if version_2 else nib.Nifti1Image).from_bytes(data)
    shape, dtype = tuple(map(int, image.shape)), image.get_data_dtype()
    if len(shape) < 2 or any(extent != 1 for extent in shape[2:]):
        raise UnreadableImageError(f"the image must have two dimensions, got {shape}")
    if dtype.kind not in "iuf":
        raise UnreadableImageError(f"pixels must be whole numbers, got {dtype}")
    options.limits.check_shape(shape[1], shape[0], dtype.itemsize)
    stored = _integers(np.asarray(image.dataobj.get_unscaled()).reshape(shape[:2]))
    low, bits = _range(stored, dtype)
    pixels = scale_levels(stored, low, low + 2**bits - 1)
    slope, intercept = _scaling(image)
    value_range = (slope * low + intercept, slope * (low + 2**bits - 1) + intercept)
    if slope < 0:
        pixels, value_range = np.float32(1) - pixels, value_range[::-1]
    pixels, spacing = _upright(image, pixels)
    return Decoded(
        pixels=pixels,
        bits=bits,
        value_range=value_range,
        spacing=spacing,
        spacing_source="pixdim",
    )


def _integers(values: NDArray[np.generic]) -> NDArray[np.int64]:
    if values.dtype.kind == "f" and not (
        np.isfinite(values).all() and np.array_equal(values, np.rint(values))
    ):
        raise UnreadableImageError(
            "pixels must be whole numbers, since grey levels are counted, got fractions, NaN or "
            "infinity; save them as integers"
        )
    if float(values.min()) < -(2**15) or float(values.max()) >= 2**16:
        raise UnreadableImageError(
            f"pixels must fit into 16 bits, got {values.min()} to {values.max()}"
        )
    return values.astype(np.int64)


def _range(stored: NDArray[np.int64], dtype: np.dtype[np.generic]) -> tuple[int, int]:
    """The smallest stored value, and the bits from there on."""
    low, high = int(stored.min()), int(stored.max())
    if dtype == np.uint8:
        return 0, 8
    if low >= 0:
        return 0, max(8, high.bit_length())
    bits = max(8, 1 + (-low - 1).bit_length(), 1 + max(high, 0).bit_length())
    if bits > 16:
        raise UnreadableImageError(f"pixels must fit into 16 bits, got {low} to {high}")
    return -(2 ** (bits - 1)), bits


def _scaling(image: _Image) -> tuple[float, float]:
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    if not (math.isfinite(slope) and math.isfinite(intercept)) or slope == 0:
        raise UnreadableImageError(
            f"scl_slope must be finite and not 0, got {slope:g}; scl_inter {intercept:g}"
        )
    return float(slope), float(intercept)


def _upright(
    image: _Image, pixels: NDArray[np.float32]
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """(H, W) by the rule at the top of this module, with mm between rows and columns."""
    unit = _UNITS_IN_MM.get(image.header.get_xyzt_units()[0], 1.0)
    zooms = [float(zoom) * unit for zoom in image.header.get_zooms()[:2]]
    if not all(math.isfinite(zoom) and zoom > 0 for zoom in zooms):
        raise UnreadableImageError(f"pixdim must be positive, got {zooms}")
    if int(image.header["qform_code"]) == 0 and int(image.header["sform_code"]) == 0:
        return np.ascontiguousarray(pixels.T), (zooms[1], zooms[0])
    first, second = _directions(image)
    row, column = ("S", "L") if "S" in (first[0], second[0]) else ("P", "L")
    if "L" not in (first[0], second[0]):
        column = "P"  # lateral view
    if first[0] == column and second[0] == row:
        pixels, signs = pixels.T, (second[1], first[1])
        zooms = zooms[::-1]
    elif first[0] == row and second[0] == column:
        signs = (first[1], second[1])
    else:
        raise UnreadableImageError(
            f"the affine must put one axis along each of {row} and {column}, "
            f"got {first[0]} and {second[0]}"
        )
    down = -1 if row == "S" else 1
    pixels = pixels[:: signs[0] * down, :: signs[1]]
    return np.ascontiguousarray(pixels), (zooms[0], zooms[1])


def _directions(image: _Image) -> tuple[tuple[str, int], tuple[str, int]]:
    """The patient's axis (L, P or S) that each array axis runs along, and +1 or -1."""
    affine = np.asarray(image.affine)
    if not np.isfinite(affine).all():
        raise UnreadableImageError("the affine must be finite, got NaN or infinity")
    axes = _io_orientation(affine)[:2]
    if np.isnan(axes).any():
        raise UnreadableImageError("the affine must have three independent axes")
    # NIfTI's world is RAS: +x is right, +y is front, so L and P run against it
    named = [("LPS"[int(axis)], int(sign) * (1 if axis == 2 else -1)) for axis, sign in axes]
    return named[0], named[1]
