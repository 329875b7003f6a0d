"""Batches and resolutions that follow a schedule of growth."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from torch.utils.data import Sampler

from ._sampler import ClassBalancedSampler
from ._seeding import mixed


class Stages(Protocol):
    """What data needs of a schedule: `medaug.engines.Growth` has it.

    Attributes:
        epoch_length: batches in an epoch.
        stages: each with `resolution`, `batch_size` and `num_frames`.
    """

    epoch_length: int
    stages: Sequence[Any]

    def stage(self, epoch: int) -> Any:
        """The stage of an epoch, counted from 1."""


class StageBatchSampler(Sampler[list[int]]):
    """Class-balanced batches, as large as the epoch's stage has them.

    For a DataLoader's `batch_sampler`. See `ClassBalancedSampler`; each epoch is as many batches as
    the schedule says, whatever their size.

    Args:
        labels: class of each item, such as its modality; the same for all where it doesn't matter.
        growth: the schedule.
        seed: mixed with the epoch.

    Raises:
        ConfigError: there are fewer items than a batch of all processes wants in any stage.
    """

    def __init__(self, labels: Sequence[int], growth: Stages, *, seed: int) -> None:
        self._labels, self._growth, self._seed = labels, growth, seed
        self._epoch = 1
        for stage in growth.stages:
            self._sampler(stage.batch_size)

    def __len__(self) -> int:
        return self._growth.epoch_length

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next, counted from 1."""
        mixed(self._seed, epoch)
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        batch_size = self._growth.stage(self._epoch).batch_size
        sampler = self._sampler(batch_size)
        sampler.set_epoch(self._epoch)
        indices = iter(sampler)
        for _ in range(len(self)):
            yield [next(indices) for _ in range(batch_size)]

    def _sampler(self, batch_size: int) -> ClassBalancedSampler:
        return ClassBalancedSampler(
            self._labels,
            batch_size=batch_size,
            seed=self._seed,
            epoch_length=self._growth.epoch_length,
        )
