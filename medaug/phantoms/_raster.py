"""Kernels that draw in maps of thickness: tubes, blurs and smooth random fields."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._compiled import compiled

Map = NDArray[np.floating[Any]]  # float32, (H, W) or to be broadcast to it
Array = NDArray[np.float64]


def _splat_loop(
    canvas: Map, columns: Array, rows: Array, radii: Array, weights: Array
) -> None:  # pragma: no cover - compiled
    height, width = canvas.shape
    for i in range(columns.size):
        u, v, r, w = columns[i], rows[i], radii[i], weights[i]
        # Thinner than a pixel: a disc of one pixel with the same area.
        if r < 0.6:
            w *= (r / 0.6) ** 2
            r = 0.6
        top, bottom = max(0, int(v - r - 1)), min(height, int(v + r + 3))
        left, right = max(0, int(u - r - 1)), min(width, int(u + r + 3))
        for row in range(top, bottom):
            for column in range(left, right):
                square = (column - u) ** 2 + (row - v) ** 2
                if square <= (r - 0.5) ** 2:
                    canvas[row, column] += w
                elif square < (r + 0.5) ** 2:
                    canvas[row, column] += w * (r + 0.5 - np.sqrt(square))


def _box_rows_loop(
    image: Map, out: Map, radius: int, rim: float
) -> None:  # pragma: no cover - compiled
    height, width = image.shape
    scale = 1.0 / (2 * radius + 1 + 2 * rim)
    total = np.zeros(width)
    for row in range(-radius, radius + 1):
        total += image[min(max(row, 0), height - 1)]
    for row in range(height):
        enters = image[min(row + radius + 1, height - 1)]
        before = image[max(row - radius - 1, 0)]
        leaves = image[max(row - radius, 0)]
        for column in range(width):
            edges = rim * (enters[column] + before[column])
            out[row, column] = (total[column] + edges) * scale
            total[column] += enters[column] - leaves[column]


def _resize_loop(image: Map, out: Map) -> None:  # pragma: no cover - compiled
    down = (image.shape[0] - 1) / max(1, out.shape[0] - 1)
    along = (image.shape[1] - 1) / max(1, out.shape[1] - 1)
    for row in range(out.shape[0]):
        top = min(int(row * down), image.shape[0] - 2)
        v = row * down - top
        for column in range(out.shape[1]):
            left = min(int(column * along), image.shape[1] - 2)
            u = column * along - left
            above = image[top, left] * (1 - u) + image[top, left + 1] * u
            below = image[top + 1, left] * (1 - u) + image[top + 1, left + 1] * u
            out[row, column] = above * (1 - v) + below * v


_splat: Callable[[Map, Array, Array, Array, Array], None] = compiled(_splat_loop)
_box_rows: Callable[[Map, Map, int, float], None] = compiled(_box_rows_loop)
_resize: Callable[[Map, Map], None] = compiled(_resize_loop)


def splat(canvas: Map, columns: Array, rows: Array, radii: Array, weights: Array) -> None:
    """Add soft-edged discs to `canvas` in place; places and radii in pixels.

    Discs of weight ds (the length of a curve's step) add up to the chords of a cylinder: the
    integral of a disc of radius r along a line at the distance d is 2·sqrt(r² − d²).
    """
    _splat(canvas, columns, rows, radii, weights)


def blur(image: Map, sigma: float) -> Map:
    """Return `image` (H, W) blurred by about a Gaussian of `sigma` pixels, edges repeated.

    Three box filters each way, their outermost samples weighted so that the variance is exact
    (Gwosdek et al., Theoretical foundations of Gaussian convolution by extended box filtering,
    SSVM 2011, equation 6).
    """
    variance = sigma * sigma / 3
    n = int((np.sqrt(12 * variance + 1) - 1) / 2)
    rim = (2 * n + 1) * (n * (n + 1) - 3 * variance) / (6 * (variance - (n + 1) ** 2))
    source = np.ascontiguousarray(image, np.float32)
    for _ in range(2):
        for _ in range(3):
            target = np.empty_like(source)
            _box_rows(source, target, n, rim)
            source = target
        source = np.ascontiguousarray(source.T)
    return source


def resize(image: Map, size: tuple[int, int]) -> Map:
    """Return `image` (h, w) interpolated linearly to `size`, corners on corners."""
    out = np.empty(size, np.float32)
    _resize(np.ascontiguousarray(image, np.float32), out)
    return out


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], scale: float) -> Map:
    """Return a random field (H, W) of mean 0 and deviation about 1, smooth over `scale` pixels."""
    coarse = (max(4, round(2.5 * size[0] / scale)) + 3, max(4, round(2.5 * size[1] / scale)) + 3)
    field = rng.standard_normal(coarse, dtype=np.float32)
    field = blur(field, 1.0)
    field = (field - field.mean()) / (field.std() + 1e-6)
    return resize(field, size)
