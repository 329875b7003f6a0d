"""Compiled loops over pixels: histograms to look-ups, look-ups to images, values to levels.

Steps and rounding are those of OpenCV's ``clahe.cpp`` on x86-64, which the numbers have to equal:
every float32 operation is rounded by itself. So no fastmath and no fused multiply-add; numba's
``parallel`` is left out as well, since OpenMP kills forked DataLoader workers: callers split the
work, and every kernel lets go of the GIL.

Indices are unsigned throughout: numba then leaves out its check for negative ones, which takes a
third of the time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._compiled import compiled

Grey = NDArray[np.unsignedinteger[Any]]
Indices = NDArray[np.uint64]
Numbers = NDArray[Any]  # int64; for mypy its items aren't ints
Weights = NDArray[np.float32]
Values = NDArray[np.floating[Any]]


@compiled
def _count(
    frame: Grey,
    top: int,
    bottom: int,
    first: int,
    last: int,
    rows: Indices,
    columns: Indices,
    lowest: int,
    counts: NDArray[np.uint32],
) -> None:
    """Add a window's levels to one histogram, or to four by turns: equal neighbours don't wait."""
    low = np.uint64(lowest)
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    lanes = len(counts) - 1
    c0, c1, c2, c3 = counts[0], counts[min(1, lanes)], counts[min(2, lanes)], counts[lanes]
    start = np.uint64(first)
    inside = np.uint64(max(first, min(last, frame.shape[1])))
    quads = start + (inside - start) // four * four
    for y in range(np.uint64(top), np.uint64(bottom)):
        row = frame[rows[y]]
        for x in range(start, quads, four):
            c0[np.uint64(row[x]) - low] += one
            c1[np.uint64(row[x + one]) - low] += one
            c2[np.uint64(row[x + two]) - low] += one
            c3[np.uint64(row[x + three]) - low] += one
        for x in range(quads, inside):
            c0[np.uint64(row[x]) - low] += one
        for x in range(inside, np.uint64(last)):  # the mirrored columns beyond the image
            c0[np.uint64(row[columns[x]]) - low] += one


@compiled
def _equalise(
    counts: NDArray[np.uint32], area: int, threshold: float, lowest: int, table: Grey
) -> None:
    """Clip a histogram, share out what was cut off, and write its cumulative sum as a look-up.

    `counts` holds the bins from `lowest` on; those outside are empty. Of `table`, the entries of
    the bins in `counts` are written. Three loops, of which only the second can't be vectorised.
    """
    bins = len(table)
    limit = np.uint32(max(int(threshold * area / bins), 1))
    kept = 0
    for k in range(len(counts)):
        counts[k] = min(counts[k], limit)
        kept += counts[k]
    total = np.uint32(0)
    for k in range(len(counts)):
        total += counts[k]
        counts[k] = total
    share = (area - kept) // bins
    rest = (area - kept) % bins
    # the first `rest` bins at a distance of `step` get one more
    step = np.float32(max(bins // max(rest, 1), 1))
    scale = np.float32(bins - 1) / np.float32(area)
    highest = np.float32(bins - 1)
    written = table[lowest : lowest + len(counts)]
    for k in range(len(counts)):
        level = np.int32(lowest + k)
        # a float32 quotient of integers below 2^16 is rounded down rightly
        more = min(np.int32(np.float32(level) / step) + np.int32(1), np.int32(rest))
        total = np.uint32(counts[k] + share * (level + 1) + more)
        written[k] = np.int32(min(np.rint(np.float32(total) * scale), highest))


@compiled
def fit_windows(
    planes: Grey,
    members: Indices,
    starts: Indices,
    threshold: float,
    lowest: int,
    highest: int,
    rows: Indices,
    columns: Indices,
    first: int,
    last: int,
    tables: Grey,
) -> None:
    """Write the tables of some windows, each from all planes of its group.

    Args:
        planes: (P, H, W), all levels from `lowest` to `highest`.
        members: numbers of planes, those of a group together.
        starts: where in `members` each group begins, and the end of the last.
        threshold: contrast threshold.
        lowest: the entries of the tables from here to `highest` are written.
        highest: as said.
        rows: for each row of the padded image, the row that it mirrors.
        columns: the same for columns.
        first: windows are numbered by group, then along rows.
        last: one past the last window.
        tables: (groups, windows_h, windows_w, 2^bits), to be filled.
    """
    high, wide = tables.shape[1], tables.shape[2]
    height, width, bins = len(rows) // high, len(columns) // wide, highest - lowest + 1
    for window in range(first, last):
        group, i, j = window // (high * wide), window // wide % high, window % wide
        frames = members[starts[group] : starts[group + 1]]
        area = len(frames) * height * width
        counts = np.zeros((4 if area >= 16 * bins else 1, bins), np.uint32)
        for f in frames:
            _count(
                planes[f], i * height, (i + 1) * height, j * width, (j + 1) * width, rows, columns,
                lowest, counts,
            )  # fmt: skip
        for lane in range(1, len(counts)):
            for k in range(bins):
                counts[0, k] += counts[lane, k]
        _equalise(counts[0], area, threshold, lowest, tables[group, i, j])


@compiled
def fit_valid_windows(
    planes: Grey,
    valid: NDArray[np.bool_],
    members: Indices,
    starts: Indices,
    threshold: float,
    rows: Indices,
    columns: Indices,
    first: int,
    last: int,
    tables: Grey,
    counted: NDArray[np.int64],
) -> None:
    """Do the same with the pixels that are valid; `counted` tells how many each window has."""
    high, wide, bins = tables.shape[1], tables.shape[2], tables.shape[3]
    height, width = len(rows) // high, len(columns) // wide
    for window in range(first, last):
        group, i, j = window // (high * wide), window // wide % high, window % wide
        counts, area = np.zeros(bins, np.uint32), 0
        for f in members[starts[group] : starts[group + 1]]:
            for y in rows[i * height : (i + 1) * height]:
                for x in columns[j * width : (j + 1) * width]:
                    counts[planes[f, y, x]] += valid[f, y, x]
                    area += valid[f, y, x]
        counted[group, i, j] = area
        if area:
            _equalise(counts, area, threshold, 0, tables[group, i, j])


@compiled
def _pack(tables: Grey, band: int, lowest: int, packed: NDArray[Any]) -> None:
    """For one band of rows and each span of columns, put four windows' look-ups into one word."""
    word = packed.dtype.type
    bits = word(np.iinfo(tables.dtype).bits)
    up, down = tables[max(band - 1, 0)], tables[min(band, tables.shape[0] - 1)]
    for span in range(tables.shape[1] + 1):
        left, right = max(span - 1, 0), min(span, tables.shape[1] - 1)
        a, b = up[left, lowest:], up[right, lowest:]
        c, d = down[left, lowest:], down[right, lowest:]
        words = packed[span]
        for k in range(len(words)):
            high = word(d[k]) << bits | word(c[k])
            words[k] = (high << bits | word(b[k])) << bits | word(a[k])


@compiled
def _gather(row: Grey, tables: Grey, band: int, spans: Indices, words: NDArray[Any]) -> None:
    """Put the four look-ups of each pixel of a row into a word, without packing tables first."""
    word = words.dtype.type
    bits = word(np.iinfo(tables.dtype).bits)
    up, down = tables[max(band - 1, 0)], tables[min(band, tables.shape[0] - 1)]
    for span in range(tables.shape[1] + 1):
        left, right = max(span - 1, 0), min(span, tables.shape[1] - 1)
        a, b, c, d = up[left], up[right], down[left], down[right]
        for x in range(spans[span], spans[span + 1]):
            level = np.uint64(row[x])
            high = word(d[level]) << bits | word(c[level])
            words[x] = (high << bits | word(b[level])) << bits | word(a[level])


@compiled
def _blend(words: NDArray[Any], beside: Weights, below: np.float32, out: Grey) -> None:
    """Interpolate between the four look-ups that each word holds."""
    word = words.dtype.type
    bits = word(np.iinfo(out.dtype).bits)
    mask = word(np.iinfo(out.dtype).max)
    one = np.float32(1)
    above = one - below
    for x in range(np.uint64(len(out))):
        value, a = words[x], beside[x]
        p = np.float32(np.int32(value & mask))
        q = np.float32(np.int32(value >> bits & mask))
        r = np.float32(np.int32(value >> (bits + bits) & mask))
        s = np.float32(np.int32(value >> (bits + bits + bits)))
        upper = p * (one - a) + q * a
        lower = r * (one - a) + s * a
        out[x] = np.int32(np.rint(upper * above + lower * below))


@compiled
def apply_rows(
    planes: Grey,
    tables: Grey,
    members: Indices,
    owners: Numbers,
    lowest: int,
    highest: int,
    bands: Numbers,
    below: Weights,
    spans: Indices,
    beside: Weights,
    first: int,
    last: int,
    word: NDArray[Any],
    out: Grey,
) -> None:
    """Write some rows of an image, each pixel interpolated between four windows' look-ups.

    Args:
        planes: (P, H, W), all levels from `lowest` to `highest`.
        tables: (groups, windows_h, windows_w, 2^bits).
        members: numbers of the planes to write.
        owners: for each of them the number of its group.
        lowest: as said.
        highest: as said.
        bands: for each row the number of the window above whose centre it lies, 0 to windows_h.
        below: for each row the weight of its lower neighbours.
        spans: where each span of columns between the same two windows begins, and W.
        beside: for each column the weight of its right neighbours.
        first: row k * H + y is row y of plane members[k].
        last: one past the last row.
        word: empty; its dtype holds four levels.
        out: (P, H, W), to be filled.
    """
    height, width = planes.shape[1], planes.shape[2]
    low = np.uint64(lowest)
    levels = highest - lowest + 1
    # one look-up of four levels for a pixel pays, unless packing is more work than the pixels
    worth = (tables.shape[1] + 1) * (tables.shape[2] + 1) * levels <= 2 * height * width
    packed = np.empty((tables.shape[2] + 1, levels if worth else 0), word.dtype)
    words = np.empty(width, word.dtype)
    group, band = -1, -1
    for number in range(first, last):
        k, y = number // height, number % height
        row, above = planes[members[k], y], bands[y]
        if not worth:
            _gather(row, tables[owners[k]], above, spans, words)
        else:
            if owners[k] != group or above != band:
                group, band = owners[k], above
                _pack(tables[group], band, lowest, packed)
            for span in range(len(packed)):
                found = packed[span]
                for x in range(spans[span], spans[span + 1]):
                    words[x] = found[np.uint64(row[x]) - low]
        _blend(words, beside, below[y], out[members[k], y])


@compiled
def bin_values(
    values: Values, low: Any, span: Any, highest: Any, least: Any, most: Any, out: Grey
) -> bool:
    """Write the levels of floats; return whether all lie in `least` to `most` (NaN doesn't)."""
    inside = True
    number = values.dtype.type
    zero, one = number(0), number(1)
    for k in range(np.uint64(len(values))):
        inside &= (values[k] >= least) & (values[k] <= most)
        share = min(max((values[k] - low) / span, zero), one)
        out[k] = np.int32(np.rint(share * highest))
    return inside


@compiled
def spread_levels(levels: Grey, low: Any, span: Any, highest: Any, top: Any, out: Values) -> None:
    """Write the floats that levels stand for."""
    number = out.dtype.type
    for k in range(np.uint64(len(levels))):
        out[k] = min(max(low + number(levels[k]) / highest * span, low), top)
