"""Contrast-limited histogram equalisation in windows: fit look-up tables, apply them to an image.

Steps and rounding are those of OpenCV's ``clahe.cpp`` on x86-64, which the numbers have to equal:
every float32 operation is rounded by itself. So no fastmath and no fused multiply-add; numba's
``parallel`` is left out as well, since OpenMP kills forked DataLoader workers.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..errors import UserError

Grey = NDArray[np.unsignedinteger[Any]]
P = ParamSpec("P")
R = TypeVar("R")

MAX_LIMIT = 2**31 - 1  # OpenCV keeps the limit in an int, where more would wrap to the strongest
MAX_TABLE_ENTRIES = 2**28  # 512 MiB of 16-bit look-ups


def fit(
    frames: Grey,
    valid: NDArray[np.bool_] | None,
    windows: tuple[int, int],
    threshold: float,
    bits: int,
) -> Grey:
    """Make one look-up table a window from the pixels of all frames together.

    Args:
        frames: (F, H, W) levels below 2^bits, uint8 or uint16.
        valid: (F, H, W), True where a pixel counts; None counts them all.
        windows: number of windows along (H, W).
        threshold: contrast threshold, in multiples of an even histogram's height.
        bits: the levels are 0 to 2^bits - 1.

    Returns:
        Tables (windows_h, windows_w, 2^bits) of the frames' dtype.
    """
    _check_size(windows, bits)
    tables: Grey = np.empty((*windows, 2**bits), frames.dtype)
    area = len(frames) * int(np.prod(window_shape(frames.shape[-2:], windows)))
    if threshold * area / 2**bits > MAX_LIMIT:
        raise UserError(
            f"contrast_threshold must be at most {MAX_LIMIT / area * 2**bits:.4g} for windows of "
            f"{area} pixels and {2**bits} levels, got {threshold:g}"
        )
    padded = _writeable(pad(frames, windows))
    if valid is None:
        _fit_all(padded, threshold, tables)
        return tables
    counted = np.empty(windows, np.int64)
    _fit_valid(padded, _writeable(pad(valid, windows)), threshold, tables, counted)
    _borrow(tables, counted, window_shape(frames.shape[-2:], windows))
    return tables


def apply(image: Grey, tables: Grey) -> Grey:
    """Replace each pixel of an (H, W) image by its four nearest windows' look-ups, interpolated."""
    windows = tables.shape[0], tables.shape[1]
    tile = window_shape(image.shape, windows)
    up, down, below = _neighbours(image.shape[0], tile[0], windows[0])
    left, right, beside = _neighbours(image.shape[1], tile[1], windows[1])
    bins = tables.shape[2]
    left, right = left * np.uint64(bins), right * np.uint64(bins)
    rows = tables.reshape(windows[0], -1)
    out: Grey = np.empty(image.shape, tables.dtype)
    image, highest = _writeable(image), np.float32(bins - 1)
    _interpolate(image, rows, up, down, below, left, right, beside, highest, out)
    return out


def window_shape(size: tuple[int, ...], windows: tuple[int, int]) -> tuple[int, int]:
    """Return a window's height and width in pixels, padding included."""
    height, width = (s + p for s, p in zip(size, _padding(size, windows), strict=True))
    return height // windows[0], width // windows[1]


def pad(frames: NDArray[Any], windows: tuple[int, int]) -> NDArray[Any]:
    """Pad (F, H, W) at the bottom and right, mirrored about the last pixel, to whole windows."""
    bottom, right = _padding(frames.shape[-2:], windows)
    if not bottom and not right:
        return frames
    return np.pad(frames, ((0, 0), (0, bottom), (0, right)), mode="reflect")


def _padding(size: tuple[int, ...], windows: tuple[int, int]) -> tuple[int, int]:
    """Return the rows and columns to add: a divisible axis gets a full count if the other isn't."""
    spare = size[0] % windows[0], size[1] % windows[1]
    return (0, 0) if not any(spare) else (windows[0] - spare[0], windows[1] - spare[1])


def _neighbours(
    size: int, tile: int, windows: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.float32]]:
    """Return for each pixel of an axis the windows before and after it, and the latter's weight."""
    place = np.arange(size, dtype=np.float32) * (np.float32(1) / np.float32(tile)) - np.float32(0.5)
    before = np.floor(place)
    first = np.maximum(before, 0).astype(np.uint64)
    last = np.minimum(before + 1, windows - 1).astype(np.uint64)
    return first, last, place - before


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


def _check_size(windows: tuple[int, int], bits: int) -> None:
    entries = windows[0] * windows[1] * 2**bits
    if entries > MAX_TABLE_ENTRIES:
        raise UserError(
            f"windows x levels must be at most 2^28 look-up entries, got {windows[0]} x "
            f"{windows[1]} windows x {2**bits} levels"
        )


def _writeable(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array contiguous and not read-only, so that numba compiles one variant only."""
    array = np.ascontiguousarray(array)
    return array if array.flags.writeable else array.copy()


def _compiled(function: Callable[P, R]) -> Callable[P, R]:
    try:
        compiled: Callable[P, R] = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba found no folder to write its cache to, as in a locked container
        compiled = njit(nogil=True)(function)
    return compiled


@_compiled
def _fit_all(padded: Grey, threshold: float, tables: Grey) -> None:
    height = padded.shape[1] // tables.shape[0]
    width = padded.shape[2] // tables.shape[1]
    counts = np.empty(tables.shape[2], np.int64)
    for i in range(tables.shape[0]):
        for j in range(tables.shape[1]):
            counts[:] = 0
            for frame in padded[:, i * height : (i + 1) * height, j * width : (j + 1) * width]:
                for row in frame:
                    for level in row:
                        counts[level] += 1
            _equalise(counts, len(padded) * height * width, threshold, tables[i, j])


@_compiled
def _fit_valid(
    padded: Grey,
    valid: NDArray[np.bool_],
    threshold: float,
    tables: Grey,
    counted: NDArray[np.int64],
) -> None:
    height = padded.shape[1] // tables.shape[0]
    width = padded.shape[2] // tables.shape[1]
    counts = np.empty(tables.shape[2], np.int64)
    for i in range(tables.shape[0]):
        for j in range(tables.shape[1]):
            counts[:] = 0
            for f in range(len(padded)):
                for y in range(i * height, (i + 1) * height):
                    for x in range(j * width, (j + 1) * width):
                        counts[padded[f, y, x]] += valid[f, y, x]
            counted[i, j] = counts.sum()
            if counted[i, j] > 0:
                _equalise(counts, counted[i, j], threshold, tables[i, j])


@_compiled
def _equalise(counts: NDArray[np.int64], area: int, threshold: float, table: Grey) -> None:
    """Clip a histogram, share out what was cut off, and write its cumulative sum as a look-up."""
    bins = len(counts)
    limit = max(int(threshold * area / bins), 1)
    clipped = 0
    for level in range(bins):
        if counts[level] > limit:
            clipped += counts[level] - limit
            counts[level] = limit
    share = clipped // bins
    rest = clipped - share * bins
    step = max(bins // max(rest, 1), 1)
    for i in range(rest):
        counts[i * step] += 1
    scale = np.float32(bins - 1) / np.float32(area)
    total = 0
    for level in range(bins):
        total += counts[level] + share
        table[level] = min(np.rint(np.float32(total) * scale), np.float32(bins - 1))


@_compiled
def _interpolate(
    image: Grey,
    rows: Grey,
    up: NDArray[np.uint64],
    down: NDArray[np.uint64],
    below: NDArray[np.float32],
    left: NDArray[np.uint64],
    right: NDArray[np.uint64],
    beside: NDArray[np.float32],
    highest: np.float32,
    out: Grey,
) -> None:
    one = np.float32(1)
    for y in range(image.shape[0]):
        top, bottom, b = rows[up[y]], rows[down[y]], below[y]
        for x in range(image.shape[1]):
            level = np.uint64(image[y, x])
            p, q, a = left[x] + level, right[x] + level, beside[x]
            above = np.float32(top[p]) * (one - a) + np.float32(top[q]) * a
            under = np.float32(bottom[p]) * (one - a) + np.float32(bottom[q]) * a
            out[y, x] = min(np.rint(above * (one - b) + under * b), highest)
