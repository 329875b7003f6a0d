"""Noise and classes to make images from."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ..errors import ConfigError
from ._seeding import mixed


class LatentDataset(Dataset[dict[str, Tensor | int]]):
    """Latent vectors for a generator, each depending only on (seed, its index).

    An item is ``{"latent": (latent_dim,) float32, standard normal, "label": int}``, and where there
    are `conditions`, ``"conditions": (K,) float32``, each evenly from its range. More images, other
    batches or other workers leave the first ones as they were, and conditions the latents.

    Args:
        num_images: number of items.
        labels: classes, gone through again and again.
        latent_dim: length of a latent vector.
        seed: mixed with the index.
        conditions: names of continuous conditions, each with its lowest and highest value; left
            open, NaN, where it has none.
    """

    def __init__(
        self,
        num_images: int,
        *,
        labels: Sequence[int],
        latent_dim: int,
        seed: int,
        conditions: Mapping[str, Sequence[float] | None] | None = None,
    ) -> None:
        for name, value in (("num_images", num_images), ("latent_dim", latent_dim)):
            if value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        if not labels:
            raise ConfigError("labels must name at least one class, got none")
        self._num_images = num_images
        self._labels = [int(label) for label in labels]
        self._latent_dim = latent_dim
        self._seed = seed
        self._ranges = None if conditions is None else list(conditions.values())
        mixed(seed)

    def __len__(self) -> int:
        return self._num_images

    def __getitem__(self, index: int) -> dict[str, Tensor | int]:
        if not 0 <= index < self._num_images:
            raise IndexError(f"index must be 0 to {self._num_images - 1}, got {index}")
        low, high = mixed(self._seed, index).generate_state(2)
        generator = torch.Generator().manual_seed(int(low) | int(high) << 32)
        latent = torch.randn(self._latent_dim, generator=generator, dtype=torch.float32)
        item: dict[str, Tensor | int] = {
            "latent": latent,
            "label": self._labels[index % len(self._labels)],
        }
        if self._ranges is None:
            return item
        drawn = torch.rand(len(self._ranges), generator=generator)
        lowest, highest = (
            torch.tensor([math.nan if ends is None else float(ends[k]) for ends in self._ranges])
            for k in (0, 1)
        )
        return {**item, "conditions": torch.lerp(lowest, highest, drawn)}
