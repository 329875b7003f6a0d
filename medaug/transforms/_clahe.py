"""Contrast-limited histogram equalisation in windows: fit look-up tables, apply them to an image.

Everything here takes planes of grey levels, (P, H, W) uint8 or uint16, in groups that share their
tables: each plane by itself, or the frames of a sequence together.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from . import _kernels
from ._geometry import window_shape
from ._kernels import Grey
from ._layout import Layout, layout
from ._pool import split

MAX_LIMIT = 2**31 - 1  # OpenCV keeps the limit in an int, where more would wrap to the strongest
MAX_AREA = 2**32 - 1  # histograms count in 32 bits
MAX_TABLE_ENTRIES = 2**28  # 512 MiB of 16-bit look-ups
AT_ONCE = 2**23  # look-up entries kept at a time: 16 MiB of 16-bit ones

_WORDS: dict[int, NDArray[Any]] = {1: np.empty(0, np.uint32), 2: np.empty(0, np.uint64)}


@dataclass(frozen=True)
class Groups:
    """Which planes share their tables.

    Attributes:
        members: the numbers of the planes, those of a group together.
        owners: the group of each member.
        starts: where in `members` each group begins, and the end of the last.
        largest: planes in the largest group.
    """

    members: NDArray[np.uint64]
    owners: NDArray[np.int64]
    starts: NDArray[np.uint64]
    largest: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def part(self, first: int, last: int) -> "Groups":
        """Return the groups from `first` up to `last`, numbered from 0."""
        starts = self.starts[first : last + 1]
        members = slice(int(starts[0]), int(starts[-1]))
        owners = self.owners[members] - first
        return Groups(self.members[members], owners, starts - starts[0], self.largest)


@lru_cache(maxsize=64)
def group_planes(lead: tuple[int, ...], pooled: int | None) -> Groups:
    """Group the planes of an image whose leading axes are `lead`, pooled along one of them."""
    shared = tuple(1 if axis == pooled else size for axis, size in enumerate(lead))
    numbers = np.arange(math.prod(shared), dtype=np.int64).reshape(shared)
    owners = np.broadcast_to(numbers, lead).ravel()
    members = np.argsort(owners, kind="stable").astype(np.uint64)
    starts = np.searchsorted(owners[members], np.arange(numbers.size + 1)).astype(np.uint64)
    largest = math.prod(lead) // max(numbers.size, 1)
    return Groups(members, owners[members], starts, largest)


def equalise(
    planes: Grey,
    groups: Groups,
    valid: NDArray[np.bool_] | None,
    windows: tuple[int, int],
    threshold: float,
    bits: int,
    span: tuple[int, int],
) -> Grey:
    """Fit tables to the planes and apply them to the same planes.

    Args:
        planes: (P, H, W) levels below 2^bits, uint8 or uint16.
        groups: which planes share their tables.
        valid: (P, H, W), True where a pixel counts; None counts them all.
        windows: number of windows along (H, W).
        threshold: contrast threshold, in multiples of an even histogram's height.
        bits: the levels are 0 to 2^bits - 1.
        span: the lowest and the highest level in the planes.

    Returns:
        (P, H, W) levels, also where a pixel isn't valid.
    """
    over = layout(planes.shape[1], planes.shape[2], windows)
    out: Grey = np.empty_like(planes)
    step = max(AT_ONCE // (windows[0] * windows[1] * 2**bits), 1)
    for first in range(0, len(groups), step):
        some = groups if step >= len(groups) else groups.part(first, first + step)
        tables = fit(planes, some, valid, windows, threshold, bits, span)
        apply(planes, some, tables, over, out, span)
    return out


def fit(
    planes: Grey,
    groups: Groups,
    valid: NDArray[np.bool_] | None,
    windows: tuple[int, int],
    threshold: float,
    bits: int,
    span: tuple[int, int],
) -> Grey:
    """Make the look-up tables of each group of planes, with the arguments of `equalise`.

    No level may lie outside of `span`, and the tables' entries there may be left unset.

    Returns:
        Tables (groups, windows_h, windows_w, 2^bits) of the planes' dtype.
    """
    check_size(planes.shape[1:], groups.largest, windows, threshold, bits)
    tables: Grey = np.empty((len(groups), *windows, 2**bits), planes.dtype)
    over = layout(planes.shape[1], planes.shape[2], windows)
    count, pixels = len(groups) * windows[0] * windows[1], len(groups.members) * planes[0].size
    if valid is None:

        def work(first: int, last: int) -> None:
            _kernels.fit_windows(
                planes, groups.members, groups.starts, threshold, *span, over.rows,
                over.columns, first, last, tables,
            )  # fmt: skip

        split(work, count, pixels)
        return tables
    counted = np.empty((len(groups), *windows), np.int64)

    def work_on_valid(first: int, last: int) -> None:
        _kernels.fit_valid_windows(
            planes, valid, groups.members, groups.starts, threshold, over.rows, over.columns,
            first, last, tables, counted,
        )  # fmt: skip

    split(work_on_valid, count, pixels)
    for group in range(len(groups)):
        _borrow(tables[group], counted[group], window_shape(planes.shape[1:], windows))
    return tables


def apply(
    planes: Grey,
    groups: Groups,
    tables: Grey,
    over: Layout,
    out: Grey,
    span: tuple[int, int],
) -> None:
    """Replace each pixel by its four nearest windows' look-ups, interpolated.

    Args:
        planes: (P, H, W) levels.
        groups: the tables' groups; their members are written to `out`.
        tables: as `fit` makes them.
        over: where the planes lie among the windows.
        out: (P, H, W) of the tables' dtype.
        span: the lowest and the highest level in the planes.
    """
    word = _WORDS[tables.itemsize]

    def work(first: int, last: int) -> None:
        _kernels.apply_rows(
            planes, tables, groups.members, groups.owners, *span, over.bands, over.below,
            over.spans, over.beside, first, last, word, out,
        )  # fmt: skip

    count = len(groups.members) * planes.shape[1]
    split(work, count, count * planes.shape[2])


def check_size(
    size: tuple[int, ...], frames: int, windows: tuple[int, int], threshold: float, bits: int
) -> None:
    """Refuse what doesn't fit into tables or counters.

    Args:
        size: (H, W).
        frames: how many planes are pooled.
        windows: number of windows along (H, W).
        threshold: contrast threshold.
        bits: the levels are 0 to 2^bits - 1.
    """
    if windows[0] * windows[1] * 2**bits > MAX_TABLE_ENTRIES:
        raise UserError(
            f"windows x levels must be at most 2^28 look-up entries, got {windows[0]} x "
            f"{windows[1]} windows x {2**bits} levels"
        )
    area = math.prod(window_shape(size, windows)) * frames
    if area > MAX_AREA:
        raise UserError(
            f"a window must have at most {MAX_AREA:,} pixels in all frames, got {area:,}"
        )
    if threshold * area / 2**bits > MAX_LIMIT:
        raise UserError(
            f"contrast_threshold must be at most {MAX_LIMIT / area * 2**bits:.4g} for windows of "
            f"{area} pixels and {2**bits} levels, got {threshold:g}"
        )


def _borrow(tables: Grey, counted: NDArray[np.int64], tile: tuple[int, int]) -> None:
    """Give each window without a valid pixel the mean table of the nearest ones that have some."""
    full = np.argwhere(counted > 0)
    if not len(full):
        tables[:] = np.arange(tables.shape[-1])
        return
    for empty in np.argwhere(counted == 0):
        distance = (((full - empty) * tile) ** 2).sum(axis=1)
        nearest = full[distance == distance.min()]
        mean = tables[nearest[:, 0], nearest[:, 1]].mean(axis=0, dtype=np.float64)
        tables[tuple(empty)] = np.rint(mean)
