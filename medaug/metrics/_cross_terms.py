"""Compiled sums over pairs of images: the terms of MS-SSIM, whose cost grows with the pairs.

What depends on one image is computed once; a pair then costs one blur, of its product. An image is
compared with a block of others at once, which lie pixel by pixel beside each other: a vector
register holds one pixel of sixteen images, rows have no ends that don't fill it, and a neighbour
is one aligned load. Images are cut into tiles, so that a block stays in the cache while all others
pass by.

Blurred values are left as they come from a window whose centre is 1 along both axes, and the other
terms are brought to that unit: one multiplication less for each pixel.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._compiled import compiled

Values = NDArray[np.floating[Any]]
Number = Any  # of the arrays' own dtype: anything else would make numba compute in float64

BLOCK, VECTOR = 32, 16  # images beside each other: at most, and always a multiple of
TILE = (64, 16)  # rows and columns; with a block of images 1 MB, a core's second cache
ALONE = 2**24  # pixels over all pairs, below which a second thread costs more than it saves


def mean_terms(
    images: Values,
    window: list[float],
    constants: tuple[float, float],
    *,
    with_luminance: bool,
    threads: int,
) -> NDArray[np.float64]:
    """Return each pair's mean over pixels of contrast times structure, perhaps times luminance.

    Args:
        images: (N, H, W), float32 or float64, which is what they are computed in.
        window: odd, symmetric weights that add up to 1, for both axes.
        constants: C1 and C2.
        with_luminance: whether that is in the product.
        threads: how many may run.

    Returns:
        (N, N), filled above the diagonal.
    """
    rim = len(window) - 1
    height, width = (side - rim for side in images.shape[1:])
    number, centre = images.dtype.type, window[rim // 2]
    weights = tuple(number(weight / centre) for weight in window[: rim // 2])
    luminance, contrast = number(constants[0] / centre**2), number(constants[1] / centre**2 / 2)

    def sums(corner: tuple[int, int]) -> NDArray[np.float64]:
        found = np.zeros((len(images), len(images)))
        tile = _tile(images, corner, rim)
        _add_tile(tile, weights, number(centre), contrast, luminance, with_luminance, found)
        return found

    corners = product(range(0, height, TILE[0]), range(0, width, TILE[1]))
    total = np.zeros((len(images), len(images)))
    if threads == 1 or total.size * height * width < ALONE:
        for found in map(sums, corners):
            total += found
    else:
        with ThreadPoolExecutor(threads) as pool:
            # in the order of the tiles, however many threads: always the same rounding
            for found in pool.map(sums, corners):
                total += found
    total *= 2 / (height * width)
    return total


def _tile(images: Values, corner: tuple[int, int], rim: int) -> Values:
    """Cut from (N, H, W), with what a window needs around it."""
    rows, columns = (
        slice(start, start + side + rim) for start, side in zip(corner, TILE, strict=True)
    )
    return np.ascontiguousarray(images[:, rows, columns])


@compiled
def _add_tile(
    images: Values,
    weights: tuple[Number, ...],
    centre: Number,
    contrast: Number,
    luminance: Number,
    with_luminance: bool,
    total: NDArray[np.float64],
) -> None:
    """Add half of the terms of all pairs, summed over this tile.

    Args:
        images: (N, rows, columns).
        weights: the window from its rim inwards, without its centre, which is 1.
        centre: what the centre would be, were the sum 1.
        contrast: C2 / 2 / centre^2.
        luminance: C1 / centre^2.
        with_luminance: as said.
        total: (N, N), to be added to; what isn't above the diagonal may be anything.
    """
    size, rows, columns = images.shape
    height, width = rows - 2 * len(weights), columns - 2 * len(weights)
    means = np.empty((size, height, width), images.dtype)
    spreads = np.empty((size, height, width), images.dtype)
    for first in range(0, size, BLOCK):
        last = min(first + BLOCK, size)
        lanes = (last - first + VECTOR - 1) // VECTOR * VECTOR
        others = np.zeros((rows, columns, lanes), images.dtype)
        other_means = np.empty((height, width, lanes), images.dtype)
        other_spreads = np.empty((height, width, lanes), images.dtype)
        blurred = np.empty((rows, width, lanes), images.dtype)
        added = np.empty((width, lanes), images.dtype)
        _lay_beside(images[first:last], others)
        _set_moments(others, weights, centre, contrast, blurred, other_means, other_spreads)
        _lay_apart(other_means, means[first:last])
        _lay_apart(other_spreads, spreads[first:last])
        for i in range(last - 1):
            _blur_products(images[i], others, weights, blurred)
            added[:] = 0
            if with_luminance:
                _add_similarity(
                    blurred, weights, means[i], spreads[i], other_means, other_spreads, contrast,
                    luminance, added,
                )  # fmt: skip
            else:
                _add_contrast(
                    blurred, weights, means[i], spreads[i], other_means, other_spreads, contrast,
                    added,
                )  # fmt: skip
            for x in range(width):
                for lane in range(last - first):
                    total[i, first + lane] += added[x, lane]


@compiled
def _lay_beside(images: Values, beside: Values) -> None:
    for y in range(images.shape[1]):
        for x in range(images.shape[2]):
            for lane in range(len(images)):
                beside[y, x, lane] = images[lane, y, x]


@compiled
def _lay_apart(beside: Values, images: Values) -> None:
    for y in range(images.shape[1]):
        for x in range(images.shape[2]):
            for lane in range(len(images)):
                images[lane, y, x] = beside[y, x, lane]


@compiled
def _set_moments(
    images: Values,
    weights: tuple[Number, ...],
    centre: Number,
    contrast: Number,
    blurred: Values,
    means: Values,
    spreads: Values,
) -> None:
    """Write blurred / centre, and (variance + C2 / 2) / centre^2; `blurred` is room to work in."""
    rows, columns, lanes = images.shape
    flat, along = images.reshape(rows, columns * lanes), blurred.reshape(rows, -1)
    height, width, _ = means.shape
    for y in range(rows):
        _blur_along(flat[y], weights, lanes, along[y])
    for y in range(np.uint64(height)):
        for x in range(np.uint64(width)):
            for lane in range(np.uint64(lanes)):
                means[y, x, lane] = _blur_down(blurred, weights, y, x, lane) * centre
    for y in range(rows):
        _blur_along(flat[y] * flat[y], weights, lanes, along[y])
    for y in range(np.uint64(height)):
        for x in range(np.uint64(width)):
            for lane in range(np.uint64(lanes)):
                squares = _blur_down(blurred, weights, y, x, lane)
                spreads[y, x, lane] = squares - means[y, x, lane] ** 2 + contrast


@compiled
def _blur_products(
    image: Values, others: Values, weights: tuple[Number, ...], blurred: Values
) -> None:
    """Multiply an image (rows, columns) with each of the others, and blur that along rows."""
    rows, columns, lanes = others.shape
    products = np.empty(columns * lanes, others.dtype)
    along = blurred.reshape(rows, -1)
    for y in range(rows):
        _multiply(image[y], others[y], products)
        _blur_along(products, weights, lanes, along[y])


@compiled
def _multiply(row: Values, others: Values, products: Values) -> None:
    lanes = np.uint64(others.shape[1])
    start = np.uint64(0)
    for x in range(np.uint64(len(row))):
        value = row[x]
        for lane in range(lanes):
            products[start + lane] = value * others[x, lane]
        start += lanes


@compiled
def _blur_along(line: Values, weights: tuple[Number, ...], lanes: int, out: Values) -> None:
    """Blur a line of pixels, each of `lanes` numbers."""
    step = np.uint64(lanes)
    centre, end = np.uint64(len(weights)) * step, np.uint64(2 * len(weights))
    for q in range(np.uint64(len(out))):
        value = line[q + centre]
        for k in range(len(weights)):
            left, right = np.uint64(k) * step, (end - np.uint64(k)) * step
            value += weights[k] * (line[q + left] + line[q + right])
        out[q] = value


@compiled
def _blur_down(
    rows: Values, weights: tuple[Number, ...], y: Number, x: Number, lane: Number
) -> Number:
    """Return one number, blurred over rows; it becomes part of the loop that calls it."""
    end = np.uint64(2 * len(weights))
    value = rows[y + np.uint64(len(weights)), x, lane]
    for k in range(len(weights)):
        upper, lower = rows[y + np.uint64(k), x, lane], rows[y + end - np.uint64(k), x, lane]
        value += weights[k] * (upper + lower)
    return value


@compiled
def _add_contrast(
    rows: Values,
    weights: tuple[Number, ...],
    means: Values,
    spreads: Values,
    other_means: Values,
    other_spreads: Values,
    contrast: Number,
    added: Values,
) -> None:
    """Add contrast times structure, two rows at once: they share loads and a division."""
    height, width, lanes = other_means.shape
    one, two = np.uint64(1), np.uint64(2)
    even = np.uint64(height) // two * two
    for y in range(np.uint64(0), even, two):
        z = y + one
        for x in range(np.uint64(width)):
            mean_y, spread_y, mean_z, spread_z = (
                means[y, x],
                spreads[y, x],
                means[z, x],
                spreads[z, x],
            )
            for lane in range(np.uint64(lanes)):
                above_y = _blur_down(rows, weights, y, x, lane) - mean_y * other_means[y, x, lane]
                above_z = _blur_down(rows, weights, z, x, lane) - mean_z * other_means[z, x, lane]
                below_y = spread_y + other_spreads[y, x, lane]
                below_z = spread_z + other_spreads[z, x, lane]
                above = (above_y + contrast) * below_z + (above_z + contrast) * below_y
                added[x, lane] += above / (below_y * below_z)
    for y in range(even, np.uint64(height)):
        for x in range(np.uint64(width)):
            mean, spread = means[y, x], spreads[y, x]
            for lane in range(np.uint64(lanes)):
                above = _blur_down(rows, weights, y, x, lane) - mean * other_means[y, x, lane]
                added[x, lane] += (above + contrast) / (spread + other_spreads[y, x, lane])


@compiled
def _add_similarity(
    rows: Values,
    weights: tuple[Number, ...],
    means: Values,
    spreads: Values,
    other_means: Values,
    other_spreads: Values,
    contrast: Number,
    luminance: Number,
    added: Values,
) -> None:
    """Add luminance times contrast times structure."""
    height, width, lanes = other_means.shape
    for y in range(np.uint64(height)):
        for x in range(np.uint64(width)):
            mean, spread = means[y, x], spreads[y, x]
            for lane in range(np.uint64(lanes)):
                other = other_means[y, x, lane]
                both = mean * other
                above = _blur_down(rows, weights, y, x, lane) - both + contrast
                above *= both + both + luminance
                below = spread + other_spreads[y, x, lane]
                added[x, lane] += above / (below * (mean * mean + other * other + luminance))
