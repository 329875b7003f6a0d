"""Batches in which a rare class counts as much as a common one."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from ignite import distributed as idist
from torch.utils.data import Sampler

from ..errors import ConfigError
from ._seeding import mixed


class ClassBalancedSampler(Sampler[int]):
    """Indices whose every run of `batch_size` has all classes as equally as possible.

    Where the classes don't divide the batch, the places left over go round the classes in a
    drawn order. Within a class, images are gone through in shuffled passes: none comes again
    before all have come. An epoch is ceil(n / batch_size) full batches, or as many as asked for,
    also where a class is smaller than its share of one. The order depends on (seed, epoch) alone.

    Of several processes, each takes its slice of the same global batches, which are as many times
    larger.

    Args:
        labels: class of each image; a class without images has no place in a batch.
        batch_size: of the loader that uses this sampler, in each process.
        seed: mixed with the epoch.
        epoch_length: batches in an epoch; None for as many as show each image about once.

    Raises:
        ConfigError: there is no image, or fewer than a batch of all processes wants; `epoch_length`
            is below 1.
    """

    def __init__(
        self, labels: Sequence[int], *, batch_size: int, seed: int, epoch_length: int | None = None
    ) -> None:
        if len(labels) == 0:
            raise ConfigError("labels must be those of at least one image, got none")
        for name, value in (("batch_size", batch_size), ("epoch_length", epoch_length)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ConfigError(f"{name} must be a whole number of at least 1, got {value}")
        self._replicas, self._rank = idist.get_world_size(), idist.get_rank()
        self._share, batch_size = batch_size, batch_size * self._replicas
        if batch_size > len(labels):
            processes = f" in each of {self._replicas} processes" if self._replicas > 1 else ""
            raise ConfigError(
                f"batch_size must be at most the number of training images, {len(labels)}, got "
                f"{self._share}{processes}"
            )
        values = np.asarray(labels)
        self._members = [np.flatnonzero(values == label) for label in np.unique(values)]
        self._batch_size = batch_size
        self._num_batches = epoch_length or math.ceil(len(values) / batch_size)
        self._seed = seed
        self._epoch = 0
        mixed(seed)

    def __len__(self) -> int:
        return self._num_batches * self._share

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is drawn next."""
        mixed(self._seed, epoch)
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng(mixed(self._seed, self._epoch))
        classes = len(self._members)
        streams = [
            _passes(members, child)
            for members, child in zip(self._members, rng.spawn(classes), strict=True)
        ]
        turn = rng.permutation(classes)
        share, over = divmod(self._batch_size, classes)
        for batch_number in range(self._num_batches):
            extra = {int(turn[(batch_number * over + k) % classes]) for k in range(over)}
            batch = [
                next(stream)
                for number, stream in enumerate(streams)
                for _ in range(share + (number in extra))
            ]
            order = rng.permutation(len(batch))
            first = self._rank * self._share
            yield from (batch[k] for k in order[first : first + self._share])


def _passes(members: np.ndarray, rng: np.random.Generator) -> Iterator[int]:
    """Go through the members for ever, shuffled anew in each pass."""
    while True:
        yield from rng.permutation(members).tolist()
