"""Sequences at the resolution that a training has grown to, from pyramids on the disk."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import torch
from monai.transforms import Compose, RandomizableTrait
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from .._files import write_atomically
from ..errors import ConfigError, UserError
from ._formats.pixels import source_id
from ._seeding import mixed
from ._stages import Stages

VERSION = 1
"""Raise it when the same cine gives another pyramid."""
Frames = NDArray[np.float16]


class CinePyramid(Dataset[dict[str, Any]]):
    """Sequences with what is told of them, at the resolution and length of the epoch's stage.

    The transform is run once a sequence. What it gives is resized to a square of the highest
    resolution by the mean of areas, the next lower one is the mean of four pixels of it, and so on:
    all are kept as float16 on the disk, in files named by pixel hash and resolution, with nothing
    of the patient but the pixels, in a folder that only the user can read. Another transform, told
    by what it makes of the first sequence, has a folder of its own.

    With `growth`, an item is a window of consecutive frames, whose beginning depends on (seed,
    epoch, index); as the heart beats on, the first frame comes after the last. With `resolution`,
    it is the whole cycle.

    An item is ``{"image": (C, T, H, W) float32 in [0, 1], "label": int, "modality": int,
    "conditions": (K,) float32, NaN where one is missing, "phase": (T,) float32 in [0, 1),
    "source_id": str}``.

    Args:
        data: items of a `CineCollection`.
        transform: from a path under ``image`` to (C, T, H, W) in [0, 1]; of items that name a
            slice, C is that of all slices. Nothing random.
        growth: of the training; or else
        resolution: height and width.
        cache_dir: where pyramids are kept; by default in the user's cache folder.
        seed: mixed with epoch and index.

    Raises:
        ConfigError: there are neither or both of `growth` and `resolution`, the transform draws
            random numbers, or there is no item; of an item, a stage has more frames than it.
        UserError: the transform gives no sequence, or the cache can't be written.
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        transform: Sequence[Callable[..., Any]] | Callable[..., Any],
        *,
        growth: Stages | None = None,
        resolution: int | None = None,
        cache_dir: str | Path | None = None,
        seed: int = 0,
    ) -> None:
        if (growth is None) == (resolution is None):
            raise ConfigError(f"one of growth and resolution must be given, got {resolution}")
        if not data:
            raise ConfigError("data must hold at least one sequence, got none")
        self.data = list(data)
        self.transform = transform if callable(transform) else Compose(transform)
        _refuse_random(self.transform)
        self._growth, self._seed = growth, seed
        stages = growth.stages if growth is not None else ()
        self._resolution = resolution
        sides = [resolution] if resolution else [stage.resolution for stage in stages]
        self.resolutions = sorted(set(sides), reverse=True)
        # shared memory, so that workers which are already running see a new epoch
        self._epoch = torch.ones(1, dtype=torch.int64)
        self._epoch.share_memory_()
        default = platformdirs.user_cache_dir("medaug")
        self._folder = Path(cache_dir or Path(default, "pyramids")) / self._probe()

    def __len__(self) -> int:
        return len(self.data)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 1, that the next items are drawn for."""
        mixed(self._seed, epoch)
        self._epoch[0] = epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):  # what ends a loop over the data set
            raise IndexError(f"index must be below {len(self)}, got {index}")
        index %= len(self)
        item, epoch = self.data[index], int(self._epoch[0])
        stage = self._growth.stage(epoch) if self._growth is not None else None
        levels = self._level(item, stage.resolution if stage else self.resolutions[0])
        length = levels.shape[1]
        start, count = 0, length
        if stage is not None:
            count = stage.num_frames or length
            if count > length:
                raise ConfigError(f"num_frames must be at most {length}, got {count}")
            start = int(np.random.default_rng(mixed(self._seed, epoch, index)).integers(length))
        frames = (start + np.arange(count)) % length
        return {
            "image": torch.from_numpy(levels[:, frames].astype(np.float32)),
            "label": item["label"],
            "modality": item["modality"],
            "conditions": torch.tensor(item["conditions"], dtype=torch.float32),
            "phase": torch.from_numpy((frames / length).astype(np.float32)),
            "source_id": item["source_id"],
        }

    def _probe(self) -> str:
        """A name for the transform: a hash of what it makes of the first sequence by hash."""
        first = min(self.data, key=lambda item: str(item["source_id"]))
        made = source_id(self._made(first).numpy())
        words = f"{VERSION} {self.resolutions[0]} {made}"
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    def _made(self, item: Mapping[str, Any]) -> Tensor:
        """What the transform gives, (C, T, H, W) float32."""
        made = torch.as_tensor(self.transform(dict(item))["image"], dtype=torch.float32)
        if made.ndim != 4 or made.shape[1] < 2:
            raise UserError(
                "the transform must give (C, T, H, W) with at least 2 frames, "
                f"got {list(made.shape)}"
            )
        return made[item["slice"]][None] if "slice" in item else made

    def _level(self, item: Mapping[str, Any], resolution: int) -> Frames:
        """(C, T, H, W), mapped from the disk, where it is put if it isn't there."""
        path = self._path(item, resolution)
        try:
            return np.asarray(np.load(path, mmap_mode="r"))
        except (OSError, ValueError, EOFError):  # not there, or damaged
            self._build(item)
        return np.asarray(np.load(path, mmap_mode="r"))

    def _build(self, item: Mapping[str, Any]) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cache_dir must be a folder that can be written, got {self._folder.parent} "
                f"({error.strerror})"
            ) from error
        level = self._made(item)
        for resolution in self.resolutions:
            level = _resized(level, resolution)
            values = level.numpy().astype(np.float16)
            write_atomically(self._path(item, resolution), lambda path: _save(path, values))  # noqa: B023  # called at once

    def _path(self, item: Mapping[str, Any], resolution: int) -> Path:
        return self._folder / f"{item['source_id']}_{resolution}.npy"


def _resized(frames: Tensor, side: int) -> Tensor:
    """(C, T, H, W) to squares: by the mean of areas, or bilinear where they are enlarged."""
    if min(frames.shape[2:]) >= side:
        return F.interpolate(frames, (side, side), mode="area")
    return F.interpolate(frames, (side, side), mode="bilinear", align_corners=False)


def _save(path: Path, values: Frames) -> None:
    with path.open("wb") as stream:  # by name, NumPy would add a suffix
        np.save(stream, values)


def _refuse_random(transform: object) -> None:
    if isinstance(transform, Compose):
        for part in transform.transforms:
            _refuse_random(part)
    elif isinstance(transform, RandomizableTrait):
        raise ConfigError(
            f"the transform must draw nothing, got {type(transform).__name__}: what it makes is "
            "kept"
        )
