"""The windows over an image of one size, laid out for the compiled kernels."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ._geometry import padding, window_shape

Indices = NDArray[np.uint64]
Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """Where rows and columns lie among the windows.

    Attributes:
        rows: for each row of the padded image, the row that it mirrors.
        columns: the same for columns.
        bands: for each row, how many windows have their centre above it.
        below: for each row, the weight of its lower neighbours.
        spans: where each span of columns between two windows' centres begins, and the width.
        beside: for each column, the weight of its right neighbours.
    """

    rows: Indices
    columns: Indices
    bands: NDArray[np.int64]
    below: Weights
    spans: Indices
    beside: Weights


@lru_cache(maxsize=64)
def layout(height: int, width: int, windows: tuple[int, int]) -> Layout:
    """Lay windows over an image."""
    bottom, right = padding((height, width), windows)
    tile = window_shape((height, width), windows)
    bands, below = _centres(height, tile[0])
    passed, beside = _centres(width, tile[1])
    spans = np.searchsorted(passed, np.arange(windows[1] + 2)).astype(np.uint64)
    return Layout(_mirrored(height, bottom), _mirrored(width, right), bands, below, spans, beside)


def patch(whole: Layout, top: int, left: int, height: int, width: int) -> Layout:
    """Return the part of a layout that lies over a patch; its windows stay those of the whole."""
    down, across = slice(top, top + height), slice(left, left + width)
    spans = np.clip(whole.spans.astype(np.int64) - left, 0, width).astype(np.uint64)
    return Layout(
        whole.rows[down],
        whole.columns[across],
        whole.bands[down],
        whole.below[down],
        spans,
        whole.beside[across],
    )


def _mirrored(size: int, added: int) -> Indices:
    return np.pad(np.arange(size, dtype=np.uint64), (0, added), mode="reflect")


def _centres(size: int, tile: int) -> tuple[NDArray[np.int64], Weights]:
    """Return for each pixel of an axis how many windows' centres lie before it, and how far on."""
    place = np.arange(size, dtype=np.float32) * (np.float32(1) / np.float32(tile)) - np.float32(0.5)
    before = np.floor(place)
    return (before + 1).astype(np.int64), place - before
