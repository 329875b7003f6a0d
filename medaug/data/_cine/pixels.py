"""Stored frames of a cine, and how they become levels in [0, 1]."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import UnreadableImageError
from .._formats.pixels import FloatImage, fit_bits, look_up

Stored = NDArray[np.generic]


@dataclass(frozen=True)
class Modality:
    """From stored values to modality units, and which of the two ends is shown bright.

    Attributes:
        slope: modality units for each step of a stored value; not 0.
        intercept: modality units of the stored value 0.
        inverted: the lowest modality value is shown bright (MONOCHROME1).
        padding: the stored values, first to last, that are no image; None if all are.
    """

    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False
    padding: tuple[int, int] | None = None


@dataclass(frozen=True)
class StoredCine:
    """All frames of a file or series, upright, as stored integers.

    Attributes:
        frames: (H, W) integers of one size, [slice][phase], along the normal and by time.
        modality: what the integers mean.
        spacing: mm between rows, mm between columns.
        spacing_source: which field gave it, or "none".
        photometric: MONOCHROME1 or MONOCHROME2.
        positions: mm along the normal, one for each slice; empty if unknown.
        order: what the phases are in order of: an element's keyword, or "stored".
        times: ms from the first phase, [slice][phase]; empty if unknown.
        times_source: which field gave them, or "none".
    """

    frames: list[list[Stored]]
    modality: Modality
    spacing: tuple[float, float]
    spacing_source: str
    photometric: str
    positions: list[float]
    order: str
    times: list[list[float]]
    times_source: str


@dataclass(frozen=True)
class Levels:
    """A cine's grey levels: see `fit_levels`."""

    first: int
    bits: int
    table: FloatImage
    value_range: tuple[float, float]


def fit_levels(cine: StoredCine) -> Levels:
    """The levels in [0, 1] of a cine's stored values, the same for all its slices and phases.

    `bits` is the smallest number from 8 to 16 that holds every stored value but padding, from 0
    on, or, where some are negative, with a sign. (MR has no fixed scale: Bits Stored is mostly
    16, of which a cine uses 8 to 12, and histograms of 65,536 levels would equalise nothing.)
    """
    low, high = _ends(cine)
    first, bits = fit_bits(low, high)
    last, modality = first + 2**bits - 1, cine.modality
    table = np.arange(2**bits, dtype=np.float64) / (2**bits - 1)
    if (modality.slope < 0) != modality.inverted:
        table = 1 - table
    ends = sorted(modality.slope * end + modality.intercept for end in (first, last))
    if not np.isfinite(ends).all() or ends[0] == ends[1]:
        raise UnreadableImageError(f"modality values must be finite and differ, got {ends}")
    value_range = (ends[1], ends[0]) if modality.inverted else (ends[0], ends[1])
    return Levels(first, bits, table.astype(np.float32), value_range)


def _ends(cine: StoredCine) -> tuple[int, int]:
    """The lowest and the highest stored value that isn't padding; 0, 0 where all are."""
    found: list[tuple[int, int]] = []
    for frame in (frame for phases in cine.frames for frame in phases):
        padded = _padded(frame, cine.modality)
        valid = frame if padded is None else frame[~padded]
        if valid.size:
            found.append((int(valid.min()), int(valid.max())))
    if not found:
        return 0, 0
    return min(low for low, _ in found), max(high for _, high in found)


def _padded(frame: Stored, modality: Modality) -> NDArray[np.bool_] | None:
    if modality.padding is None:
        return None
    low, high = modality.padding
    padded = np.logical_and(np.greater_equal(frame, low), np.less_equal(frame, high))
    return padded if padded.any() else None


def scale(cine: StoredCine, levels: Levels, chosen: list[int]) -> FloatImage:
    """(C, T, H, W) float32 in [0, 1] of the chosen slices; padding is 0."""
    rows, columns = cine.frames[0][0].shape
    pixels = np.empty((len(chosen), len(cine.frames[0]), rows, columns), dtype=np.float32)
    for channel, number in enumerate(chosen):
        for phase, frame in enumerate(cine.frames[number]):
            padded = _padded(frame, cine.modality)
            if padded is not None:
                frame = np.where(padded, levels.first, frame)
            pixels[channel, phase] = look_up(levels.table, frame, levels.first)
            if padded is not None:
                pixels[channel, phase][padded] = 0
    return pixels
