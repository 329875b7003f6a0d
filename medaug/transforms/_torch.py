"""AIIN in torch operations: on any device, scriptable, exportable, the compiled kernels' numbers.

Each float32 operation is rounded by itself, as in OpenCV's ``clahe.cpp`` on x86-64: multiplication
and addition are separate operations (no ``lerp`` or ``addcmul``, which fuse), and no tensor is
divided by a Python number, which CUDA would replace by a multiplication with the reciprocal.
What is counted and summed are integers, whose order doesn't matter.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ._geometry import padding_of, window_shape_of
from ._levels import Levels

# torch.jit doesn't list it among its own for type checkers, though its manual does.
is_tracing: Callable[[], bool] = torch.jit.is_tracing  # type: ignore[attr-defined]

CHUNK = 2**18  # pixels interpolated at a time on a CPU: few for its cache, many for a call
LEAST_WINDOW = 2**12  # pixels from which on a CPU counts faster window by window than all at once


def normalise(
    image: Tensor,
    windows: tuple[int, int],
    threshold: float,
    bits: int,
    value_range: tuple[float, float] | None = None,
    mask: Tensor | None = None,
    pool_frames: bool = False,
    frame_axis: int = -3,
) -> Tensor:
    """Do as `aiin` does, without its checks and without metadata.

    Args:
        image: (..., H, W), integer levels or floats; a plain tensor. Values outside the levels or
            `value_range` count as the nearest end, NaN as the lowest level.
        windows: number of windows along (H, W).
        threshold: contrast threshold; any number above 0.
        bits: the image has the levels 0 to 2^bits - 1, which an integer dtype must hold.
        value_range: the floats of the lowest and the highest level; None is (0, 1).
        mask: True or non-zero where a pixel is valid; on the image's device, its shape broadcasts
            to the image's.
        pool_frames: make one set of look-ups along `frame_axis`, for each of the other leading
            axes separately.
        frame_axis: any axis but the last two.

    Returns:
        A new tensor of the image's dtype, shape and device; no gradient flows through it.
    """
    plain = image.detach()
    valid = None if mask is None else (mask != 0).expand(plain.shape)
    if pool_frames:
        plain = plain.movedim(frame_axis, -3)
        valid = None if valid is None else valid.movedim(frame_axis, -3)
    frames = plain.shape[-3] if pool_frames else 1
    grouped = [-1, frames, plain.shape[-2], plain.shape[-1]]

    levels = to_levels(plain, bits, value_range).reshape(grouped)
    counted = None if valid is None else valid.reshape(grouped)
    equal = apply(levels, fit(levels, counted, windows, threshold, bits))
    result = from_levels(equal.reshape(plain.shape), plain, bits, value_range)
    if valid is not None:
        result = torch.where(valid, result, plain)
    return result.movedim(-3, frame_axis) if pool_frames else result


def check_values(
    image: Tensor, bits: int, value_range: tuple[float, float] | None, mask: Tensor | None
) -> None:
    """Refuse what `aiin` refuses, with its words, but look on the image's device; not scriptable.

    Args:
        image: as in `normalise`.
        bits: as there.
        value_range: the floats of the lowest and the highest level; None for integers.
        mask: as in `normalise`.

    Raises:
        UserError: a valid pixel is NaN, infinite, or outside the levels or `value_range`.
    """
    low, high = (0.0, float((1 << bits) - 1)) if value_range is None else value_range
    if image.dtype in (torch.bfloat16, torch.uint16):  # one has no NumPy type, one few operations
        image = image.to(torch.float32 if image.is_floating_point() else torch.int32)
    values = image.to(torch.float32) if image.dtype == torch.float16 else image
    inside = (values >= low) & (values <= high)
    valid = None if mask is None else (mask != 0).expand(image.shape)
    if valid is not None:
        inside |= ~valid
    if not bool(inside.all()):
        # Either it raises, or the values are out of range by no more than a rounding.
        known = None if valid is None else valid.numpy(force=True)
        Levels(bits, value_range).bin(image.numpy(force=True), known)


def fit(
    levels: Tensor, valid: Tensor | None, windows: tuple[int, int], threshold: float, bits: int
) -> Tensor:
    """Make one look-up table a window, for each group from the pixels of all its frames.

    Args:
        levels: (G, F, H, W), integers below 2^bits.
        valid: bool of the same shape, True where a pixel counts; None counts them all.
        windows: number of windows along (H, W).
        threshold: contrast threshold, in multiples of an even histogram's height.
        bits: the levels are 0 to 2^bits - 1.

    Returns:
        Tables (G, windows_h, windows_w, 2^bits) of whole numbers as float32.
    """
    height, width = levels.shape[-2], levels.shape[-1]
    bottom, right = padding_of(height, width, windows)
    padded = _pad(levels, bottom, right)
    counts = _count(padded, None if valid is None else _pad(valid, bottom, right), windows, bits)
    # In parts of 2^20 bins, since each takes some ten times its own memory.
    parts = counts.split(max((1 << 20) >> bits, 1), dim=1)
    tables = torch.cat([_equalise(part, threshold) for part in parts], dim=1)
    if valid is not None:
        tables = _borrow(
            tables, counts.sum(dim=-1) > 0, windows, window_shape_of(height, width, windows)
        )
    return tables.reshape(-1, windows[0], windows[1], 1 << bits)


def apply(levels: Tensor, tables: Tensor) -> Tensor:
    """Replace each level by its four nearest windows' look-ups, interpolated.

    Args:
        levels: (G, F, H, W), integers below 2^bits.
        tables: of `fit`, (G, windows_h, windows_w, 2^bits).

    Returns:
        Levels of the same shape and dtype.
    """
    if _loops_pay(levels):
        return _apply_in_chunks(levels, tables)
    return _apply_at_once(levels, tables)


def to_levels(image: Tensor, bits: int, value_range: tuple[float, float] | None) -> Tensor:
    """Return the levels 0 to 2^bits - 1 of an image, as uint8 or int32."""
    highest = (1 << bits) - 1
    if image.is_floating_point():
        low, high = (0.0, 1.0) if value_range is None else value_range
        exact = image if image.dtype == torch.float64 else image.to(torch.float32)
        share = (exact - low) / torch.full((), high - low, dtype=exact.dtype, device=exact.device)
        share = torch.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0).clamp(0.0, 1.0)
        return (share * highest).round().to(torch.int32)
    if image.dtype == torch.uint8:
        return image if bits >= 8 else image.clamp(max=highest)
    # Few operations take uint16; wider types may hold what int32 doesn't.
    small = image.dtype in (torch.int8, torch.int16, torch.uint16)
    return image.to(torch.int32 if small else torch.int64).clamp(0, highest).to(torch.int32)


def from_levels(
    levels: Tensor, image: Tensor, bits: int, value_range: tuple[float, float] | None
) -> Tensor:
    """Return levels as values of the dtype that the image has."""
    if not image.is_floating_point():
        return levels.to(image.dtype)
    low, high = (0.0, 1.0) if value_range is None else value_range
    exact = torch.float64 if image.dtype == torch.float64 else torch.float32
    highest = torch.full((), (1 << bits) - 1, dtype=exact, device=levels.device)
    share = levels.to(exact) / highest
    return (share * (high - low) + low).clamp(low, high).to(image.dtype)


def _pad(levels: Tensor, bottom: int, right: int) -> Tensor:
    """Pad the last two axes, mirrored about the last pixel."""
    if bottom > 0 or right > 0:
        rows = _mirrored(levels.shape[-2], bottom, levels.device)
        columns = _mirrored(levels.shape[-1], right, levels.device)
        levels = levels.index_select(-2, rows).index_select(-1, columns)
    return levels


def _mirrored(size: int, extra: int, device: torch.device) -> Tensor:
    """Return the indices 0 to size - 1 and `extra` more, which bounce at both ends."""
    period = max(2 * (size - 1), 1)
    there = torch.arange(size + extra, device=device) % period
    return torch.minimum(there, period - there) if size > 1 else there


def _loops_pay(levels: Tensor) -> bool:
    """Tell whether to go through an image in parts: on a CPU, but not where a graph is recorded."""
    if is_tracing() or torch.compiler.is_compiling():
        return False
    return levels.device.type == "cpu"


def _count(padded: Tensor, valid: Tensor | None, windows: tuple[int, int], bits: int) -> Tensor:
    """Return the windows' histograms, (G, windows, 2^bits) int64."""
    if valid is None and _loops_pay(padded):
        return _count_by_window(padded, windows, bits)
    return _count_at_once(padded, valid, windows, bits)


def _count_by_window(
    padded: Tensor, windows: tuple[int, int], bits: int, least: int = LEAST_WINDOW
) -> Tensor:
    groups, frames, height, width = padded.shape
    high, wide = height // windows[0], width // windows[1]
    if frames * high * wide < least:
        return _count_at_once(padded, None, windows, bits)
    tiles = padded.reshape(groups, frames, windows[0], high, windows[1], wide)
    rows = tiles.permute(0, 2, 4, 1, 3, 5).reshape(-1, frames * high * wide)
    counts = [torch.bincount(row, minlength=1 << bits) for row in rows.unbind()]
    return torch.stack(counts).reshape(groups, -1, 1 << bits)


def _count_at_once(
    padded: Tensor, valid: Tensor | None, windows: tuple[int, int], bits: int
) -> Tensor:
    groups, _, height, width = padded.shape
    device = padded.device
    group = torch.arange(groups, device=device).reshape(-1, 1, 1, 1) * windows[0]
    row = torch.arange(height, device=device).reshape(-1, 1) // (height // windows[0])
    column = torch.arange(width, device=device) // (width // windows[1])
    start = (group + row) * windows[1] << bits
    place = (padded + (column << bits) + start).reshape(-1)
    if valid is None:
        weights = torch.ones(1, dtype=torch.int64, device=device).expand(place.shape)
    else:
        weights = valid.reshape(-1).to(torch.int64)
    entries = groups * windows[0] * windows[1] << bits
    counts = torch.zeros(entries, dtype=torch.int64, device=device)
    return counts.scatter_add_(0, place, weights).reshape(groups, -1, 1 << bits)


def _equalise(counts: Tensor, threshold: float) -> Tensor:
    """Clip histograms, share out what was cut off, and return cumulative sums as look-ups."""
    bins = counts.shape[-1]
    area = counts.sum(dim=-1, keepdim=True)
    exact = area.to(torch.float64)
    # A limit above the area clips nothing either, and fits into an integer.
    limit = torch.minimum(exact * threshold / bins, exact).to(torch.int64).clamp(min=1)
    kept = torch.minimum(counts, limit)
    clipped = area - kept.sum(dim=-1, keepdim=True)
    share = clipped // bins
    rest = clipped - share * bins
    step = torch.full_like(rest, bins) // rest.clamp(min=1)
    level = torch.arange(bins, device=counts.device)
    total = kept.cumsum(dim=-1)
    total += share * (level + 1)
    total += torch.minimum(level // step + 1, rest)  # bins at a distance of `step` get one more
    highest = torch.full((), bins - 1, dtype=torch.float32, device=counts.device)
    scale = highest / area.clamp(min=1).to(torch.float32)
    return (total.to(torch.float32) * scale).round().clamp(max=bins - 1)


def _borrow(
    tables: Tensor, full: Tensor, windows: tuple[int, int], tile: tuple[int, int]
) -> Tensor:
    """Give each window that isn't full the mean table of the nearest ones that are."""
    number = torch.arange(windows[0] * windows[1], device=tables.device)
    top, left = number // windows[1] * tile[0], number % windows[1] * tile[1]
    identity = torch.arange(tables.shape[-1], device=tables.device).to(torch.float32)
    empty: list[list[int]] = torch.nonzero(~full).tolist()
    for group, window in empty:
        usable = torch.nonzero(full[group]).reshape(-1)
        if usable.numel() == 0:
            tables[group, window] = identity
        else:
            distance = (top - top[window]) ** 2 + (left - left[window]) ** 2
            near = distance[usable] == distance[usable].min()
            nearest = tables[group, usable[near]].to(torch.float64)
            count = torch.full((), nearest.shape[0], dtype=torch.float64, device=tables.device)
            tables[group, window] = (nearest.sum(dim=0) / count).round().to(torch.float32)
    return tables


class _Axis(NamedTuple):
    """For each pixel of an axis, the windows before and after it, and the weights of both."""

    before: Tensor
    after: Tensor
    near: Tensor
    far: Tensor


def _axis(size: int, tile: int, windows: int, device: torch.device) -> _Axis:
    one = torch.ones((), dtype=torch.float32, device=device)
    place = torch.arange(size, device=device).to(torch.float32) * (one / (one * tile)) - 0.5
    floor = place.floor()
    before = floor.clamp(min=0).to(torch.int64)
    after = (floor + 1).clamp(max=windows - 1).to(torch.int64)
    far = place - floor
    return _Axis(before, after, 1 - far, far)


def _axes(levels: Tensor, tables: Tensor) -> tuple[_Axis, _Axis]:
    """Return what holds for rows and for columns."""
    height, width = levels.shape[-2], levels.shape[-1]
    tile = window_shape_of(height, width, (tables.shape[1], tables.shape[2]))
    rows = _axis(height, tile[0], tables.shape[1], levels.device)
    return rows, _axis(width, tile[1], tables.shape[2], levels.device)


def _apply_at_once(levels: Tensor, tables: Tensor) -> Tensor:
    groups, high, wide, bins = tables.shape
    rows, columns = _axes(levels, tables)
    group = torch.arange(groups, device=levels.device).reshape(-1, 1, 1, 1) * high
    top = (group + rows.before.reshape(-1, 1)) * (wide * bins)
    bottom = (group + rows.after.reshape(-1, 1)) * (wide * bins)
    left, right = levels + columns.before * bins, levels + columns.after * bins
    flat = tables.reshape(-1)

    upper = (_look_up(flat, left + top) * columns.near).add_(
        _look_up(flat, right + top) * columns.far
    )
    lower = (_look_up(flat, left + bottom) * columns.near).add_(
        _look_up(flat, right + bottom) * columns.far
    )
    mixed = (upper * rows.near.reshape(-1, 1)).add_(lower * rows.far.reshape(-1, 1))
    return mixed.round_().to(torch.int32).to(levels.dtype)


def _look_up(table: Tensor, place: Tensor) -> Tensor:
    return table.index_select(0, place.reshape(-1)).reshape(place.shape)


def _apply_in_chunks(levels: Tensor, tables: Tensor, chunk: int = CHUNK) -> Tensor:
    """Do as `_apply_at_once`, a few rows with the same windows above and below at a time."""
    groups, frames, _, width = levels.shape
    rows, columns = _axes(levels, tables)
    above: list[int] = rows.before.tolist()
    below: list[int] = rows.after.tolist()
    runs = _runs(above, below, max(chunk // width, 1))
    left = (columns.before * tables.shape[3]).to(torch.int32)
    right = (columns.after * tables.shape[3]).to(torch.int32)
    result = torch.empty_like(levels)
    # One memory for all chunks: the pages of new memory cost more than the arithmetic.
    most = max([last - first for first, last in runs])
    places = torch.empty((2, most, width), dtype=torch.int32)
    halves = torch.empty((3, most, width), dtype=torch.float32)

    for first, last in runs:
        before, after = places[:, : last - first].unbind()
        upper, lower, spare = halves[:, : last - first].unbind()
        near, far = rows.near[first:last].reshape(-1, 1), rows.far[first:last].reshape(-1, 1)
        for group in range(groups):
            top = tables[group, above[first]].reshape(-1)
            bottom = tables[group, below[first]].reshape(-1)
            for frame in range(frames):
                after.copy_(levels[group, frame, first:last])
                torch.add(after, left, out=before)
                after.add_(right)
                _mix(upper, spare, top, before, after, columns)
                if above[first] == below[first]:
                    torch.mul(upper, far, out=lower)
                else:
                    _mix(lower, spare, bottom, before, after, columns).mul_(far)
                upper.mul_(near).add_(lower).round_()
                # By way of int32: from float32 straight to uint8 takes four times as long.
                result[group, frame, first:last] = before.copy_(upper)
    return result


def _mix(
    out: Tensor, spare: Tensor, table: Tensor, before: Tensor, after: Tensor, columns: _Axis
) -> Tensor:
    """Interpolate along rows between the look-ups at two places of a table."""
    torch.index_select(table, 0, before.view(-1), out=out.view(-1))
    torch.index_select(table, 0, after.view(-1), out=spare.view(-1))
    return out.mul_(columns.near).add_(spare.mul_(columns.far))


def _runs(above: list[int], below: list[int], most: int) -> list[tuple[int, int]]:
    """Cut rows into runs with the same windows above and below, of at most `most` rows."""
    runs: list[tuple[int, int]] = []
    first = 0
    for row in range(1, len(above)):
        new = above[row] != above[row - 1] or below[row] != below[row - 1]
        if new or row - first == most:
            runs.append((first, row))
            first = row
    runs.append((first, len(above)))
    return runs
