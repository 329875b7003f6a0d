"""Classifiers on ranks over gloo: ``python -m tests.engines.classifier_ranks FOLDER``."""

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from ignite import distributed as idist
from ignite.engine import Events
from monai.engines import SupervisedEvaluator
from monai.transforms import Compose, RandGaussianNoised
from torch.utils.data import DataLoader

from medaug.data import CachedDataset
from medaug.engines import BestNetwork
from medaug.handlers import VALIDATION_LOSS, ClassificationMetrics, Validation

from ..launch import ranks
from .ranks import joined
from .toy import identity, images
from .toy_classifier import BATCH, Net, loader, trainer_in


def made(folder: Path, *, resume: bool = False) -> Any:
    """This rank's trainer: no layers that draw, whose numbers are each rank's own."""
    torch.manual_seed(idist.get_rank())
    network = Net(dropout=0)
    # without a sampler, each rank's of which has a part alone
    all_of_them = DataLoader(CachedDataset(images(), identity, seed=0), batch_size=BATCH)
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=all_of_them,
        network=network,
        val_handlers=[ClassificationMetrics(("a", "b"))],
        decollate=False,
    )
    noise = Compose([RandGaussianNoised("image", prob=0.7, std=0.2)])
    return trainer_in(
        folder,
        saver={"resume": resume},
        network=network,
        data=loader(transform=noise, batch_size=BATCH // idist.get_world_size()),
        handlers=[Validation(evaluator, interval=1), BestNetwork(VALIDATION_LOSS, patience=2)],
        epochs=4,
    )


def train(folder: Path) -> None:
    """Undisturbed."""
    trainer = made(folder)
    trainer.run()
    note(trainer, folder)


def stopped(folder: Path) -> None:
    """Rank 1 has a SIGTERM in the fifth iteration; then both go on."""
    trainer = made(folder)
    if idist.get_rank() == 1:
        trainer.add_event_handler(
            Events.ITERATION_STARTED(once=5), lambda: os.kill(os.getpid(), signal.SIGTERM)
        )
    trainer.run()
    trainer = made(folder, resume=True)
    trainer.run()
    note(trainer, folder)


def note(trainer: Any, folder: Path) -> None:
    """This rank's weights and the best epoch."""
    weights = torch.cat([v.flatten() for v in trainer.network.state_dict().values()])
    found = {"weights": weights, "best": trainer.best_epoch, "epoch": trainer.state.epoch}
    torch.save(found, folder.parent / f"{folder.name}_rank{idist.get_rank()}.pt")


def main(folder: Path) -> None:
    """All of it; exit codes are printed."""

    def codes_of(world: int, job: Callable[[Path], None], name: str) -> list[int]:
        return ranks(world, partial(joined, partial(job, folder / name)))

    codes = {
        "one": codes_of(1, train, "one"),
        "two": codes_of(2, train, "two"),
        "stopped": codes_of(2, stopped, "stopped"),
    }
    sys.stdout.write(json.dumps(codes) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
