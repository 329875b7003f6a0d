"""A run that was stopped and taken up again is the run that was never stopped."""

import json
import logging
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ignite.engine import Events
from monai.transforms import Compose, RandGaussianNoised, RandLambdad

from medaug.engines import BestModelSaver, GanTrainer, ModelSaver
from medaug.errors import CheckpointError
from medaug.handlers import MetricsCSV

from .toy import toy_trainer

EPOCHS, ITERATIONS = 3, 9


def global_noise(image: torch.Tensor) -> torch.Tensor:
    """A user's transform that draws from torch's global generator."""
    return image + 0.01 * torch.randn(image.shape)


def trainer_in(folder: Path, *, saver: dict[str, Any] | None = None, **changes: Any) -> GanTrainer:
    transform = Compose(
        [
            RandGaussianNoised("image", prob=0.7, std=0.2),
            RandLambdad("image", func=global_noise, prob=1.0),
        ]
    )
    handlers = [
        ModelSaver(folder / "models", **({"interval": 1, "settings": {}} | (saver or {}))),
        MetricsCSV(folder / "metrics.csv"),
    ]
    return toy_trainer(transform=transform, max_epochs=EPOCHS, train_handlers=handlers, **changes)


def weights(trainer: GanTrainer) -> torch.Tensor:
    networks = (trainer.generator, trainer.discriminator, trainer.ema_generator)
    return torch.cat([v.flatten().double() for n in networks for v in n.state_dict().values()])


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[GanTrainer, Path]:
    folder = tmp_path_factory.mktemp("whole")
    trainer = trainer_in(folder)
    trainer.run()
    return trainer, folder


@pytest.mark.parametrize("stop", [1, 3, 5, 8])
def test_sigterm_saves_and_the_run_goes_on_bit_for_bit(
    stop: int, whole: tuple[GanTrainer, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At the end of an epoch and in its middle; weights and tables are the same."""
    first = trainer_in(tmp_path)
    first.add_event_handler(Events.ITERATION_COMPLETED(once=stop), partial(send, signal.SIGTERM))
    with caplog.at_level(logging.WARNING, "medaug"):
        first.run()
    assert first.state.iteration == stop
    assert f"stopped by SIGTERM after iteration {stop} of {ITERATIONS}" in caplog.text

    torch.rand(7)  # whatever else happened in between
    second = trainer_in(tmp_path, saver={"resume": True})
    second.run()
    assert torch.equal(weights(second), weights(whole[0]))
    for name in ("metrics.csv", "iterations.csv"):
        assert (tmp_path / name).read_text() == (whole[1] / name).read_text()
    assert (tmp_path / "models/model.pt").read_bytes() == (
        whole[1] / "models/model.pt"
    ).read_bytes()


def test_ctrl_c_saves_and_is_raised(tmp_path: Path) -> None:
    """After the iteration under way."""
    trainer = trainer_in(tmp_path)
    trainer.add_event_handler(Events.ITERATION_STARTED(once=2), partial(send, signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert (tmp_path / "models/resume_000000002.pt").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_without_a_checkpoint_it_begins_anew(
    whole: tuple[GanTrainer, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And says so: what a restarting launcher needs."""
    trainer = trainer_in(tmp_path, saver={"resume": True})
    with caplog.at_level(logging.INFO, "medaug"):
        trainer.run()
    assert "no checkpoint in" in caplog.text
    assert torch.equal(weights(trainer), weights(whole[0]))


def test_the_newest_are_kept(whole: tuple[GanTrainer, Path]) -> None:
    """Two of three epochs'."""
    names = sorted(path.name for path in (whole[1] / "models").glob("resume_*"))
    assert names == ["resume_000000006.pt", "resume_000000009.pt"]


@settings(max_examples=25, deadline=None)
@given(place=st.floats(0, 0.999), cut=st.booleans())
def test_a_damaged_newest_is_reported_and_the_one_before_taken(
    place: float, cut: bool, whole: tuple[GanTrainer, Path], tmp_path_factory: Any
) -> None:
    """Cut off, or one byte changed, wherever."""
    folder = tmp_path_factory.mktemp("damaged") / "models"
    folder.mkdir()
    for path in (whole[1] / "models").glob("resume_*"):
        (folder / path.name).write_bytes(path.read_bytes())
    newest = folder / "resume_000000009.pt"
    content = bytearray(newest.read_bytes())
    index = int(place * len(content))
    if cut:
        content = content[:index]
    else:
        content[index] ^= 0x40
    newest.write_bytes(content)
    trainer = trainer_in(folder.parent, saver={"resume": True})
    trainer.run()
    assert torch.equal(weights(trainer), weights(whole[0]))


def test_a_named_file_is_taken_up(whole: tuple[GanTrainer, Path], tmp_path: Path) -> None:
    """In a folder of its own."""
    named = whole[1] / "models" / "resume_000000006.pt"
    trainer = trainer_in(tmp_path, saver={"resume": str(named)})
    trainer.run()
    assert torch.equal(weights(trainer), weights(whole[0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"saver": {"settings": {"seed": 1}}}, r"same settings: seed was None there, got 1"),
        ({"latent_dim": 9}, r"networks and optimisers as they are configured: .*size mismatch"),
    ],
)
def test_another_runs_checkpoint_is_refused(
    change: dict[str, Any], message: str, whole: tuple[GanTrainer, Path], tmp_path: Path
) -> None:
    """In one line, before training."""
    from medaug.networks import ACGANGenerator

    if "latent_dim" in change:
        generator = ACGANGenerator(image_size=32, num_classes=2, latent_dim=9, base_channels=4)
        change = {
            "latent_dim": 9,
            "generator": generator,
            "g_optimizer": torch.optim.Adam(generator.parameters()),
        }
    saver = change.pop("saver", {}) | {"resume": str(whole[1] / "models")}
    trainer = trainer_in(tmp_path, saver=saver, **change)
    with pytest.raises(CheckpointError, match=message) as caught:
        trainer.run()
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.pt"))


def test_another_learning_rate_is_refused(whole: tuple[GanTrainer, Path], tmp_path: Path) -> None:
    """The checkpoint's would be taken, and the one on the command line go unheeded."""
    trainer = trainer_in(
        tmp_path,
        saver={"resume": str(whole[1] / "models")},
        optimizer=partial(torch.optim.Adam, lr=1e-4),
    )
    with pytest.raises(CheckpointError, match=r"configured: lr was 0\.001 there, got 0\.0001"):
        trainer.run()


class Malicious:
    """A pickle that writes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return self.path.touch, ()


@pytest.mark.parametrize("content", ["code", "weights", "list", "text"])
def test_what_is_no_checkpoint_is_refused(
    content: str, whole: tuple[GanTrainer, Path], tmp_path: Path
) -> None:
    """In one line; code in it isn't run."""
    path, written = tmp_path / "resume_000000001.pt", tmp_path / "written"
    if content == "code":
        torch.save({"settings": {}, "players": Malicious(written)}, path)
    elif content == "weights":
        path.write_bytes((whole[1] / "models" / "model.pt").read_bytes())
    elif content == "list":
        torch.save([1, 2], path)
    else:
        path.write_text("settings")
    trainer = trainer_in(tmp_path / "run", saver={"resume": str(path)})
    with pytest.raises(CheckpointError, match=r"resume_000000001\.pt must be .*, got") as caught:
        trainer.run()
    assert "\n" not in str(caught.value)
    assert not written.exists()


def test_going_back_by_name_leaves_the_later_ones_behind(
    whole: tuple[GanTrainer, Path], tmp_path: Path
) -> None:
    """Else the newest two would be those of the run that was left, and be taken up next time."""
    models = tmp_path / "models"
    models.mkdir()
    for path in (whole[1] / "models").glob("resume_*"):
        (models / path.name).write_bytes(path.read_bytes())
    (models / "resume_000000012.pt").write_text("of another future")
    trainer = trainer_in(tmp_path, saver={"resume": str(models / "resume_000000006.pt")})
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=8), partial(send, signal.SIGTERM))
    trainer.run()
    names = sorted(path.name for path in models.glob("resume_*"))
    assert names == ["resume_000000006.pt", "resume_000000008.pt"]


def test_the_tables_are_on_the_disk_before_the_checkpoint(tmp_path: Path) -> None:
    """Killed after a save in the middle of an epoch, that epoch's rows aren't lost."""
    trainer = trainer_in(tmp_path)
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=5), partial(send, signal.SIGTERM))
    rows: list[int] = []
    trainer.add_event_handler(
        Events.TERMINATE,
        lambda: rows.append(len((tmp_path / "iterations.csv").read_text().splitlines())),
    )
    trainer.run()
    assert rows == [1 + 5]


def test_a_second_ctrl_c_ends_at_once_and_an_echo_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As torchrun passes on what its processes have had from the terminal already."""
    trainer = trainer_in(tmp_path)

    def press() -> None:
        send(signal.SIGINT)
        send(signal.SIGTERM)
        send(signal.SIGINT)  # an echo
        assert trainer.state.iteration == 2
        monkeypatch.setattr("medaug.engines._saver.ECHO", -1.0)
        send(signal.SIGINT)

    trainer.add_event_handler(Events.ITERATION_STARTED(once=2), press)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert not list(tmp_path.rglob("resume_*"))


def test_a_folder_without_checkpoints_that_was_named_is_refused(tmp_path: Path) -> None:
    """A slip of the hand in a path would otherwise train anew for days."""
    trainer = trainer_in(tmp_path, saver={"resume": str(tmp_path / "nothing")})
    with pytest.raises(
        CheckpointError, match=r"nothing must be a checkpoint, or a folder .*, got none"
    ):
        trainer.run()


def test_damaged_ones_alone_are_not_trained_over(tmp_path: Path) -> None:
    """A person has to decide."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "resume_000000003.pt").write_bytes(b"PK")
    trainer = trainer_in(tmp_path, saver={"resume": True})
    with pytest.raises(CheckpointError, match=r"models must be .*, got 1 damaged ones"):
        trainer.run()


def test_the_best_is_kept_over_a_restart(tmp_path: Path) -> None:
    """Lower is better; the record is read again."""

    def run(values: dict[int, float], **saver: Any) -> GanTrainer:
        best = BestModelSaver(tmp_path / "models", metric="gap", settings={"image_size": 32})
        trainer = toy_trainer(
            max_epochs=len(values) if not saver else EPOCHS,
            train_handlers=[ModelSaver(tmp_path / "models", interval=1, settings={}, **saver)],
        )
        trainer.add_event_handler(
            Events.EPOCH_COMPLETED,
            lambda: trainer.state.metrics.update(gap=values[trainer.state.epoch]),
        )
        best.attach(trainer)
        trainer.run()
        return trainer

    run({1: 0.5, 2: 0.3})
    record = json.loads((tmp_path / "models/model_best.json").read_text())
    assert record == {"image_size": 32, "gap": 0.3, "epoch": 2}
    run({3: 0.4}, resume=True)
    assert json.loads((tmp_path / "models/model_best.json").read_text())["epoch"] == 2
