"""The bundle hrgan_dtcr judges what it made, on its test patients, and says what is wrong first."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from medaug.bundle import CineEvaluationWriter
from medaug.data import CineCollection
from medaug.errors import UserError
from medaug.evaluation import Evaluation, find
from medaug.phantoms import cardiac_cines

from ..bundle.process import TRUSTED, as_it_was, mistake
from ..evaluation.cines import vgg16
from ..launch import python
from ..report.fakes import evaluation
from .cine_run import MODALITIES, cine_run
from .every import configs, workflow

pytestmark = TRUSTED
NAME = "hrgan_dtcr"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fifty small hearts."""
    folder = tmp_path_factory.mktemp("hearts")
    return cardiac_cines(num_sequences=50, size=64, num_frames=5, folder=folder, progress=False)


@pytest.fixture(scope="module")
def run(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training leaves, of these hearts."""
    conditions = {"ejection_fraction": [0.1, 0.8]}
    found = CineCollection(data, conditions=conditions, progress=False)
    folder = tmp_path_factory.mktemp("trained") / "run"
    cine_run(folder, use_aiin=False, data=found.fingerprint, seed=0)
    (folder / "metrics.csv").write_text(
        "epoch,iteration,lambda,resolution\n1,2,0.1,64\n2,4,0.2,128\n"
    )
    return folder


def settings(data: str, run: Path, folder: Path, **changes: Any) -> dict[str, Any]:
    """Of a small evaluation."""
    return {
        "run_dir": str(run),
        "output_dir": str(folder / "evaluation"),
        "dataset_dir": data,
        "cache_dir": str(folder / "pyramids"),
        "sequences_per_modality": 3,
        "resolution": 64,
    } | changes


def test_an_evaluation_is_a_table_and_a_page(
    data: str, run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """On test patients, ejection fractions asked for over their range, at the resolution wanted."""
    asked = settings(data, run, tmp_path, vgg_weights=str(vgg16(tmp_path)))
    with as_it_was(), caplog.at_level(logging.INFO, "medaug"):
        workflow(NAME, "evaluate", **asked).run()
    out = tmp_path / "evaluation"
    found = Evaluation.load(out / "evaluation.json")
    collection = CineCollection(data, conditions={"ejection_fraction": [0.1, 0.8]}, progress=False)
    wanted = {"train": len(collection.train), "held_out": len(collection.test), "synthetic": 12}
    assert found.counts == wanted
    assert found.classes == tuple(MODALITIES)
    assert found.left_out == {}
    ours = [one.asked for one in found.readings if one.source == "synthetic"]
    assert len(ours) == 9
    assert all(0.1 <= one <= 0.8 for one in ours)
    assert len(set(ours)) == 9
    known = {round(item["conditions"][0], 4) for item in collection.test}
    assert {round(one.asked, 4) for one in found.readings if one.source == "real"} <= known
    for name in ("fd_domain", "clip_fd_domain", "psnr_to_nearest", "motion_energy_ratio",
                 "frame_distance_vgg16_relu3_3_ratio", "ejection_fraction_found"):  # fmt: skip
        assert find(found.figures, name) is not None, name
    page = (out / "report.html").read_text(encoding="utf-8")
    for section in ("Film strips and M-mode", "Over the training", "Ejection fraction"):
        assert section in page
    assert data not in page
    assert "report.html" in caplog.text
    assert "not the split" not in caplog.text


def refused(**overrides: Any) -> str:
    """The message of the UserError that an evaluation ends with."""
    with as_it_was(), pytest.raises((RuntimeError, UserError)) as raised:
        workflow(NAME, "evaluate", **overrides).run()
    return str(mistake(raised.value))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolutoin": 64}, r"--resolutoin is not a key.*did you mean --resolution\?"),
        ({"resolution": 256}, r"--resolution must be one of \[64, 128\].*got 256"),
        ({"sequences_per_modality": 0}, "--sequences_per_modality must be at least 1, got 0"),
        ({"sequences_per_modality": 2}, "synthetic sequences must be at least 10 .*, got 8"),
        ({"extractors": ["resnet"]}, "extractor must be inception2015, .* got 'resnet'"),
        (
            {"vgg_weights": "gone.pth"},
            "weights of vgg16 must be a file, got no such file: gone.pth",
        ),
        ({"ratings": "gone.csv"}, "ratings must be a file that can be read, got gone.csv"),
        ({"data#test": 0.0}, "must have sequences to test by, got none"),
        ({"data#test": 0.05}, r"held_out sequences must be at least 10 .*, got \d"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_mistake_is_one_line(
    changes: dict[str, Any], message: str, data: str, run: Path, tmp_path: Path
) -> None:
    """Refused with what must be, and nothing written."""
    text = refused(**settings(data, run, tmp_path, **changes))
    assert re.search(message, text), text
    assert "\n" not in text
    assert not (tmp_path / "evaluation" / "report.html").exists()


def test_without_a_model_it_says_to_train(tmp_path: Path) -> None:
    """Before any sequence is read."""
    text = refused(run_dir=str(tmp_path / "no_run"), dataset_dir="x")
    assert text.startswith(f"{tmp_path / 'no_run'}/models/model.pt is not there: train first")


def test_other_data_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A split that isn't the training's may hold out what was learned from."""
    writer = CineEvaluationWriter(
        [{}] * 9, [], ("mri",), tmp_path, conditions={}, title="", extractors=[], same_data=False
    )
    notes = writer._noted(evaluation(), 7).left_out
    assert notes["training sequences"] == "7 of 9 were looked at"
    assert notes["memorisation"].startswith("these are not the sequences, or not the split")
    assert notes["memorisation"] in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtcr_schedule": "cubic"}, r"--dtcr_schedule must be one of .* got 'cubic'"),
        ({"dtcr_schedule": "validated", "data#validation": 0.0}, "must have sequences to validate"),
        ({"dtcr_schedule": "validated"}, "must have --dtcr_target zero, .* got 'real'"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    changes: dict[str, Any], message: str, data: str, tmp_path: Path
) -> None:
    """Before anything is written."""
    with as_it_was(), pytest.raises((RuntimeError, UserError)) as raised:
        workflow(NAME, "train", dataset_dir=data, output_dir=str(tmp_path / "out"), **changes)
    assert re.search(message, str(mistake(raised.value)))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_trained_and_judged_from_the_command_line(data: str, tmp_path: Path) -> None:
    """λ moved by validation; evaluate.json finds all that it needs in the run's folder."""
    weights = str(vgg16(tmp_path))
    small = {
        "stages": [{"resolution": 64, "images": 8, "batch_size": 2, "num_frames": 4}],
        "epoch_length": 2, "val_interval": 1, "latent_dim": 8, "amp": False,
        "generator_options": {"channels": [4, 4], "style_dim": 8},
        "discriminator_options": {"channels": [4, 4]},
        "dtcr_target": "zero", "dtcr_schedule": "validated", "slices": "each",
    }  # fmt: skip
    place = {"dataset_dir": data, "cache_dir": str(tmp_path / "pyramids"), "vgg_weights": weights}
    for name, given in (
        ("train", small | place | {"output_dir": "run"}),
        ("evaluate", place | {"run_dir": "run", "sequences_per_modality": 3}),
    ):
        (config,) = configs(NAME, name)
        words = [word for key, value in given.items() for word in (f"--{key}", str(value))]
        run = python("-m", "monai.bundle", "run", "--config_file", config, *words, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
    assert "frame_distance_ratio" in (tmp_path / "run" / "metrics.csv").read_text()
    assert json.loads((tmp_path / "run" / "models" / "model.json").read_text())["slices"] == "each"
    found = Evaluation.load(tmp_path / "run" / "evaluation" / "evaluation.json")
    assert found.left_out == {}
    assert "not the split" not in run.stderr
    page = (tmp_path / "run" / "evaluation" / "report.html").read_text(encoding="utf-8")
    assert "Fade-in α" in page
    assert "Do the hearts stand still, or flicker?" in run.stdout + run.stderr
