"""What `aiin` and the transforms over it take as parameters; anything else is a `UserError`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TypeGuard

from ..errors import UserError

MAX_BITS = 16
MAX_WINDOWS = 1024
MAX_VALUE = 1e30  # so that differences fit into float32


@dataclass(frozen=True)
class Settings:
    """The parameters of AIIN, checked; `aiin` says what they mean."""

    windows: tuple[int, int]
    threshold: float
    bits: int | None
    value_range: tuple[float, float] | None
    pool_frames: bool
    frame_axis: int


def check_settings(
    windows: object,
    threshold: object,
    bits: object,
    value_range: object,
    pool_frames: object,
    frame_axis: object,
) -> Settings:
    """Check all parameters that don't depend on an image."""
    if not _is_integer(frame_axis):
        raise UserError(f"frame_axis must be an integer, got {frame_axis!r}")
    return Settings(
        check_windows(windows),
        check_threshold(threshold),
        check_bits(bits),
        check_value_range(value_range),
        bool(pool_frames),
        int(frame_axis),
    )


def check_offset(offset: object) -> tuple[int, int]:
    """Return the row and the column of a patch's first pixel."""
    given = tuple(offset) if isinstance(offset, Iterable) else ()
    if len(given) != 2 or not all(_is_integer(n) for n in given):
        raise UserError(f"offset must be two integers, got {offset!r}")
    return int(given[0]), int(given[1])


def check_windows(windows: object) -> tuple[int, int]:
    """Return the numbers of windows along (H, W)."""
    given = tuple(windows) if isinstance(windows, Iterable) else ()
    if len(given) != 2 or not all(_is_integer(n) and 1 <= n <= MAX_WINDOWS for n in given):
        raise UserError(
            f"windows must be two integers from 1 to {MAX_WINDOWS}, the numbers of windows along "
            f"H and W, got {windows!r}"
        )
    return int(given[0]), int(given[1])


def check_threshold(threshold: object) -> float:
    """Return the contrast threshold as a float above 0."""
    if not _is_number(threshold) or not threshold > 0:
        raise UserError(
            f"contrast_threshold must be a finite number above 0, got {threshold!r} (levels or "
            "more means no limit)"
        )
    return float(threshold)


def check_bits(bits: object) -> int | None:
    """Return the number of bits, or None where it was left open."""
    if bits is not None and not (_is_integer(bits) and 1 <= bits <= MAX_BITS):
        raise UserError(f"bits must be an integer from 1 to {MAX_BITS}, got {bits!r}")
    return None if bits is None else int(bits)


def check_value_range(value_range: object) -> tuple[float, float] | None:
    """Return the values that the lowest and the highest level stand for, or None."""
    if value_range is None:
        return None
    given = tuple(value_range) if isinstance(value_range, Iterable) else ()
    bounded = len(given) == 2 and all(_is_number(v) and abs(v) <= MAX_VALUE for v in given)
    if not bounded or not given[0] < given[1]:
        raise UserError(
            f"value_range must be two numbers within +-{MAX_VALUE:g}, low below high, "
            f"got {value_range!r}"
        )
    return float(given[0]), float(given[1])


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
