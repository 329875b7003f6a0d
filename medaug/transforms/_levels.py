"""From the values of an image to the grey levels that a histogram counts, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ._checks import MAX_BITS


@dataclass(frozen=True)
class Levels:
    """The grey levels 0 to 2^bits - 1, and the values that the ends stand for.

    Attributes:
        bits: 1 to 16.
        value_range: of a float image; None for integers, which are levels themselves.
    """

    bits: int
    value_range: tuple[float, float] | None

    @property
    def highest(self) -> int:
        """The highest level."""
        return int(2**self.bits - 1)

    def bin(self, pixels: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[Any]:
        """Return the pixels as uint8 or uint16 levels; those that aren't valid come out as 0.

        Raises:
            UserError: a valid pixel is NaN, infinite or out of range.
        """
        if valid is not None:
            filler = 0 if self.value_range is None else self.value_range[0]
            pixels = np.where(valid, pixels, np.asarray(filler, pixels.dtype))
        dtype = np.uint8 if self.bits <= 8 else np.uint16
        if self.value_range is None:
            _check_values(pixels, 0, self.highest, f"bits={self.bits}")
            return pixels.astype(dtype, copy=False)
        low, high = self.value_range
        _check_values(pixels, low, high, f"value_range=({low:g}, {high:g})")
        share = (pixels.astype(_working(pixels.dtype), copy=False) - low) / (high - low)
        grey: NDArray[Any] = np.rint(np.clip(share, 0, 1) * self.highest).astype(dtype)
        return grey

    def values(self, levels: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return levels as an image of the given dtype."""
        if self.value_range is None:
            return levels.astype(dtype, copy=False)
        low, high = self.value_range
        share = levels.astype(_working(dtype)) / self.highest
        return np.clip(low + share * (high - low), low, high).astype(dtype)


def choose_levels(
    dtype: np.dtype[Any], bits: int | None, value_range: tuple[float, float] | None
) -> Levels:
    """Return the levels of an image of that dtype; the dtype itself says them for uint8, uint16.

    Raises:
        TypeError: the dtype is neither integer nor float.
        UserError: `bits` is needed and missing, or more than the dtype holds.
    """
    if dtype.kind == "f":
        if bits is None:
            raise UserError(
                "bits must be given for a float image (its values had 2^bits grey levels: 8 for "
                "8-bit files, 12 for most radiographs), got None"
            )
        return Levels(bits, value_range or (0.0, 1.0))
    if dtype.kind not in "ui":
        raise TypeError(f"image must be of an integer or float dtype, got {dtype}")
    if value_range is not None:
        raise UserError(
            f"value_range must be None for an image of {dtype} (its values are the levels), "
            f"got {value_range}"
        )
    return Levels(_integer_bits(dtype, bits), None)


def capacity(dtype: np.dtype[Any]) -> int:
    """Return how many bits of levels from 0 up an integer dtype holds, 16 at most."""
    return min(MAX_BITS, 8 * dtype.itemsize - (dtype.kind == "i"))


def _integer_bits(dtype: np.dtype[Any], bits: int | None) -> int:
    if bits is None and not (dtype.kind == "u" and dtype.itemsize <= 2):
        raise UserError(f"bits must be given for an image of {dtype}, got None")
    if bits is not None and bits > capacity(dtype):
        raise UserError(f"bits must be 1 to {capacity(dtype)} for an image of {dtype}, got {bits}")
    return bits or capacity(dtype)


def _working(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the precision to compute in: float16 would be too coarse for 12 bits."""
    return np.promote_types(dtype, np.float32)


def _check_values(pixels: NDArray[Any], low: float, high: float, source: str) -> None:
    with np.errstate(invalid="ignore"):
        lowest, highest = pixels.min(), pixels.max()
    # Resampling leaves values a few units in the last place outside; they count as the end.
    slack = 0.0
    if pixels.dtype.kind == "f":
        slack = 4 * float(np.finfo(pixels.dtype).eps) * max(abs(low), abs(high))
    if low - slack <= float(lowest) and float(highest) <= high + slack:
        return
    if not np.isfinite(pixels).all():
        count = int((~np.isfinite(pixels)).sum())
        raise UserError(f"image must hold finite values, got NaN or infinity in {count} pixels")
    raise UserError(
        f"image must lie in {low:g} to {high:g} ({source}), got values from {lowest:g} to "
        f"{highest:g}"
    )
