"""One bar for the whole training."""

import re
from typing import Any

import pytest
from ignite.engine import Events
from tqdm import tqdm

from medaug.handlers import ProgressBar

from ..engines.cine_toy import cine_trainer
from ..engines.toy import toy_trainer
from .fakes import engine


def last_line(text: str) -> str:
    return re.split(r"[\r\n]", text.rstrip())[-1]


def test_bar_shows_the_figures_of_the_literature(capsys: pytest.CaptureFixture[str]) -> None:
    """Losses, D(x), D(G(z)), class accuracy, epochs, images in all, images a second, time left."""
    toy_trainer(train_handlers=[ProgressBar()]).run()
    line = last_line(capsys.readouterr().err)
    for heading in ("Loss_D", "Loss_G", "D(x)", "D(G(z))", "class"):
        assert re.search(re.escape(heading) + r"=-?\d+\.\d\d\b", line), line
    assert line.startswith("epoch 2/2: 100%")
    assert "48.0/48.0" in line  # 2 epochs of 3 batches of 8
    assert "img/s" in line


def test_time_left_is_shown_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    """``[elapsed<left, rate]``, from the first step on."""
    trainer: Any = toy_trainer(train_handlers=[ProgressBar()])
    trainer.run()
    assert re.search(r"\[\d\d:\d\d<(\d\d:\d\d|\?),", capsys.readouterr().err)


def test_figures_are_moving_averages(capsys: pytest.CaptureFixture[str]) -> None:
    """0.95 of the old and 0.05 of the new, from the first on; missing keys are left out."""
    made, run = engine([{"d_loss": 1.0}, {"d_loss": 2.0}, {"d_loss": 2.0, "other": 9.0}])
    ProgressBar().attach(made)
    run()
    line = last_line(capsys.readouterr().err)
    assert f"Loss_D={0.95 * (0.95 + 0.05 * 2) + 0.05 * 2:.2f}" in line
    assert "Loss_G" not in line
    assert "other" not in line


def test_bar_is_closed_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Its line is ended, and no bar is left open."""
    before = set(tqdm._instances)
    made, run = engine([{"d_loss": 1.0}])
    ProgressBar().attach(made)
    run()
    assert set(tqdm._instances) <= before
    assert capsys.readouterr().err.endswith("\n")


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_bar_is_closed_when_the_run_fails(
    kind: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    """The message after it begins on a line of its own, and the error isn't swallowed."""
    before = set(tqdm._instances)
    trainer = toy_trainer(train_handlers=[ProgressBar()])

    @trainer.on(Events.ITERATION_STARTED(once=2))
    def fail() -> None:
        raise kind("broken")

    with pytest.raises(kind, match="broken"):
        trainer.run()
    assert set(tqdm._instances) <= before
    assert capsys.readouterr().err.endswith("\n")


def test_a_second_run_starts_a_new_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """The engine can be run on."""
    trainer = toy_trainer(max_epochs=1, train_handlers=[ProgressBar()])
    trainer.run()
    trainer.state.max_epochs = 2
    capsys.readouterr()
    trainer.run()
    assert "48.0/48.0" in last_line(capsys.readouterr().err)


def test_a_growing_training_counts_steps(capsys: pytest.CaptureFixture[str]) -> None:
    """Its batches differ in size from stage to stage."""
    cine_trainer(train_handlers=[ProgressBar()]).run()
    line = last_line(capsys.readouterr().err)
    assert "8.00/8.00" in line
    assert "step" in line
    assert "img" not in line
