"""Train, be killed by SIGKILL at drawn moments, go on: ``python -m tests.engines.killed``.

Everything is imported once, by a process that computes nothing; each attempt is a fork of it, which
the kernel ends as it ends any process.
"""

import json
import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from monai.transforms import Compose, RandGaussianNoised, RandLambdad

from medaug.engines import ModelSaver, _saver
from medaug.handlers import MetricsCSV

from ..launch import exit_code, fork
from .toy import ADAM, toy_trainer

SLOW = 0.02
"""Seconds that each file of a save is unfinished for."""


def global_noise(image: torch.Tensor) -> torch.Tensor:
    """A user's transform that draws from torch's global generator."""
    return image + 0.01 * torch.randn(image.shape)


def train(folder: Path, *, epochs: int, workers: int, resume: bool) -> None:
    """With all that is random or has a memory: transforms, augmentation, penalty, scheduler."""
    torch.set_num_threads(1)
    noise = RandGaussianNoised("image", prob=0.7, std=0.2)
    handlers = [
        ModelSaver(folder / "models", interval=1, settings={}, resume=resume),
        MetricsCSV(folder / "metrics.csv"),
    ]
    made: list[torch.optim.Optimizer] = []

    def optimizer(parameters: Any) -> torch.optim.Optimizer:
        made.append(ADAM(parameters))
        return made[-1]

    trainer = toy_trainer(
        transform=Compose([noise, RandLambdad("image", func=global_noise, prob=1.0)]),
        max_epochs=epochs,
        num_workers=workers,
        optimizer=optimizer,
        train_handlers=handlers,
    )
    trainer.schedulers = tuple(torch.optim.lr_scheduler.ExponentialLR(o, 0.97) for o in made)
    trainer.run()


def write_slowly(state: Any, path: Path) -> None:
    """Half of a file, a pause, the other half."""
    save_tensors(state, path)
    content = path.read_bytes()
    with path.open("wb", buffering=0) as file:
        file.write(content[: len(content) // 2])
        time.sleep(SLOW)
        file.write(content[len(content) // 2 :])
        time.sleep(SLOW)


save_tensors = _saver.save_tensors


def ended(child: int) -> bool:
    """Whether the child has ended by itself, which it must do without an error."""
    done, status = os.waitpid(child, os.WNOHANG)
    assert status == 0
    return done == child


def unfinished(folder: Path) -> bool:
    """Whether a save is under way."""
    return any((folder / "models").glob(".*.tmp"))


def kill_once(child: int, folder: Path, delay: float, *, in_save: bool) -> str | None:
    """Kill after a delay, or in the first save after it; says in what, None if it had ended."""
    begun = time.monotonic()
    while time.monotonic() < begun + delay or (in_save and not unfinished(folder)):
        if ended(child):
            return None
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    code = exit_code(child)
    assert code in (0, -signal.SIGKILL)
    if code == 0:
        return None
    return "save" if unfinished(folder) else "training"


def notify(child: int, folder: Path) -> None:
    """Signal to the whole group, a loader's workers too, when something has been saved."""
    while not list((folder / "models").glob("resume_*.pt")):
        time.sleep(0.0005)
    os.killpg(child, signal.SIGTERM)
    os.killpg(child, signal.SIGTERM)  # torchrun passes on what its processes had, too
    assert exit_code(child) == 0


def main(folder: Path, *, kills: int, epochs: int, workers: int) -> None:
    """Train ``whole`` undisturbed; then ``run_N``, until `kills` attempts have been killed.

    One more, ``noticed``, is asked to stop by SIGTERM, and goes on.
    """
    _saver.save_tensors = write_slowly
    begun = time.monotonic()
    whole = fork(partial(train, folder / "whole", epochs=epochs, workers=workers, resume=False))
    assert exit_code(whole) == 0
    seconds = time.monotonic() - begun
    draw = random.Random(epochs)
    killed: list[str] = []
    number = 0
    while True:
        run = folder / f"run_{number}"
        child = fork(partial(train, run, epochs=epochs, workers=workers, resume=True))
        if len(killed) == kills:
            assert exit_code(child) == 0
            break
        delay, in_save = draw.uniform(0, 1.5 * seconds / kills), len(killed) % 3 == 1
        where = kill_once(child, run, delay, in_save=in_save)
        if where is None:
            number += 1
        else:
            killed.append(where)
    noticed = partial(train, folder / "noticed", epochs=epochs, workers=workers, resume=True)
    notify(fork(noticed), folder / "noticed")
    stopped = int(max((folder / "noticed" / "models").glob("resume_*.pt")).stem.split("_")[1])
    assert exit_code(fork(noticed)) == 0
    report = {"killed": killed, "stopped": stopped, "runs": number + 1, "seconds": seconds}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(
        Path(sys.argv[1]), kills=int(sys.argv[2]), epochs=int(sys.argv[3]), workers=int(sys.argv[4])
    )
