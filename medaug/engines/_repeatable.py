"""What trainers share so that a run that goes on is the run that never stopped."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from ignite import distributed as idist
from ignite.engine import Engine
from monai.engines import Trainer
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from ._passes import Passes

LATENT, AUGMENT_REAL, AUGMENT_FAKE, LAYERS, LOADING, WORKERS = range(6)
"""What random numbers are drawn for; a word of the seed."""


class Repeatable(Trainer):
    """MONAI's trainer, whose random numbers all come from (seed, step, purpose).

    So nothing random has to be saved.

    Attributes:
        seed: of everything that is drawn.
        schedulers: of the learning rates.
    """

    seed: int
    schedulers: Sequence[LRScheduler]

    def run(self) -> None:  # type: ignore[override]  # as all of MONAI's engines are run
        """Train from where the engine is to the last epoch."""
        Engine.run(self, data=Passes(self), max_epochs=self.state.max_epochs)

    def shape(self) -> dict[str, Any]:
        """What a run must share with the one that it takes up, beside what its user sets."""
        return {
            "iterations of an epoch": self.state.epoch_length,
            "batch size": getattr(self.data_loader, "batch_size", None),
            "number of processes": idist.get_world_size(),
            "seed of the engine": self.seed,
        }

    @property
    def saved_network(self) -> nn.Module:
        """What `save_model` saves."""
        raise NotImplementedError

    def _position(self) -> dict[str, Any]:
        """What a checkpoint says beside networks and optimisers."""
        return {
            "schedulers": [scheduler.state_dict() for scheduler in self.schedulers],
            "iteration": self.state.iteration,
            "shape": self.shape(),
        }

    def _go_to(self, position: Mapping[str, Any]) -> None:
        for scheduler, state in zip(self.schedulers, position["schedulers"], strict=True):
            scheduler.load_state_dict(state)
        self.state.iteration = position["iteration"]
        self.state.epoch = self.state.iteration // self.state.epoch_length

    def about_model(self) -> dict[str, Any]:
        """What is to be told of the network that is saved now."""
        return {"epoch": self.state.epoch}

    def seed_workers(self, step: int) -> None:
        """For the seeds that a loader gives its workers when it is gone through from `step` on."""
        generator = getattr(self.data_loader, "generator", None)
        if generator is not None:
            generator.manual_seed(self._random(step, WORKERS, idist.get_rank()).initial_seed())

    def seed_globals(self, step: int) -> None:
        """For transforms that draw from Python's, NumPy's or torch's own generators."""
        seed = self._random(step, LOADING, idist.get_rank()).initial_seed()
        random.seed(seed)
        np.random.seed(seed % 2**32)
        self._seed_torch(seed)

    def _seed_layers(self, step: int) -> None:
        """For dropout and the like."""
        self._seed_torch(self._random(step, LAYERS, idist.get_rank()).initial_seed())

    def _start_epoch(self, engine: Engine) -> None:
        """Forget the figures of the last epoch; tell sampler and data set which one begins."""
        engine.state.metrics.clear()
        for part in ("sampler", "dataset"):
            set_epoch = getattr(getattr(self.data_loader, part, None), "set_epoch", None)
            if set_epoch is not None:
                set_epoch(engine.state.epoch)

    def _step_schedulers(self) -> None:
        for scheduler in self.schedulers:
            scheduler.step()

    def _seed_torch(self, seed: int) -> None:
        # torch.manual_seed keeps a stack trace for each kind of device that isn't in use: slow.
        torch.default_generator.manual_seed(seed)
        if self.state.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _random(self, step: int, *words: int) -> torch.Generator:
        entropy = np.random.SeedSequence([self.seed, step, *words])
        return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0]))
