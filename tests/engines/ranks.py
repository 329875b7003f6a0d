"""Trainings on ranks over gloo: ``python -m tests.engines.ranks FOLDER``."""

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
from monai.transforms import Compose, RandGaussianNoised
from torch.utils.data import DataLoader

from medaug.data import CachedDataset, ClassBalancedSampler
from medaug.engines import (
    ConditionalObjective,
    GanTrainer,
    ModelSaver,
    start_distributed,
    stop_distributed,
)
from medaug.handlers import MetricsCSV
from medaug.losses import R1Penalty, R2Penalty, RelativisticLoss

from ..launch import ranks
from .toy import PlainDiscriminator, PlainGenerator, images, toy_trainer

GLOBAL_BATCH = 8


def trainer(folder: Path, *, epochs: int = 2, resume: bool = False) -> GanTrainer:
    """This rank's trainer, with all that draws random numbers for the global batch."""
    # Rank 0's weights are what counts.
    torch.manual_seed(idist.get_rank())
    generator, discriminator = PlainGenerator(), PlainDiscriminator()
    torch.manual_seed(0)
    data, batch = images(), GLOBAL_BATCH // idist.get_world_size()
    labels = [item["label"] for item in data]
    transform = Compose([RandGaussianNoised("image", prob=0.7, std=0.2)])
    loader: Any = DataLoader(
        CachedDataset(data, transform, seed=0),
        batch_size=batch,
        sampler=ClassBalancedSampler(labels, batch_size=batch, seed=0),
        generator=torch.Generator(),
    )
    return toy_trainer(
        train_data_loader=loader,
        generator=generator,
        discriminator=discriminator,
        g_optimizer=torch.optim.SGD(generator.parameters(), 0.1, momentum=0.5),
        d_optimizer=torch.optim.SGD(discriminator.parameters(), 0.1, momentum=0.5),
        objective=ConditionalObjective(adversarial=RelativisticLoss()),
        penalties=[R1Penalty(gamma=0.1, every=2), R2Penalty(gamma=0.1, every=3)],
        max_epochs=epochs,
        train_handlers=[
            ModelSaver(folder / "models", interval=1, settings={}, resume=resume),
            MetricsCSV(folder / "metrics.csv"),
        ],
    )


def joined(job: Callable[[], object]) -> None:
    """Do the job as one of several ranks."""
    start_distributed()
    try:
        job()
    finally:
        stop_distributed()


def train(folder: Path) -> None:
    """Undisturbed; each rank writes down what it ends with."""
    made = trainer(folder)
    made.run()
    note(made, folder)


def note(made: GanTrainer, folder: Path) -> None:
    """This rank's weights, and where it is."""
    networks = (made.generator, made.discriminator, made.ema_generator)
    weights = [v.flatten() for network in networks for v in network.state_dict().values()]
    found = {"weights": torch.cat(weights), "iteration": made.state.iteration}
    folder.parent.mkdir(exist_ok=True)
    torch.save(found, folder.parent / f"{folder.name}_rank{idist.get_rank()}.pt")


def stopped(folder: Path) -> None:
    """Rank 1 has a SIGTERM in the second iteration; then all go on."""
    made = trainer(folder)
    if idist.get_rank() == 1:
        made.add_event_handler(
            Events.ITERATION_STARTED(once=2), lambda: os.kill(os.getpid(), signal.SIGTERM)
        )
    made.run()
    note(made, folder)


def go_on(folder: Path) -> None:
    """Take up what `stopped` left."""
    made = trainer(folder, resume=True)
    made.run()
    note(made, folder)


def refused(folder: Path) -> None:
    """Rank 0 finds a checkpoint of another number of processes; all end."""
    trainer(folder, resume=True).run()


def main(folder: Path) -> None:
    """All of it; exit codes are printed."""

    def codes_of(world: int, job: Callable[[Path], None], name: str) -> list[int]:
        return ranks(world, partial(joined, partial(job, folder / name)))

    codes = {
        "one": codes_of(1, train, "one"),
        "two": codes_of(2, train, "two"),
        "stopped": codes_of(2, stopped, "stopped"),
    }
    for rank in range(2):
        path = folder / f"stopped_rank{rank}.pt"
        path.rename(folder / f"halfway_rank{rank}.pt")
    codes["gone on"] = codes_of(2, go_on, "stopped")
    codes["refused"] = codes_of(2, refused, "one")
    sys.stdout.write(json.dumps(codes) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
