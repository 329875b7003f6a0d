"""Which way is up: the rule for files that say where the patient's sides are.

Such a file (NIfTI, NRRD, MetaImage) doesn't say which way up a picture is shown. The rule here:

- the file's affine decides: rows run towards the feet (or, where no axis runs head to feet, as
  in a two-dimensional image converted from DICOM by ITK, towards the back: +P of LPS), columns
  towards the patient's left (or, in a lateral view, towards the back);
- a file that gives no orientation is taken as stored: the first array axis, which runs fastest,
  is the column, the second the row, the top row first.
"""

from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from ...errors import UnreadableImageError
from .pixels import FloatImage

_io_orientation: Any = nib.orientations.io_orientation


def upright(
    pixels: FloatImage, zooms: tuple[float, float], affine: NDArray[np.float64] | None
) -> tuple[FloatImage, tuple[float, float]]:
    """(H, W) by the rule at the top of this module, with mm between rows and columns.

    Args:
        pixels: two axes, the one that runs fastest in the file first.
        zooms: mm along these axes.
        affine: (4, 4), from array indices to NIfTI's world (RAS); None: as stored.
    """
    if not all(np.isfinite(zooms)) or min(zooms) <= 0:
        raise UnreadableImageError(f"the spacing must be positive, got {zooms}")
    if affine is None:
        return np.ascontiguousarray(pixels.T), zooms[::-1]
    first, second = _directions(affine)
    row, column = ("S", "L") if "S" in (first[0], second[0]) else ("P", "L")
    if "L" not in (first[0], second[0]):
        column = "P"  # lateral view
    if first[0] == column and second[0] == row:
        pixels, signs, zooms = pixels.T, (second[1], first[1]), zooms[::-1]
    elif first[0] == row and second[0] == column:
        signs = (first[1], second[1])
    else:
        raise UnreadableImageError(
            f"the affine must put one axis along each of {row} and {column}, "
            f"got {first[0]} and {second[0]}"
        )
    down = -1 if row == "S" else 1
    return np.ascontiguousarray(pixels[:: signs[0] * down, :: signs[1]]), zooms


def _directions(affine: NDArray[np.float64]) -> tuple[tuple[str, int], tuple[str, int]]:
    """The patient's axis (L, P or S) that each array axis runs along, and +1 or -1."""
    if not np.isfinite(affine).all():
        raise UnreadableImageError("the affine must be finite, got NaN or infinity")
    axes = _io_orientation(affine)[:2]
    if np.isnan(axes).any():
        raise UnreadableImageError("the affine must have three independent axes")
    # NIfTI's world is RAS: +x is right, +y is front, so L and P run against it
    named = [("LPS"[int(axis)], int(sign) * (1 if axis == 2 else -1)) for axis, sign in axes]
    return named[0], named[1]
