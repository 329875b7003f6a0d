"""The display shutter: which pixels a DICOM file lets be seen (PS3.3, C.7.6.11).

A pixel is seen when its centre lies inside or on the edge of every shape. Rows and columns count
from 1.
"""

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from ...errors import UnreadableImageError
from .elements import element, given, integer, integers, shown, tag

_Mask = NDArray[np.bool_]

_FAR = 2**31 - 1  # IS has 32 bits (PS3.5, 6.2); an edge may lie outside of the image
# as many pairs as explicit VR can write: IS has a 16-bit length there, two bytes a value at least
_MOST_VERTICES = 2**14


def shutter_mask(header: Dataset, spacing: tuple[float, float]) -> _Mask | None:
    """(Rows, Columns), True where the pixel may be seen; None where there is no shutter.

    Args:
        header: with Rows and Columns checked.
        spacing: between rows and between columns, in one unit.

    Raises:
        UnreadableImageError: the shutter lacks an element or leaves nothing to see.
    """
    value = element(header, "ShutterShape")
    if not given(value):
        return None
    shapes = [value] if isinstance(value, str) else list(value)
    rows = np.arange(1, header.Rows + 1, dtype=np.float64)
    columns = np.arange(1, header.Columns + 1, dtype=np.float64)
    mask = np.ones((header.Rows, header.Columns), dtype=bool)
    # several shapes at once leave the least to see
    for shape in shapes:
        if shape == "RECTANGULAR":
            mask &= _rectangle(header, rows, columns)
        elif shape == "CIRCULAR":
            mask &= _circle(header, rows, columns, spacing)
        elif shape == "POLYGONAL":
            mask &= _polygon(header, rows, columns)
        else:
            raise UnreadableImageError(
                f"{tag('ShutterShape')} must be RECTANGULAR, CIRCULAR or POLYGONAL, "
                f"got {shown(shape)}"
            )
    if not mask.any():
        raise UnreadableImageError(f"{tag('ShutterShape')}: the shutter must leave pixels to see")
    return mask


def _rectangle(header: Dataset, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> _Mask:
    left, right, upper, lower = (
        integer(header, f"Shutter{edge}Edge", -_FAR, _FAR)
        for edge in ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
    )
    seen: _Mask = ((rows >= upper) & (rows <= lower))[:, None] & (
        (columns >= left) & (columns <= right)
    )
    return seen


def _circle(
    header: Dataset,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    spacing: tuple[float, float],
) -> _Mask:
    """The radius counts pixels along a row: other spacing of the rows makes it an ellipse."""
    row, column = integers(header, "CenterOfCircularShutter", (2, 2))
    radius = integer(header, "RadiusOfCircularShutter", 0, _FAR)
    down = (rows - row) * (spacing[0] / spacing[1])
    seen: _Mask = down[:, None] ** 2 + (columns - column) ** 2 <= float(radius) ** 2
    return seen


def _polygon(header: Dataset, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> _Mask:
    """Inside by the even-odd rule, or on an edge."""
    values = integers(header, "VerticesOfThePolygonalShutter", (6, 2 * _MOST_VERTICES))
    if len(values) % 2:
        raise UnreadableImageError(
            f"{tag('VerticesOfThePolygonalShutter')} must be pairs, got {len(values)} values"
        )
    start = np.array(values, dtype=np.float64).reshape(-1, 2)
    end = np.roll(start, -1, axis=0)
    mask = np.zeros((len(rows), len(columns)), dtype=bool)
    for k, row in enumerate(rows):
        mask[k] = _inside(row, columns, start, end)
    return mask


def _inside(
    row: float, columns: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> _Mask:
    """Which columns of one row are inside the polygon of the edges from `start` to `end`."""
    # an edge holds its upper end only, so that a vertex is counted once
    crossed = (start[:, 0] <= row) != (end[:, 0] <= row)
    (y0, x0), (y1, x1) = start[crossed].T, end[crossed].T
    at = np.sort(x0 + (row - y0) * (x1 - x0) / (y1 - y0))
    inside = np.searchsorted(at, columns, side="right") % 2 == 1
    on_edge = np.isin(columns, at) | np.isin(columns, start[start[:, 0] == row, 1])
    level = (start[:, 0] == row) & (end[:, 0] == row)
    for left, right in np.sort(np.stack([start[level, 1], end[level, 1]], axis=1)):
        on_edge |= (columns >= left) & (columns <= right)
    seen: _Mask = inside | on_edge
    return seen
