"""A cine from a NIfTI file held in memory, by nibabel: axes (x, y, slice, time).

NIfTI says where the patient's sides are, not which way up a picture is shown, and converters flip
and swap axes. The rule here gives what scanners do. The largest part of a plane's normal says
which of three planes it is nearest to; there, a picture goes

- axial: to the right towards the patient's left, down towards the back;
- coronal: to the right towards the left, down towards the feet;
- sagittal: to the right towards the back, down towards the feet;

and of the eight ways to lay the plane's two axes, the one that comes closest to that is taken. A
file without orientation (qform and sform codes both 0) is taken as stored: the first axis is the
column, the second the row, the top row first.
"""

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UnreadableImageError
from .._formats.nifti import open_nifti
from ..limits import Limits
from .pixels import Modality, Stored, StoredCine

# nibabel's own types leave out the header and the array proxy
_Image = Any
_Vectors = NDArray[np.float64]

# Where right and down go (LPS), by the axis that the normal is nearest to: left, back, head.
_LEFT, _BACK, _FEET = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, -1]])
_TARGETS = ((_BACK, _FEET), (_LEFT, _FEET), (_LEFT, _BACK))

_UNITS_IN_MM = {"meter": 1000.0, "micron": 0.001}
_UNITS_IN_MS = {"sec": 1000.0, "msec": 1.0, "usec": 0.001}


def decode_cine_nifti(data: bytes, limits: Limits) -> StoredCine:
    """Decode a four-dimensional NIfTI file (further axes of length 1 are allowed).

    Raises:
        UnreadableImageError: it isn't (x, y, slice, time) of whole numbers, or is cut short.
    """
    image = open_nifti(data)
    columns, rows, slices, phases = _shape(image)
    itemsize = image.get_data_dtype().itemsize
    limits.check_shape(rows, columns, itemsize)
    limits.check_bytes(columns * rows * slices * phases * itemsize, "the decoded frames")
    values = np.asarray(image.dataobj.get_unscaled()).reshape(columns, rows, slices, phases)
    right, down, along, positions = _planes(image, slices)
    step, source = _step(image)
    return StoredCine(
        frames=[
            [_upright(_integers(values[:, :, k, t]), right, down) for t in range(phases)]
            for k in along
        ],
        modality=_modality(image),
        spacing=_spacing(image, down),
        spacing_source="pixdim",
        photometric="MONOCHROME2",
        positions=positions,
        order="stored",
        times=[[step * t for t in range(phases)]] * slices if step else [],
        times_source=source,
    )


def _shape(image: _Image) -> tuple[int, int, int, int]:
    shape = tuple(map(int, image.shape))
    if len(shape) < 4 or any(extent != 1 for extent in shape[4:]):
        hint = "; NIfTI's third axis is the slice: one slice over time is (x, y, 1, time)"
        raise UnreadableImageError(
            f"a cine must have four dimensions (x, y, slice, time), got {shape}"
            + (hint if len(shape) == 3 else "")
        )
    columns, rows, slices, phases = shape[:4]
    if min(columns, rows, slices) < 1 or phases < 2:
        raise UnreadableImageError(
            f"a cine must have pixels and at least 2 phases (x, y, slice, time), got {shape}"
        )
    return columns, rows, slices, phases


def _integers(frame: Stored) -> Stored:
    """Check that levels can be counted; the range is checked with that of all frames."""
    if frame.dtype.kind == "f":
        if not (np.isfinite(frame).all() and np.array_equal(frame, np.rint(frame))):
            raise UnreadableImageError(
                "pixels must be whole numbers, since grey levels are counted, got fractions, NaN "
                "or infinity; save them as integers"
            )
    elif frame.dtype.itemsize <= 2:
        return frame
    if float(frame.min()) < -(2**15) or float(frame.max()) >= 2**16:
        raise UnreadableImageError(
            f"pixels must fit into 16 bits, got {frame.min()} to {frame.max()}"
        )
    return frame.astype(np.int32)


def _modality(image: _Image) -> Modality:
    slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
    if not (math.isfinite(slope) and math.isfinite(intercept)) or slope == 0:
        raise UnreadableImageError(
            f"scl_slope must be finite and not 0, got {slope:g}; scl_inter {intercept:g}"
        )
    return Modality(slope, intercept)


def _zoom(image: _Image, axis: int, unit: float) -> float:
    zoom = float(image.header.get_zooms()[axis]) * unit
    if not (math.isfinite(zoom) and zoom > 0):
        raise UnreadableImageError(f"pixdim must be positive, got {zoom:g} for axis {axis + 1}")
    return zoom


def _length_unit(image: _Image) -> float:
    return _UNITS_IN_MM.get(image.header.get_xyzt_units()[0], 1.0)


def _spacing(image: _Image, down: tuple[int, int]) -> tuple[float, float]:
    zooms = [_zoom(image, axis, _length_unit(image)) for axis in (0, 1)]
    return zooms[down[0]], zooms[1 - down[0]]


def _step(image: _Image) -> tuple[float, str]:
    """Ms between phases, and where it is from; 0 and "none" where the file doesn't say."""
    unit = _UNITS_IN_MS.get(image.header.get_xyzt_units()[1])
    step = float(image.header.get_zooms()[3])
    if unit is None or not (math.isfinite(step) and step > 0):
        return 0.0, "none"
    return step * unit, "pixdim"


def _planes(
    image: _Image, slices: int
) -> tuple[tuple[int, int], tuple[int, int], list[int], list[float]]:
    """The array axis and sign that goes right, and down; slices in order, and their positions."""
    if int(image.header["qform_code"]) == 0 and int(image.header["sform_code"]) == 0:
        gap = _zoom(image, 2, _length_unit(image))
        return (0, 1), (1, 1), list(range(slices)), [gap * k for k in range(slices)]
    affine = np.diag([-1.0, -1.0, 1.0]) @ np.asarray(image.affine)[:3]  # RAS to LPS
    lengths = np.linalg.norm(affine[:, :3], axis=0)
    useful = bool(np.isfinite(affine).all() and lengths.min() > 0)
    axes: _Vectors = affine[:, :3] / (lengths if useful else 1.0)
    if not useful or abs(np.linalg.det(axes)) < 1e-3:
        raise UnreadableImageError("the affine must be finite with three independent axes")
    right, down = _lay(axes)
    normal = np.cross(right[1] * axes[:, right[0]], down[1] * axes[:, down[0]])
    normal /= np.linalg.norm(normal)
    unit = _length_unit(image)
    along = [float(unit * normal @ (affine[:, 3] + k * affine[:, 2])) for k in range(slices)]
    order = sorted(range(slices), key=along.__getitem__)
    return right, down, order, [along[k] for k in order]


def _lay(axes: _Vectors) -> tuple[tuple[int, int], tuple[int, int]]:
    """The array axis and sign that goes right, and down, by the rule at the top."""
    # rounded, so that a converter's rounding doesn't decide between two that are equal
    normal = np.round(np.abs(np.cross(axes[:, 0], axes[:, 1])), 4)
    to_right, to_down = _TARGETS[int(normal.argmax())]

    def closeness(way: tuple[tuple[int, int], tuple[int, int]]) -> float:
        (across, sign), (along, other) = way
        fit = sign * axes[:, across] @ to_right + other * axes[:, along] @ to_down
        return round(float(fit), 4)

    signs = product((0, 1), (1, -1), (1, -1))
    return max((((a, p), (1 - a, q)) for a, p, q in signs), key=closeness)


def _upright(frame: Stored, right: tuple[int, int], down: tuple[int, int]) -> Stored:
    """(H, W), as a view."""
    picture = frame.T if down[0] == 1 else frame
    return picture[:: down[1], :: right[1]]
