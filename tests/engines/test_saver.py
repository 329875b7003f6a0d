"""The saver: what it writes, and that the last good model survives."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from ignite.engine import Events

from medaug.engines import ModelSaver
from medaug.errors import TrainingDivergedError, UserError
from medaug.networks import ACGANGenerator

from .toy import toy_trainer


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes; Python ignores the signal and gives the error."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_model_is_the_plain_ema_generator(tmp_path: Path) -> None:
    """A fresh network loads it, with weights_only, and model.json says how to build it."""
    trainer = toy_trainer(
        train_handlers=[ModelSaver(tmp_path, interval=1, settings={"image_size": 32})]
    )
    trainer.run()
    fresh = ACGANGenerator(image_size=32, num_classes=2, latent_dim=8, base_channels=4)
    fresh.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    latent = torch.randn(2, 8)
    assert torch.equal(fresh.eval()(latent), trainer.ema_generator(latent))
    assert json.loads((tmp_path / "model.json").read_text()) == {"image_size": 32, "epoch": 2}


def test_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    """Two runs of one seed can be compared by a hash of their files."""
    files = []
    for name in ("one", "two"):
        toy_trainer(train_handlers=[ModelSaver(tmp_path / name, interval=1, settings={})]).run()
        files.append((tmp_path / name / "model.pt").read_bytes())
    assert files[0] == files[1]


def test_divergence_leaves_the_saved_model_alone(tmp_path: Path) -> None:
    """NaN weights are never written over a good model."""
    trainer = toy_trainer(train_handlers=[ModelSaver(tmp_path, interval=1, settings={})])

    @trainer.on(Events.EPOCH_STARTED(once=2))
    def break_it() -> None:
        next(trainer.generator.parameters()).data.fill_(float("nan"))

    with pytest.raises(TrainingDivergedError):
        trainer.run()
    state = torch.load(tmp_path / "model.pt", weights_only=True)
    assert all(value.isfinite().all() for value in state.values())
    assert json.loads((tmp_path / "model.json").read_text())["epoch"] == 1


@pytest.mark.parametrize("size", [100, 20_000, 100_000])
def test_a_full_disk_costs_nothing(size: int, tmp_path: Path) -> None:
    """One line that names the file and the reason; the last checkpoint is gone on from."""

    def run(folder: Path, epochs: int) -> None:
        saver = ModelSaver(folder, interval=1, settings={}, resume=True)
        toy_trainer(train_handlers=[saver], max_epochs=epochs).run()

    run(tmp_path / "full", 1)
    before = {path: path.read_bytes() for path in (tmp_path / "full").iterdir()}
    with full_disk(size), pytest.raises(UserError, match=r"\.pt could not be .*: File too") as told:
        run(tmp_path / "full", 3)
    assert "\n" not in str(told.value)
    left = {path: path.read_bytes() for path in (tmp_path / "full").iterdir()}
    assert left.keys() == before.keys()
    resumable = [path for path in before if path.name.startswith("resume")]
    assert [left[path] for path in resumable] == [before[path] for path in resumable]
    run(tmp_path / "full", 3)
    run(tmp_path / "roomy", 3)
    assert (tmp_path / "full/model.pt").read_bytes() == (tmp_path / "roomy/model.pt").read_bytes()
