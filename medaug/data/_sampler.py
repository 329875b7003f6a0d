"""Batches in which a rare class counts as much as a common one."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from ..errors import ConfigError
from ._seeding import mixed


class ClassBalancedSampler(Sampler[int]):
    """Indices whose every run of `batch_size` has all classes as equally as possible.

    Where the classes don't divide the batch, the places left over go round the classes in a
    drawn order. Within a class, images are gone through in shuffled passes: none comes again
    before all have come. An epoch is ceil(n / batch_size) full batches, also where a class or
    the whole set is smaller than a batch. The order depends on (seed, epoch) alone.

    Args:
        labels: class of each image; a class without images has no place in a batch.
        batch_size: of the loader that uses this sampler.
        seed: mixed with the epoch.
    """

    def __init__(self, labels: Sequence[int], *, batch_size: int, seed: int) -> None:
        if len(labels) == 0:
            raise ConfigError("labels must be those of at least one image, got none")
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, got {batch_size}")
        values = np.asarray(labels)
        self._members = [np.flatnonzero(values == label) for label in np.unique(values)]
        self._batch_size = batch_size
        self._num_batches = math.ceil(len(values) / batch_size)
        self._seed = seed
        self._epoch = 0
        mixed(seed)

    def __len__(self) -> int:
        return self._num_batches * self._batch_size

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
            yield from (batch[k] for k in rng.permutation(len(batch)))


def _passes(members: np.ndarray, rng: np.random.Generator) -> Iterator[int]:
    """Go through the members for ever, shuffled anew in each pass."""
    while True:
        yield from rng.permutation(members).tolist()
