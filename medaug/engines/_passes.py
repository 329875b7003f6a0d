"""How a trainer goes through its data, so that it can stop and go on anywhere."""

import signal
from collections.abc import Callable, Iterator, Sized
from functools import partial
from itertools import islice
from typing import Any

GRACE = 30
"""Seconds that a loader's worker goes on for when it is asked to stop."""


class Passes:
    """A trainer's batches, one pass an epoch; of an epoch under way, those that are left.

    Args:
        trainer: a `GanTrainer`; its `state.iteration` says where it is.
    """

    def __init__(self, trainer: Any) -> None:
        self.trainer = trainer
        loader = trainer.data_loader
        if getattr(loader, "num_workers", 0):
            loader.worker_init_fn = partial(outlive_notice, loader.worker_init_fn)

    def __iter__(self) -> Iterator[Any]:
        state, loader = self.trainer.state, self.trainer.data_loader
        done = state.iteration % state.epoch_length
        skipped = done % len(loader) if isinstance(loader, Sized) else done
        self.trainer.seed_workers(state.iteration - skipped)
        batches = iter(loader)
        for _ in islice(batches, skipped):
            pass
        for _ in range(state.epoch_length - done):
            self.trainer.seed_globals(state.iteration + 1)
            try:
                batch = next(batches)
            except StopIteration:
                return
            yield batch


def outlive_notice(then: Callable[[int], object] | None, number: int) -> None:
    """A worker's beginning: schedulers and terminals signal to all processes of a training.

    The trainer needs its workers until the iteration under way is over, and stops them then.
    """
    if hasattr(signal, "alarm"):  # not on Windows
        signal.signal(signal.SIGTERM, lambda *_: signal.alarm(GRACE))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if then is not None:
        then(number)
