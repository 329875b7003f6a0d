"""The set of handlers of every GAN bundle."""

import json
from pathlib import Path
from typing import Any

import pytest
from monai.handlers import TensorBoardStatsHandler
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medaug.engines import BestModelSaver, GanTrainer, ModelSaver
from medaug.handlers import (
    CollapseMonitor,
    GenerationMetrics,
    MetricsCSV,
    ProgressBar,
    SampleGrid,
    gan_handlers,
)

from ..engines.toy import images, toy_trainer

CLASSES = ("dark", "bright")


def trained(folder: Path, **changes: Any) -> tuple[GanTrainer, list[Any]]:
    """A toy training with the handlers; it and them."""
    handlers = gan_handlers(
        folder,
        dataset=images(),
        validation=images(12),
        classes=CLASSES,
        interval=1,
        settings={"image_size": 32},
    )
    trainer = toy_trainer(train_handlers=handlers, **changes)
    trainer.run()
    return trainer, handlers


def position(handlers: list[Any], kind: type) -> int:
    return next(index for index, handler in enumerate(handlers) if isinstance(handler, kind))


def test_order_lets_each_see_what_it_needs(tmp_path: Path) -> None:
    """The model is saved before anything can fail; figures are made before they are written."""
    handlers = gan_handlers(
        tmp_path, dataset=[], validation=[], classes=CLASSES, interval=1, settings={}
    )
    kinds = (ModelSaver, GenerationMetrics, BestModelSaver, CollapseMonitor, MetricsCSV)
    places = [position(handlers, kind) for kind in kinds]
    assert places[0] == 0
    assert places == sorted(places)
    assert position(handlers, TensorBoardStatsHandler) > places[1]
    assert {type(handler) for handler in handlers} >= {SampleGrid, ProgressBar}


def test_a_training_leaves_all_results(tmp_path: Path) -> None:
    """Every file that the docstring promises, and none beside them."""
    trained(tmp_path)
    found = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    events = {name for name in found if name.startswith("tensorboard/events.out.tfevents.")}
    assert len(events) == 1
    assert found - events == {
        "models/model.pt",
        "models/model.json",
        "models/model_best.pt",
        "models/model_best.json",
        "models/resume_000000003.pt",
        "models/resume_000000006.pt",
        "models/collapse_monitor.json",
        "samples/epoch_0001.png",
        "samples/epoch_0002.png",
        "evaluation.json",
        "evaluations.jsonl",
        "metrics.csv",
        "iterations.csv",
    }
    model = json.loads((tmp_path / "models" / "model.json").read_text())
    assert model == {"image_size": 32, "classes": ["dark", "bright"], "epoch": 2}


def test_evaluations_stand_in_the_csv_and_on_the_board(tmp_path: Path) -> None:
    """The figures of an epoch are in that epoch's row, and TensorBoard has them too."""
    trainer, _ = trained(tmp_path)
    header, first, second = (tmp_path / "metrics.csv").read_text().splitlines()
    names = [name for name in header.split(",") if name.startswith("msssim_w")]
    ends = ["dark", "dark_real", "bright", "bright_real"]
    assert [name.partition("scales_")[2] for name in names] == ends
    names += ["fd_domain", "hyperscore"]
    for row in (first, second):
        values = dict(zip(header.split(","), row.split(","), strict=True))
        assert all(0 <= float(values[name]) <= 1 for name in names[:4])
        assert float(values["fd_domain"]) > 0
        assert 100 <= float(values["hyperscore"]) < 112
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    scalars = set(board.Tags()["scalars"])
    assert {*names, "d_loss", "g_loss", "d_real"} <= scalars
    assert [event.step for event in board.Scalars("d_loss")] == [1, 2, 3, 4, 5, 6]
    assert board.Scalars("d_real")[-1].value == pytest.approx(trainer.state.output["d_real"])
