"""What every format's decoder is told and gives back."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...errors import UnreadableImageError
from ..limits import DEFAULT_LIMITS, Limits

FloatImage = NDArray[np.float32]
_Level = TypeVar("_Level", np.float32, np.bool_)

_BAND = 64  # rows looked up at a time

# Luminance of ITU-R BT.601, as Pillow's mode "L" has it
_LUMINANCE = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Options:
    """How to decode: the options of `RadiographReader`."""

    voi: str = "window"
    grey: bool = False
    limits: Limits = field(default=DEFAULT_LIMITS)


@dataclass(frozen=True)
class Decoded:
    """One upright grey image in [0, 1], bone bright, and what is known of its numbers.

    Attributes:
        pixels: (H, W) float32 in [0, 1].
        bits: the number of grey levels is at most 2**bits.
        value_range: the modality units that 0 and 1 stand for.
        spacing: mm between rows, mm between columns.
        spacing_source: which field of the file gave it, or "none".
        photometric: how the file stored grey: MONOCHROME1, MONOCHROME2, or a colour space.
        patient: SHA-256 of the patient's ID; stays inside `medaug.data`.
        valid: (H, W), False in padding and behind a display shutter, which are 0 in `pixels`;
            None where all is valid.
    """

    pixels: FloatImage
    bits: int
    value_range: tuple[float, float]
    spacing: tuple[float, float] = (1.0, 1.0)
    spacing_source: str = "none"
    photometric: str = "MONOCHROME2"
    patient: str | None = None
    valid: NDArray[np.bool_] | None = None


def source_id(pixels: FloatImage) -> str:
    """SHA-256 (hex) of the decoded pixels: the shape in ASCII, then little-endian float32 bytes.

    It is the same for one image in two formats, and says nothing of the file or the patient.
    """
    digest = hashlib.sha256("x".join(map(str, pixels.shape)).encode("ascii"))
    digest.update(np.ascontiguousarray(pixels, dtype="<f4").data)
    return digest.hexdigest()


def scale_levels(stored: NDArray[np.generic], low: int, high: int) -> FloatImage:
    """Integers in [low, high] to float32 in [0, 1], each level rounded once, from float64."""
    levels = np.arange(high - low + 1, dtype=np.float64) / (high - low)
    return look_up(levels.astype(np.float32), stored, low)


def look_up(levels: NDArray[_Level], stored: NDArray[np.generic], first: int) -> NDArray[_Level]:
    """``levels[stored - first]``, by bands of rows: an index takes eight bytes for each pixel."""
    pixels = np.empty(stored.shape, dtype=levels.dtype)
    for row in range(0, len(stored), _BAND):
        band = stored[row : row + _BAND].astype(np.intp)
        np.take(levels, band - first, out=pixels[row : row + _BAND], mode="raise")
    return pixels


@dataclass(frozen=True)
class GreyLevels:
    """Integers scaled to [0, 1]: `bits` and `value_range` as in `Decoded`."""

    pixels: FloatImage
    bits: int
    value_range: tuple[float, float]


def grey_integers(values: NDArray[np.generic], dtype: np.dtype[np.generic]) -> GreyLevels:
    """Scale whole numbers of a file that doesn't say how many bits they have.

    8-bit data have 8 bits; for wider ones `bits` is the smallest number, from 8 to 16, that holds
    them all.

    Args:
        values: at most 16 bits each; floats without fractions are taken too.
        dtype: what the file stored them as.
    """
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind == "f" and not (
        math.isfinite(low + high) and np.array_equal(values, np.rint(values))
    ):
        raise UnreadableImageError(
            "pixels must be whole numbers, since grey levels are counted, got fractions, NaN or "
            "infinity; save them as integers"
        )
    if low < -(2**15) or high >= 2**16:
        raise UnreadableImageError(
            f"pixels must fit into 16 bits, got {values.min()} to {values.max()}"
        )
    first, bits = fit_bits(int(low), int(high)) if dtype != np.uint8 else (0, 8)
    last = first + 2**bits - 1
    return GreyLevels(scale_levels(values, first, last), bits, (float(first), float(last)))


def fit_bits(low: int, high: int) -> tuple[int, int]:
    """The value that is black, and the bits from there on."""
    if low >= 0:
        return 0, max(8, high.bit_length())
    bits = max(8, 1 + (-low - 1).bit_length(), 1 + max(high, 0).bit_length())
    if bits > 16:
        raise UnreadableImageError(f"pixels must fit into 16 bits, got {low} to {high}")
    return -(2 ** (bits - 1)), bits


def to_grey(channels: Sequence[NDArray[Any]], *, allowed: bool, what: str) -> NDArray[Any]:
    """Turn colour to grey: as it is where all channels agree, else by luminance.

    Args:
        channels: red, green, blue, each (H, W) integers.
        allowed: whether true colour may be turned to grey.
        what: names the kind of image in the error.
    """
    first = channels[0]
    if all(np.array_equal(first, channel) for channel in channels[1:]):
        return first
    if not allowed:
        raise UnreadableImageError(
            f"the image must be grey, got {what}; grey=True takes its luminance"
        )
    grey = np.empty_like(first)
    for row in range(0, len(first), _BAND):  # by bands: float64 takes eight bytes for each
        band = slice(row, row + _BAND)
        mixed = sum(w * channel[band] for w, channel in zip(_LUMINANCE, channels, strict=True))
        grey[band] = np.rint(mixed)
    return grey
