"""Training the bundle aiin_acgan: what it writes, and what its settings change."""

import csv
import json
import logging
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medaug.evaluation import Evaluation
from medaug.networks import ACGANGenerator

from ..bundle.process import TRUSTED
from .acgan import BUNDLE, SMALL, train, weights, workflow
from .radiographs import CLASSES, collection

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]


def test_training_writes_what_it_promises(run: Path) -> None:
    """Models, settings, checkpoint, pictures, tables, TensorBoard, the record; nothing more.

    Eighteen images leave too few patients to validate by, so no model is the best.
    """
    found = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    events = {name for name in found if name.startswith("tensorboard/events.")}
    assert len(events) == 1
    assert found - events == {
        "models/model.pt",
        "models/model.json",
        "models/resume_000000002.pt",
        "models/training_set.json",
        "models/collapse_monitor.json",
        "samples/epoch_0001.png",
        "metrics.csv",
        "iterations.csv",
        "run.json",
    }


def test_model_is_the_generator_of_the_settings(run: Path) -> None:
    """model.json builds the network that model.pt fits, and says how images were prepared."""
    settings = json.loads((run / "models" / "model.json").read_text())
    assert settings == {
        "image_size": 32,
        "latent_dim": 8,
        "generator_options": {"base_channels": 32},
        "use_aiin": True,
        "aiin_windows": [4, 4],
        "aiin_threshold": 10.0,
        "seed": 0,
        "data": json.loads((run / "run.json").read_text())["data_fingerprint"],
        "classes": list(CLASSES),
        "epoch": 1,
    }
    ACGANGenerator(image_size=32, num_classes=3, latent_dim=8).load_state_dict(weights(run))


def test_grid_has_a_row_for_each_class(run: Path) -> None:
    """Three rows of ten images of 32 pixels, 2 apart."""
    with Image.open(run / "samples" / "epoch_0001.png") as grid:
        assert (grid.mode, grid.size) == ("L", (10 * 34 - 2, 3 * 34 - 2))


def test_figures_stand_in_all_their_places(judged: Path) -> None:
    """metrics.csv, evaluation.json and TensorBoard agree; the best model goes by them."""
    with (judged / "metrics.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    board = EventAccumulator(str(judged / "tensorboard")).Reload()
    evaluation = Evaluation.load(judged / "evaluation.json")
    assert evaluation.classes == CLASSES
    for name, value in evaluation.flat().items():
        assert float(row[name]) == pytest.approx(value, rel=1e-5)
        assert board.Scalars(name)[0].value == pytest.approx(value, rel=1e-5)
    best = json.loads((judged / "models" / "model_best.json").read_text())
    assert best["fd_domain"] == evaluation.flat()["fd_domain"]
    assert {
        "d_loss",
        "g_loss",
        "score_real",
        "score_fake_before",
        "class_accuracy_real",
    } <= row.keys()


def test_record_holds_the_overrides_and_no_patient(run: Path, data: Path) -> None:
    """The configuration as it was run, the data by hash, no file or patient by name."""
    text = (run / "run.json").read_text()
    record = json.loads(text)
    assert {key: record["configuration"][key] for key in SMALL} == SMALL
    assert sum(len(part) for part in record["data"].values()) == 18
    for line in (data / "manifest.csv").read_text().splitlines()[1:]:
        file, _, patient = line.split(",")
        assert file not in text
        assert patient not in text
    assert "Doe" not in text


def test_training_says_where_everything_is(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The list is named at the start; at the end paths and the next command, which works."""
    with caplog.at_level(logging.INFO, "medaug"):
        out = train(data, tmp_path / "run")
    first, *_, last = [r.getMessage() for r in caplog.records if r.name == "medaug"]
    assert "manifest.csv" in first
    words = shlex.split(last.splitlines()[-1])
    assert (
        Path(words[words.index("--config_file") + 1]).resolve() == BUNDLE / "configs/inference.json"
    )
    assert Path(words[words.index("--run_dir") + 1]).resolve() == out


@pytest.mark.parametrize("changes", [{"seed": 1}, {"use_aiin": "false"}, {"aiin_windows": [2, 2]}])
def test_settings_change_the_model(
    changes: dict[str, Any], run: Path, data: Path, tmp_path: Path
) -> None:
    """Seed and preprocessing reach the training, the text 'false' included."""
    other = weights(train(data, tmp_path, **changes))
    assert any(not torch.equal(value, other[name]) for name, value in weights(run).items())


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_workers_and_repetition_give_the_same_weights(data: Path, tmp_path: Path) -> None:
    """Bit for bit in float32: the same seed twice, with and without workers."""
    runs = [
        weights(train(data, tmp_path / f"run{number}", amp="false", num_workers=workers))
        for number, workers in enumerate((0, 2, 0))
    ]
    for other in runs[1:]:
        assert all(torch.equal(value, other[name]) for name, value in runs[0].items())


@pytest.mark.parametrize(
    ("amp", "dtype"), [(True, torch.bfloat16), ("true", torch.bfloat16), ("false", None), (0, None)]
)
def test_amp_is_switched_by_what_a_command_line_makes_of_it(
    amp: object, dtype: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever this processor has: the text 'false' isn't taken as true."""
    monkeypatch.setattr("medaug.engines._gan.autocast_dtype", lambda _: torch.bfloat16)
    settings = SMALL | {"dataset_dir": str(data), "output_dir": str(tmp_path / "run")}
    made = workflow("train", **settings, amp=amp)
    assert made.parser.get_parsed_content("train#trainer").autocast_dtype is dtype


def test_a_class_smaller_than_a_batch_works(tmp_path: Path) -> None:
    """Two images of the rare class, batches of eight; and one image of each, batches of two."""
    cases = (("a", {"normal": 13, "rare": 2}, 8), ("b", {"x": 1, "y": 1}, 2))
    for name, counts, batch_size in cases:
        data = collection(tmp_path / name / "data", counts)
        out = train(data, tmp_path / name / "run", batch_size=batch_size)
        assert (out / "models" / "model.pt").exists()
