"""Sequences as the page shows them: one size, one range of grey, nothing else that tells."""

import hashlib
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from ...data import CineReader, RadiographReader, cines_in, images_in
from ...errors import ConfigError, DataError

CINES, IMAGES = KINDS = ("cines", "images")
"""What is shown: sequences that play, or stills."""
LARGEST = 256
"""Side in pixels where none is asked for and all have more."""
SMALLEST = 16
ENDS = (0.5, 99.5)
"""Percentiles of a sequence's levels that become black and white."""


class Clip(NamedTuple):
    """A sequence that was read and prepared.

    Attributes:
        frames: (T, size, size) 8-bit levels; T is 1 for a still.
        milliseconds: from frame to frame; None where the file doesn't say.
        source_id: a hash of the pixels as they were read, by which its owner finds it again.
    """

    frames: NDArray[np.uint8]
    milliseconds: float | None
    source_id: str

    def digest(self, seed: int) -> str:
        """A hash of what is shown, and of the seed."""
        head = f"{seed} {self.frames.shape}".encode()
        return hashlib.sha256(head + self.frames.tobytes()).hexdigest()


def draw(folder: Path, count: int, kind: str, *, name: str, seed: int) -> list[Path]:
    """Some of a folder's sequences, by chance.

    Raises:
        DataError: no such folder, or too few in it.
        UnreadableImageError: some of them can't be read.
    """
    found = cines_in if kind == CINES else images_in
    items = found(folder, name=f"{name} (--kind {kind})")
    if len(items) < count:
        raise DataError(
            f"{name} must hold at least {count:,} {kind}, half of --number, got {len(items):,}"
        )
    chosen = np.random.default_rng(seed).permutation(len(items))[:count]
    return [Path(items[index]["image"]) for index in chosen]


def common_size(paths: list[Path], kind: str, wanted: int | None) -> int:
    """The side in pixels that all can be shrunk to, at most `wanted` or `LARGEST`.

    Raises:
        ConfigError: `wanted` is too small, or more than the smallest of them has.
    """
    side = min(int(min(_read(path, kind)[0].shape[1:])) for path in paths)
    if wanted is None:
        return min(side, LARGEST)
    if not SMALLEST <= wanted <= side:
        raise ConfigError(
            f"--image-size must be from {SMALLEST} to {side}, the smallest side of all {kind}, "
            f"got {wanted}"
        )
    return wanted


def clip(path: Path, kind: str, size: int) -> Clip:
    """Read a sequence, cut out the square in its middle, shrink it, and stretch its levels."""
    pixels, milliseconds, source_id = _read(path, kind)
    height, width = pixels.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = torch.from_numpy(pixels[:, None, top : top + side, left : left + side].copy())
    shrunk = F.interpolate(square, (size, size), mode="bilinear", antialias=True)[:, 0]
    return Clip(_levels(shrunk.numpy()), milliseconds, source_id)


def sheet(frames: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """All frames in one picture, in rows of about as many as there are rows; and how many a row."""
    count, height, width = frames.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    padded = np.zeros((rows * columns, height, width), dtype=np.uint8)
    padded[:count] = frames
    grid = padded.reshape(rows, columns, height, width).transpose(0, 2, 1, 3)
    return grid.reshape(rows * height, columns * width), columns


def _read(path: Path, kind: str) -> tuple[NDArray[np.float32], float | None, str]:
    """Frames (T, H, W) in [0, 1], milliseconds from one to the next, and a hash."""
    reader = CineReader() if kind == CINES else RadiographReader()
    pixels, meta = reader.get_data(path)
    times = meta.get("frame_times", ())
    step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
    return pixels[0] if kind == CINES else pixels, step if step > 0 else None, meta["source_id"]


def _levels(frames: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = np.percentile(frames, ENDS)
    if high <= low:  # nothing to be seen but, at most, a few pixels
        low, high = 0.0, 1.0
    scaled = np.clip((frames - low) / (high - low), 0, 1)
    return np.asarray(np.rint(scaled * 255), dtype=np.uint8)
