"""metrics.csv: a row an epoch."""

import csv
from pathlib import Path

import pytest
from ignite.engine import Engine, Events

from medaug.errors import UserError
from medaug.handlers import MetricsCSV
from medaug.handlers._metrics_csv import Table

from ..engines.test_saver import full_disk
from ..engines.toy import toy_trainer
from .fakes import engine


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_rows_hold_the_epochs_means(tmp_path: Path) -> None:
    """Three steps an epoch, means as by hand."""
    outputs = [{"loss": value, "d_loss": -value} for value in (1.0, 2.0, 6.0, 0.5, 0.5, 0.8)]
    made, run = engine(outputs, per_epoch=3)
    MetricsCSV(tmp_path / "new" / "metrics.csv").attach(made)
    run()
    assert rows(tmp_path / "new" / "metrics.csv") == [
        {"epoch": "1", "iteration": "3", "loss": "3", "d_loss": "-3"},
        {"epoch": "2", "iteration": "6", "loss": "0.6", "d_loss": "-0.6"},
    ]


def test_a_figure_of_some_steps_is_averaged_over_those(tmp_path: Path) -> None:
    """A penalty of every second step isn't halved by the steps without it."""
    outputs = [{"loss": 1.0}, {"loss": 1.0, "r1": 4.0}, {"loss": 1.0}, {"loss": 1.0, "r1": 2.0}]
    made, run = engine(outputs, per_epoch=4)
    MetricsCSV(tmp_path / "metrics.csv").attach(made)
    run()
    assert rows(tmp_path / "metrics.csv")[0]["r1"] == "3"


def test_a_late_column_is_added(tmp_path: Path) -> None:
    """Empty in the rows before; an epoch without it is empty again."""
    outputs = [{"loss": 1.0}, {"loss": 2.0, "r1": 0.5}, {"loss": 3.0}]
    made, run = engine(outputs)
    MetricsCSV(tmp_path / "metrics.csv").attach(made)
    run()
    assert [row["r1"] for row in rows(tmp_path / "metrics.csv")] == ["", "0.5", ""]
    assert [row["loss"] for row in rows(tmp_path / "metrics.csv")] == ["1", "2", "3"]


def test_the_engines_metrics_stand_in_the_row(tmp_path: Path) -> None:
    """What a handler before it puts into `engine.state.metrics`."""
    made, run = engine([{"loss": 1.0}, {"loss": 1.0}])
    made.add_event_handler(
        Events.EPOCH_COMPLETED(once=2), lambda e: e.state.metrics.update(msssim=0.123456789)
    )
    MetricsCSV(tmp_path / "metrics.csv").attach(made)
    run()
    assert [row["msssim"] for row in rows(tmp_path / "metrics.csv")] == ["", "0.123457"]


def reraise(_: Engine, error: BaseException) -> None:
    raise error


def test_rows_are_there_while_the_run_goes_on(tmp_path: Path) -> None:
    """Whatever happens later, the finished epochs can be read; an old file is replaced."""
    path = tmp_path / "metrics.csv"
    path.write_text("an earlier training\n")

    def fail(iteration: int) -> None:
        if iteration == 3:
            raise RuntimeError("broken")

    made, run = engine([{"loss": 1.0}] * 3, before=fail)
    MetricsCSV(path).attach(made)
    made.add_event_handler(Events.EXCEPTION_RAISED, reraise)
    with pytest.raises(RuntimeError, match="broken"):
        run()
    assert [row["epoch"] for row in rows(path)] == ["1", "2"]
    assert [row["iteration"] for row in rows(path.with_name("iterations.csv"))] == ["1", "2"]


def test_a_training_fills_it(tmp_path: Path) -> None:
    """The real engine's figures, each epoch's mean by hand."""
    trainer = toy_trainer(train_handlers=[MetricsCSV(tmp_path / "metrics.csv")])
    seen: list[float] = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: seen.append(trainer.state.output["d_loss"])
    )
    trainer.run()
    table = rows(tmp_path / "metrics.csv")
    assert [int(row["iteration"]) for row in table] == [3, 6]
    means = [sum(seen[:3]) / 3, sum(seen[3:]) / 3]
    assert [float(row["d_loss"]) for row in table] == pytest.approx(means, rel=1e-5)


def test_a_disk_that_fills_up_leaves_whole_rows(tmp_path: Path) -> None:
    """What doesn't fit isn't there in part; the error names the file."""
    path = tmp_path / "iterations.csv"
    table = Table(path, digits=6)
    table.rows = [{"iteration": 1, "loss": 0.5}]
    table.write()
    before = path.read_bytes()
    table.rows = [{"iteration": number, "loss": 0.5} for number in range(2, 100)]
    with (
        full_disk(len(before) + 10),
        pytest.raises(UserError, match=r"iterations\.csv could not be written: File too large"),
    ):
        table.write()
    assert path.read_bytes() == before
    table.write()
    assert [row["iteration"] for row in rows(path)] == [str(n) for n in range(1, 100)]


def test_a_row_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    """A process that is killed while writing leaves a part of one."""
    path = tmp_path / "iterations.csv"
    path.write_text("epoch,iteration,loss\r\n1,1,0.5\r\n1,2,0.4\r\n1,3,0.")
    table = Table(path, digits=6)
    assert [row["iteration"] for row in table.go_on("iteration", 3)] == ["1", "2"]
    assert len(rows(path)) == 2
