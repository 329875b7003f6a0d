"""Collapse and divergence: warned of in words, and a training ended only by both steps."""

import json
import logging
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ignite import distributed as idist
from ignite.engine import Engine, Events

from medaug.engines import GanEvents, ModelSaver, start_distributed, stop_distributed
from medaug.errors import ConfigError
from medaug.handlers._collapse import CollapseMonitor

from ..engines.toy import toy_trainer
from ..launch import python, ranks
from .fakes import engine

FD = "fd_domain"
Output = dict[str, float]
Figures = dict[int, Output]

BCE = ("d_loss", "g_loss", "d_real", "d_fake_before")
RAW = ("d_loss", "g_loss", "score_real", "score_fake_before")


def drawn(names: Iterable[str], part: tuple[int, Any, Any], seed: int) -> list[Output]:
    """Iterations whose figures are normally distributed; losses and probabilities above 0."""
    count, means, deviations = part
    random = np.random.default_rng(seed)
    rows = random.normal(means, deviations, (count, 4))
    return [
        {
            name: abs(float(value)) if name.startswith("d_") else float(value)
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    ]


def stretches(names: Iterable[str], *parts: tuple[int, Any, Any], seed: int = 0) -> list[Output]:
    """Of (iterations, means, deviations), one after another."""
    drawings = [drawn(names, part, seed + index) for index, part in enumerate(parts)]
    return [row for part in drawings for row in part]


HEALTHY: dict[str, tuple[Any, ...]] = {
    # two ACGANs on chest X-rays, with AIIN and without, relativistic loss
    "relativistic, AIIN": (
        RAW,
        (50, (0.054, 6.34, 10.9, 5.0), (0.10, 1.6, 4.2, 2.5)),
        (50, (0.073, 6.62, 8.7, 2.7), (0.10, 1.4, 2.4, 2.1)),
        (200, (0.34, 2.83, 4.1, 2.25), (0.10, 0.47, 0.5, 0.5)),
        (700, (0.40, 2.24, 2.8, 1.45), (0.085, 0.31, 0.5, 0.5)),
        (1000, (0.33, 1.47, 7.6, 6.5), (0.086, 0.26, 0.27, 0.2)),
    ),
    "relativistic": (
        RAW,
        (50, (0.12, 5.0, 8.0, 3.6), (0.12, 1.3, 2.8, 1.8)),
        (50, (0.32, 3.3, 4.1, 1.7), (0.16, 1.2, 2.1, 1.3)),
        (900, (0.49, 1.7, 2.3, 1.45), (0.10, 0.20, 0.4, 0.4)),
        (1000, (0.465, 1.13, 4.67, 4.01), (0.064, 0.12, 0.15, 0.11)),
    ),
    # cGANs on digits, cross-entropy and hinge
    "cross-entropy": (
        BCE,
        (50, (0.76, 1.27, 0.83, 0.37), (0.30, 0.57, 0.13, 0.16)),
        (50, (0.59, 2.12, 0.84, 0.23), (0.39, 0.81, 0.10, 0.18)),
        (400, (0.66, 2.05, 0.80, 0.24), (0.25, 0.77, 0.10, 0.14)),
        (1500, (1.24, 0.85, 0.55, 0.45), (0.05, 0.04, 0.024, 0.025)),
    ),
    "hinge": (
        RAW,
        (100, (0.66, 1.1, 1.57, -1.0), (0.33, 0.65, 0.83, 0.63)),
        (200, (1.03, 0.91, 0.90, -0.80), (0.18, 0.44, 0.47, 0.45)),
        (900, (1.48, 0.44, 0.30, -0.38), (0.10, 0.17, 0.2, 0.2)),
    ),
}
"""(iterations, means, deviations) of real trainings."""

CALM = ((1.24, 0.85, 0.55, 0.45), (0.05, 0.04, 0.024, 0.025))
WON = ((0.01, 12.0, 0.99, 0.01), (0.01, 3.0, 0.01, 0.01))
BLIND = ((1.42, 0.68, 0.495, 0.511), (0.006, 0.009, 0.005, 0.005))


def evaluations(figures: Figures) -> Callable[[Engine], None]:
    """Does to the metrics what a `GanTrainer` and `GenerationMetrics` do."""

    def put(made: Engine) -> None:
        made.state.metrics.clear()
        made.state.metrics |= figures.get(made.state.epoch, {})

    return put


def judged(*pairs: tuple[float, float], first: int = 1) -> Figures:
    """Distances and excesses, epoch by epoch."""
    return {
        epoch: {FD: distance, "msssim_excess": excess}
        for epoch, (distance, excess) in enumerate(pairs, first)
    }


def watched(
    outputs: list[Output],
    figures: Figures | None = None,
    *,
    per_epoch: int = 100,
    **options: Any,
) -> tuple[Any, Callable[[], object]]:
    """An engine that is watched, and what runs it."""
    made, run = engine(outputs, per_epoch=per_epoch)
    made.add_event_handler(Events.EPOCH_COMPLETED, evaluations(figures or {}))
    CollapseMonitor(**{"distance": FD, **options}).attach(made)
    return made, run


def told(caplog: pytest.LogCaptureFixture, made: Callable[[], object]) -> list[str]:
    """What is logged while something is done."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "medaug"):
        made()
    return [one.getMessage() for one in caplog.records if one.name == "medaug"]


# Step one: losses


@pytest.mark.parametrize("seed", [0, 100])
@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_losses_ring_nothing(
    name: str, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where the discriminator leads, in the first hundred iterations."""
    names, *parts = HEALTHY[name]
    _, run = watched(stretches(names, *parts, seed=seed))
    assert told(caplog, run) == []


@pytest.mark.parametrize(
    ("names", "means"),
    [
        (BCE, (0.01, 12.0, 0.99, 0.01)),
        (BCE, (0.34, 11.0, 0.9, 0.01)),  # label smoothing keeps Loss_D up
        (RAW, (0.001, 9.0, 12.0, 3.0)),  # relativistic
        (RAW, (0.0, 1.5, 1.6, -1.5)),  # hinge: all beyond the margins
        (RAW, (0.0, 163.0, 180.0, -163.0)),
    ],
)
def test_a_discriminator_that_has_won(
    names: tuple[str, ...], means: tuple[float, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, after two windows, in figures, with what to do; whatever the loss is."""
    _, run = watched(stretches(names, (500, means, (0.0, 0.1, 0.01, 0.01))))
    (line,) = told(caplog, run)
    assert "iteration 200 " in line
    assert "the discriminator has won" in line
    assert f"Loss_D {means[0]:.3g}, Loss_G {means[1]:.2g}"[:18] in line
    assert "losses alone are unreliable" in line
    assert "docs/how-to/read-a-training.md" in line


def test_a_lead_of_one_window_is_none(caplog: pytest.LogCaptureFixture) -> None:
    """Runs come back from it."""
    _, run = watched(stretches(BCE, (300, *CALM), (100, *WON), (400, *CALM)))
    lines = told(caplog, run)
    assert not any("has won" in line for line in lines)


def test_the_end_of_an_episode_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Two windows without the sign end it; the next time is another episode."""
    outputs = stretches(BCE, (300, *WON), (100, *CALM), (100, *WON), (300, *CALM), (200, *WON))
    _, run = watched(outputs)
    lines = [line for line in told(caplog, run) if "has won" in line]
    assert [line.split(" that ")[0] for line in lines] == [
        "losses up to iteration 200 suggest",
        "losses up to iteration 700 no longer suggest",
        "losses up to iteration 1000 suggest",
    ]


@pytest.mark.parametrize(
    ("names", "scores", "shown"),
    [
        (BCE, (0.495, 0.511), "D(x) 0.495, D(G(z)) 0.511"),
        (RAW, (5.25, 5.5), "score(x) 5.25, score(G(z)) 5.5"),
    ],
)
def test_a_discriminator_that_cannot_tell(
    names: tuple[str, ...],
    scores: tuple[float, float],
    shown: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """D(G(z)) above D(x), as in the collapsed training of the guide; raw scores alike."""
    _, run = watched(stretches(names, (400, (1.42, 0.68, *scores), (0.01, 0.01, 0.0, 0.0))))
    (line,) = told(caplog, run)
    assert "as real as real ones (often mode collapse)" in line
    assert shown in line


def test_swinging_losses(caplog: pytest.LogCaptureFixture) -> None:
    """A range above four times the usual one is told, once; half of that isn't."""
    means, (d_loss, g_loss, real, made) = CALM
    _, run = watched(stretches(BCE, (600, *CALM), (200, means, (d_loss, 2 * g_loss, real, made))))
    assert told(caplog, run) == []
    _, run = watched(stretches(BCE, (600, *CALM), (200, means, (d_loss, 6 * g_loss, real, made))))
    (line,) = told(caplog, run)
    assert "iteration 700 " in line
    assert "unstable" in line
    assert "ranges by the median of those before" in line


def test_a_spike_is_no_swing(caplog: pytest.LogCaptureFixture) -> None:
    """Four iterations of a hundred, thousandfold."""
    outputs = stretches(BCE, (700, *CALM))
    for row in outputs[640:644]:
        row |= {"d_loss": 1e3, "g_loss": 1e3}
    _, run = watched(outputs)
    assert told(caplog, run) == []


def test_what_is_usual_takes_five_windows(caplog: pytest.LogCaptureFixture) -> None:
    """A start is no run to compare with."""
    wide = ((1.24, 0.85, 0.55, 0.45), (0.05, 0.3, 0.02, 0.02))
    _, run = watched(stretches(BCE, (400, *CALM), (100, *wide)))
    assert told(caplog, run) == []


def test_figures_of_some_steps_are_enough(caplog: pytest.LogCaptureFixture) -> None:
    """A generator that is stepped every fifth time; not one that is stepped every twentieth."""
    for every, heard in ((5, 1), (20, 0)):
        outputs = stretches(BCE, (200, *WON))
        for index, row in enumerate(outputs):
            if index % every:
                del row["g_loss"]
        _, run = watched(outputs)
        assert len(told(caplog, run)) == heard


def test_what_is_no_number_counts_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Nor does what is missing."""
    outputs: list[Output] = [{"loss": 1.0, "g_loss": float("nan")} for _ in range(300)]
    _, run = watched(outputs, judged(*[(float("nan"), 0.1)] * 3), stop=True, per_epoch=100)
    assert told(caplog, run) == []


# Step two: evaluations. One iteration an epoch, so that step one never has a window.

GOOD, BAD = (10.0, 0.01), (13.0, 0.12)
QUIET = [dict.fromkeys(BCE, 0.5)] * 12


def heard(caplog: pytest.LogCaptureFixture, figures: Figures, **options: Any) -> list[str]:
    """What evaluations alone give cause to say."""
    _, run = watched(QUIET, figures, per_epoch=1, **options)
    return told(caplog, run)


def test_both_figures_worse_three_times_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """With figures, the best epoch, and what to do."""
    (line,) = heard(caplog, judged((20.0, 0.3), GOOD, BAD, BAD, BAD, BAD, BAD))
    assert line == (
        "a sign of mode collapse after epoch 5: 3 evaluations in a row, images of a class have "
        "been more alike and farther from real ones than after epoch 2: fd_domain 13, was 10; "
        "msssim_excess +0.120, was +0.010; losses give no sign: look at the samples; the best "
        "model is the one to use (docs/how-to/read-a-training.md)"
    )


@pytest.mark.parametrize(
    "then",
    [
        (13.0, 0.05),  # as diverse as before
        (11.9, 0.12),  # less than 20 % farther
        (13.0, 0.059),  # less than 0.05 more alike
        (13.0, -0.045),
    ],
)
def test_one_figure_is_not_enough(
    then: tuple[float, float], caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is what draws of few images do."""
    assert heard(caplog, judged(GOOD, *[then] * 8)) == []


def test_it_must_be_in_a_row(caplog: pytest.LogCaptureFixture) -> None:
    """An evaluation between that isn't worse begins the count anew."""
    assert heard(caplog, judged(GOOD, BAD, BAD, (11.0, 0.02), BAD, BAD)) == []


def test_evaluations_need_not_be_of_every_epoch(caplog: pytest.LogCaptureFixture) -> None:
    """Epochs without figures, or with such as are no numbers, neither count nor break the row."""
    figures = judged(GOOD)
    figures |= {3: judged(BAD)[1], 4: {FD: 99.0}, 6: judged(BAD)[1]}
    figures |= {7: {FD: float("nan"), "msssim_excess": 0.9}, 9: judged(BAD)[1]}
    (line,) = heard(caplog, figures)
    assert "after epoch 9:" in line


def test_patience(caplog: pytest.LogCaptureFixture) -> None:
    """So many evaluations, and not one fewer."""
    for patience in (1, 4):
        figures = judged(GOOD, *[BAD] * patience)
        assert len(heard(caplog, figures, patience=patience)) == 1
        assert heard(caplog, figures, patience=patience + 1) == []
    with pytest.raises(ConfigError, match="patience must be at least 1, got 0"):
        CollapseMonitor(distance=FD, patience=0)


def test_images_that_fall_apart(caplog: pytest.LogCaptureFixture) -> None:
    """Less alike than real ones, and than at the best: noise, which is no diversity."""
    (line,) = heard(caplog, judged(GOOD, *[(40.0, -0.2)] * 3))
    assert line.startswith("a sign of divergence after epoch 4")
    assert "falling apart" in line


@pytest.mark.parametrize(("best", "then"), [(-0.2, -0.1), (0.3, 0.1), (-0.2, 0.04), (0.3, -0.04)])
def test_nearer_to_real_is_not_worse(
    best: float, then: float, caplog: pytest.LogCaptureFixture
) -> None:
    """More alike than at the best epoch, but not than real images; or the other way round."""
    assert heard(caplog, judged((10.0, best), *[(13.0, then)] * 4)) == []


def test_noise_at_the_start_is_no_best(caplog: pytest.LogCaptureFixture) -> None:
    """Its MS-SSIM is the lowest of all, so that a healthy run would seem to collapse ever after."""
    falling = [(200.0 / step, min(0.1, -0.4 + 0.1 * step)) for step in range(1, 9)]
    assert heard(caplog, judged(*falling)) == []


def test_the_end_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The next time is another episode; between the two the best goes on."""
    better = (8.0, 0.0)
    first, over, again = heard(caplog, judged(GOOD, BAD, BAD, BAD, better, BAD, BAD, BAD))
    assert "after epoch 4:" in first
    assert over == (
        "images after epoch 5 are no longer worse than after epoch 1: fd_domain 8, was 10; "
        "msssim_excess +0.000, was +0.010"
    )
    assert "than after epoch 5: fd_domain 13, was 8" in again


def test_without_a_distance(caplog: pytest.LogCaptureFixture) -> None:
    """MS-SSIM decides, at its best where it is nearest to that of real images."""
    figures = judged((0, -0.3), (0, 0.02), (0, 0.06), (0, 0.1), (0, 0.12), (0, 0.2))
    (line,) = heard(caplog, figures, distance=None)
    assert "after epoch 2: msssim_excess +0.200, was +0.020;" in line
    assert FD not in line


def test_evaluations_alone_end_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """However bad they are."""
    made, run = watched(QUIET, judged(GOOD, *[(99.0, 0.9)] * 11), per_epoch=1, stop=True)
    told(caplog, run)
    assert made.state.epoch == 12


# Both steps

FALLING = stretches(BCE, (300, *CALM), (700, *BLIND))
"""A collapse after epoch 3, of 10; the losses ring at the end of epoch 5."""
COLLAPSE = judged(GOOD, GOOD, (9.0, 0.0), *[BAD] * 7)


def test_losses_alone_end_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Whether evaluations are good or there are none."""
    for figures in ({}, judged(*[GOOD] * 10)):
        made, run = watched(FALLING, figures, stop=True)
        lines = told(caplog, run)
        assert made.state.epoch == 10
        assert len(lines) == 1


def test_both_steps_end_the_training(caplog: pytest.LogCaptureFixture) -> None:
    """At the third bad evaluation, with a word on where the best model is."""
    made, run = watched(FALLING, COLLAPSE, stop=True)
    first, last = told(caplog, run)
    assert made.state.epoch == 6
    assert "iteration 500 suggest" in first
    assert last.startswith("mode collapse is confirmed after epoch 6: 3 evaluations in a row")
    assert "the training ends here; epoch 3, best by fd_domain, is in model_best.pt" in last


def test_nothing_is_ended_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """The same is said, once, with what to do."""
    made, run = watched(FALLING, COLLAPSE)
    _, last = told(caplog, run)
    assert made.state.epoch == 10
    assert "confirmed after epoch 6" in last
    assert "losses say so too: end it, use the best model, and change the settings" in last


def test_losses_that_ring_later_confirm(caplog: pytest.LogCaptureFixture) -> None:
    """First a sign, then, in the same stretch, the confirmation."""
    outputs = stretches(BCE, (700, *CALM), (300, *BLIND))
    made, run = watched(outputs, COLLAPSE, stop=True)
    sign, losses, confirmed = told(caplog, run)
    assert sign.startswith("a sign of mode collapse after epoch 6")
    assert "iteration 900 " in losses
    assert confirmed.startswith("mode collapse is confirmed after epoch 9: 6 evaluations")
    assert made.state.epoch == 9


def test_losses_that_rang_in_the_stretch_count_when_they_are_calm_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They were the suspicion; the images have decided."""
    outputs = stretches(BCE, (300, *CALM), (200, *BLIND), (500, *CALM))
    made, run = watched(outputs, COLLAPSE, stop=True, patience=6)
    told(caplog, run)
    assert made.state.epoch == 9


def test_losses_that_rang_long_before_do_not_count(caplog: pytest.LogCaptureFixture) -> None:
    """Between them and the bad evaluations there was a good one."""
    outputs = stretches(BCE, (200, *BLIND), (800, *CALM))
    figures = judged(GOOD, GOOD, GOOD, GOOD, (9.0, 0.0), *[BAD] * 5)
    made, run = watched(outputs, figures, stop=True)
    lines = told(caplog, run)
    assert made.state.epoch == 10
    assert "as real as" in lines[0]
    assert "no longer suggest" in lines[1]
    assert lines[2].startswith("a sign of mode collapse after epoch 8")


# Going on


class CrashError(Exception):
    """Ends a run as a crash does."""


def crash_at(made: Any, after: int, run: Callable[[], object]) -> None:
    """Run to an iteration, write a checkpoint there when all handlers are done, and crash."""

    def crash() -> None:
        if made.state.iteration == after:
            made.fire_event(GanEvents.CHECKPOINT_STARTED)
            raise CrashError

    event = Events.EPOCH_COMPLETED if after % 100 == 0 else Events.ITERATION_COMPLETED
    made.add_event_handler(event, crash)
    with pytest.raises(CrashError):
        run()


def gone_on(outputs: list[Output], figures: Figures, after: int, path: Path | None) -> Any:
    """The engine that goes on from there, and its run; from iteration 0, anew."""
    made, _ = watched(outputs, figures, path=path, stop=True)
    made.load_state_dict({"iteration": after, "epoch_length": 100, "max_epochs": 10})
    return made, lambda: made.run([0] * 100, max_epochs=10)


@pytest.mark.parametrize("after", [37, 100, 250, 470, 500, 501, 555])
def test_a_run_that_goes_on_says_and_does_the_same(
    after: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the middle of a window, between two warnings, within the stretch."""
    whole, run = watched(FALLING, COLLAPSE, stop=True)
    expected = told(caplog, run)
    path = tmp_path / "new" / "collapse.json"
    made, run = gone_on(FALLING, COLLAPSE, 0, path)
    before = told(caplog, lambda: crash_at(made, after, run))
    made, run = gone_on(FALLING, COLLAPSE, after, path)
    assert before + told(caplog, run) == expected
    assert made.state.iteration == whole.state.iteration


def test_every_figure_is_taken_up_exactly(tmp_path: Path) -> None:
    """The record after going on is, to the last bit, that of the run that never stopped."""
    records = []
    for name, stops in (("one", (0, 666)), ("two", (0, 123, 400, 666))):
        path = tmp_path / name / "collapse.json"
        for before, after in pairwise(stops):
            made, run = gone_on(FALLING, judged(GOOD, BAD), before, path)
            crash_at(made, after, run)
        records.append(json.loads(path.read_text())["666"])
    assert records[0] == records[1]


def test_without_a_record_it_begins_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And says so; what it sees from there on is its best."""
    damaged, older = tmp_path / "damaged.json", tmp_path / "older.json"
    damaged.write_text('{"500": {')
    older.write_text('{"500": {"of": "another version"}}')
    for path in (None, tmp_path / "none.json", damaged, older):
        made, run = gone_on(FALLING, COLLAPSE, 500, path)
        lines = told(caplog, run)
        assert "no record of iteration 500: collapse is watched for anew" in lines
        assert any("can't be read" in line for line in lines) == (path == damaged)
        assert any("suggest" in line for line in lines)
        assert made.state.epoch == 10


def test_the_record_keeps_three_and_none_of_a_run_that_was_left(tmp_path: Path) -> None:
    """So that a damaged checkpoint can be passed over for the one before it."""
    path = tmp_path / "collapse.json"
    made, run = watched(stretches(BCE, (500, *CALM)), path=path)
    made.add_event_handler(
        Events.EPOCH_COMPLETED, lambda e: e.fire_event(GanEvents.CHECKPOINT_STARTED)
    )
    run()
    assert [*json.loads(path.read_text())] == ["300", "400", "500"]
    made, _ = watched(stretches(BCE, (500, *CALM)), path=path)
    made.load_state_dict({"iteration": 300, "epoch_length": 100, "max_epochs": 4})
    made.add_event_handler(
        Events.ITERATION_COMPLETED(once=350), lambda e: e.fire_event(GanEvents.CHECKPOINT_STARTED)
    )
    made.run([0] * 100, max_epochs=4)
    assert [*json.loads(path.read_text())] == ["300", "350"]


def test_checkpoints_of_a_trainer_have_their_record(tmp_path: Path) -> None:
    """Also where training goes on."""
    path = tmp_path / "collapse.json"

    def train(epochs: int) -> None:
        handlers = [
            ModelSaver(tmp_path / "models", interval=1, settings={}, resume=True),
            CollapseMonitor(distance=FD, path=path),
        ]
        toy_trainer(max_epochs=epochs, train_handlers=handlers).run()

    train(1)
    train(3)
    saved = sorted((tmp_path / "models").glob("resume_*.pt"))
    assert [int(file.stem.removeprefix("resume_")) for file in saved] == [6, 9]
    assert [*json.loads(path.read_text())] == ["3", "6", "9"]
    assert len(json.loads(path.read_text())["9"]["losses"]["window"]["d_loss"]) == 9


# Several processes


def main(folder: Path) -> None:
    """Two ranks, of which only the first has figures, as `GenerationMetrics` gives them."""

    def job() -> None:
        start_distributed()
        logging.basicConfig(filename=folder / f"log_{idist.get_rank()}.txt", format="%(message)s")
        made, run = watched(FALLING, COLLAPSE if idist.get_rank() == 0 else {}, stop=True)
        run()
        (folder / f"epoch_{idist.get_rank()}.txt").write_text(str(made.state.epoch))
        stop_distributed()

    sys.exit(any(ranks(2, job)))


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_all_ranks_end_alike(tmp_path: Path) -> None:
    """By rank 0's figures; it alone speaks."""
    done = python("-m", "tests.handlers.test_collapse", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / f"epoch_{rank}.txt").read_text() for rank in range(2)] == ["6", "6"]
    assert "confirmed" in (tmp_path / "log_0.txt").read_text()
    assert (tmp_path / "log_1.txt").read_text() == ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
