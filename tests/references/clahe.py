"""Contrast-limited histogram equalisation, slow and plain, in NumPy.

Written from OpenCV's ``clahe.cpp``, step by step, one window and one pixel row at a time; each
float32 operation is rounded by itself, as on x86-64.
"""

import numpy as np


def clahe(frames, grid, threshold, bits, valid=None):
    """Equalise (F, H, W) levels below 2^bits with look-ups from all frames together.

    `grid` is the number of windows along (H, W); `valid` marks the pixels that count.
    """
    frames = np.asarray(frames)
    counted = np.ones(frames.shape, bool) if valid is None else np.asarray(valid)
    tables = _tables(frames, counted, grid, threshold, 2**bits)
    result = np.stack([_interpolate(frame, tables) for frame in frames])
    return np.where(counted, result, frames).astype(frames.dtype)


def mirrored(size, wanted):
    """Return `wanted` indices into an axis of `size`, bouncing at its ends (reflect-101)."""
    indices = []
    for i in range(wanted):
        while not 0 <= i < size:
            i = 0 if size == 1 else (-i if i < 0 else 2 * (size - 1) - i)
        indices.append(i)
    return indices


def padded_size(height, width, grid):
    """Return the size in whole windows: both axes grow as soon as one isn't divisible."""
    if height % grid[0] == 0 and width % grid[1] == 0:
        return height, width
    return height + grid[0] - height % grid[0], width + grid[1] - width % grid[1]


def _tables(frames, counted, grid, threshold, bins):
    height, width = padded_size(*frames.shape[1:], grid)
    rows = np.array_split(mirrored(frames.shape[1], height), grid[0])
    columns = np.array_split(mirrored(frames.shape[2], width), grid[1])
    tables = {}
    for i, window_rows in enumerate(rows):
        for j, window_columns in enumerate(columns):
            window = np.ix_(range(len(frames)), window_rows, window_columns)
            levels = frames[window][counted[window]]
            if levels.size:
                tables[i, j] = _table(levels, threshold, bins)
    return _with_borrowed(tables, grid, (height // grid[0], width // grid[1]), bins)


def _table(levels, threshold, bins):
    histogram = np.bincount(levels.ravel(), minlength=bins)
    limit = max(int(threshold * levels.size / bins), 1)
    excess = int(np.maximum(histogram - limit, 0).sum())
    histogram = np.minimum(histogram, limit) + excess // bins
    rest = excess % bins
    if rest:
        histogram[:: max(bins // rest, 1)][:rest] += 1
    scale = np.float32(bins - 1) / np.float32(levels.size)
    return np.clip(np.rint(np.cumsum(histogram).astype(np.float32) * scale), 0, bins - 1)


def _with_borrowed(tables, grid, window, bins):
    """Fill windows without a table with the mean of the nearest ones; identity if there's none."""
    full = np.empty((*grid, bins), np.float32)
    for i in range(grid[0]):
        for j in range(grid[1]):
            distances = {
                (a, b): ((a - i) * window[0]) ** 2 + ((b - j) * window[1]) ** 2 for a, b in tables
            }
            nearest = [tables[k] for k, d in distances.items() if d == min(distances.values())]
            full[i, j] = (
                np.rint(np.mean(nearest, axis=0, dtype=np.float64)) if nearest else range(bins)
            )
    return full


def _interpolate(image, tables):
    rows, columns, bins = tables.shape
    height, width = padded_size(*image.shape, (rows, columns))
    above, below, b = _between(image.shape[0], height // rows, rows)
    left, right, a = _between(image.shape[1], width // columns, columns)
    one = np.float32(1)
    result = np.empty(image.shape, np.float32)
    for y, row in enumerate(image):
        top = tables[above[y], left, row] * (one - a) + tables[above[y], right, row] * a
        bottom = tables[below[y], left, row] * (one - a) + tables[below[y], right, row] * a
        result[y] = np.rint(top * (one - b[y]) + bottom * b[y])
    return np.clip(result, 0, bins - 1)


def _between(size, window, windows):
    position = np.arange(size, dtype=np.float32) * (np.float32(1) / np.float32(window))
    position = position - np.float32(0.5)
    before = np.floor(position).astype(int)
    return (
        np.maximum(before, 0),
        np.minimum(before + 1, windows - 1),
        position - before.astype("f4"),
    )
