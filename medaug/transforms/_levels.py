"""From the values of an image to the grey levels that a histogram counts, and back."""

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ._checks import MAX_BITS
from ._kernels import Grey, bin_values, spread_levels
from ._pool import split


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

    def bin(
        self, pixels: NDArray[Any], valid: NDArray[np.bool_] | None
    ) -> tuple[Grey, tuple[int, int]]:
        """Return the pixels as uint8 or uint16 levels, and the lowest and highest that may occur.

        Pixels that aren't valid come out as any level.

        Raises:
            UserError: a valid pixel is NaN, infinite or out of range.
        """
        dtype = np.dtype(np.uint8 if self.bits <= 8 else np.uint16)
        if self.value_range is None and pixels.dtype == dtype and self.bits == 8 * dtype.itemsize:
            # every value is a level
            return pixels, (0, self.highest) if self.bits == 8 else _ends(pixels)
        if valid is not None:
            filler = 0 if self.value_range is None else self.value_range[0]
            pixels = np.where(valid, pixels, np.asarray(filler, pixels.dtype))
        if self.value_range is None:
            span = _ends(pixels)
            if span[0] < 0 or span[1] > self.highest:
                self._refuse(pixels, (0, self.highest), f"bits={self.bits}")
            return pixels.astype(dtype, copy=False), span
        return self._bin_floats(pixels, self.value_range, dtype), (0, self.highest)

    def _bin_floats(
        self, pixels: NDArray[Any], value_range: tuple[float, float], dtype: np.dtype[Any]
    ) -> Grey:
        low, high = value_range
        # Resampling leaves values a few units in the last place outside; they count as the end.
        slack = 4 * float(np.finfo(pixels.dtype).eps) * max(abs(low), abs(high))
        number = _working(pixels.dtype).type
        values = np.ascontiguousarray(pixels, number).reshape(-1)
        grey: Grey = np.empty(values.size, dtype)
        scale = number(low), number(high - low), number(self.highest)
        ends = number(low - slack), number(high + slack)
        inside: list[bool] = []

        def work(first: int, last: int) -> None:
            part = slice(first, last)
            inside.append(bin_values(values[part], *scale, *ends, grey[part]))

        split(work, values.size, values.size)
        if not all(inside):
            self._refuse(pixels, value_range, f"value_range=({low:g}, {high:g})")
        return grey.reshape(pixels.shape)

    def _refuse(self, pixels: NDArray[Any], allowed: tuple[float, float], source: str) -> NoReturn:
        if not np.isfinite(pixels).all():
            count = int((~np.isfinite(pixels)).sum())
            raise UserError(f"image must hold finite values, got NaN or infinity in {count} pixels")
        raise UserError(
            f"image must lie in {allowed[0]:g} to {allowed[1]:g} ({source}), got values from "
            f"{pixels.min():g} to {pixels.max():g}"
        )

    def values(self, levels: Grey, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return levels as an image of the given dtype."""
        if self.value_range is None:
            return levels.astype(dtype, copy=False)
        low, high = self.value_range
        number = _working(dtype).type
        flat, values = levels.reshape(-1), np.empty(levels.size, number)
        scale = number(low), number(high - low), number(self.highest), number(high)

        def work(first: int, last: int) -> None:
            spread_levels(flat[first:last], *scale, values[first:last])

        split(work, values.size, values.size)
        return values.reshape(levels.shape).astype(dtype, copy=False)


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


def _ends(pixels: NDArray[Any]) -> tuple[int, int]:
    return int(pixels.min()), int(pixels.max())
