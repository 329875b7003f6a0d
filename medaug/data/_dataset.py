"""Training images in memory, with random transforms that don't depend on who runs them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from ignite import distributed as idist
from monai.data.dataset import CacheDataset
from monai.transforms import RandomizableTrait, Transform

from .._cores import cores
from ._seeding import mixed

_BAR_FROM = 200


class CachedDataset(CacheDataset):
    """MONAI's CacheDataset whose random transforms are reseeded for every sample.

    The deterministic beginning of the transform is run once and kept in memory. Before the
    random rest, all MONAI transforms are seeded from (seed, epoch, index): a sample is the same
    bit for bit whether it is made in the main process, in forked, spawned or persistent workers,
    and after a resume. Transforms that draw from the global random state aren't covered.

    Args:
        data: items, dictionaries of plain values.
        transform: a MONAI Compose, or what can be made one.
        seed: mixed into every sample's seed.
        cache_num: at most so many items, the first ones, are kept in memory.
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        transform: Sequence[Callable[..., Any]] | Callable[..., Any],
        *,
        seed: int,
        cache_num: int = sys.maxsize,
    ) -> None:
        self._seed = seed
        # shared memory, so that workers which are already running see a new epoch
        self._epoch = torch.zeros(1, dtype=torch.int64)
        self._epoch.share_memory_()
        progress = len(data) > _BAR_FROM and idist.get_rank() == 0
        super().__init__(
            data, transform, cache_num=cache_num, num_workers=cores(), progress=progress
        )
        self._drawn = any(map(_may_draw, self.transform.transforms))

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next samples are drawn for; call before iterating."""
        mixed(self._seed, epoch)
        self._epoch[0] = epoch

    def _transform(self, index: int) -> object:
        if not -len(self) <= index < len(self):  # what ends a loop over the data set
            raise IndexError(f"index must be below {len(self)}, got {index}")
        index %= len(self)
        if self._drawn:  # reseeding takes ten times as long as a look into the cache
            words = mixed(self._seed, int(self._epoch[0]), index).generate_state(1)
            self.transform.set_random_state(seed=int(words[0]))
        return super()._transform(index)


def _may_draw(transform: object) -> bool:
    """What MONAI's CacheDataset runs anew for each sample."""
    return isinstance(transform, RandomizableTrait) or not isinstance(transform, Transform)
