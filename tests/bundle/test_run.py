"""The beginning and the end of a training."""

import json
import logging
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from medaug.bundle import announce, start_run
from medaug.data import ImageCollection
from medaug.errors import CheckpointError, ConfigError

from ..report.fakes import evaluation


@pytest.fixture
def data(tmp_path: Path) -> ImageCollection:
    """Twelve images of six patients, whose names are in the list and in the files' names."""
    folder, rng = tmp_path / "data", np.random.default_rng(0)
    lines = ["file,label,patient"]
    for index in range(12):
        label, patient = ("covid", "normal")[index % 2], f"Mustermann{index // 2}"
        path = folder / label / f"{patient}_scan{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 7), dtype=np.uint8)).save(path)
        lines.append(f"{path.relative_to(folder).as_posix()},{label},{patient}")
    (folder / "manifest.csv").write_text("\n".join(lines))
    return ImageCollection(folder)


def test_record_says_what_the_run_is_made_of(data: ImageCollection, tmp_path: Path) -> None:
    """Versions, seed, classes, and the split by pixel hash, each image once."""
    start_run(tmp_path / "out", data, dataset_dir=tmp_path / "data", seed=5)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["seed"] == 5
    assert record["classes"] == ["covid", "normal"]
    assert record["data_fingerprint"] == data.fingerprint
    assert torch.__version__.startswith(record["versions"]["torch"])
    assert {"medaug", "monai", "numpy", "python"} <= set(record["versions"])
    for part in ("train", "validation", "test"):
        written = [(item["source_id"], item["label"]) for item in record["data"][part]]
        assert written == [(item["source_id"], item["label"]) for item in getattr(data, part)]
    hashes = [item["source_id"] for part in record["data"].values() for item in part]
    assert len(set(hashes)) == 12


def test_record_names_no_patient_and_no_file(data: ImageCollection, tmp_path: Path) -> None:
    """A hash of pixels tells nobody who it is."""
    start_run(tmp_path / "out", data, dataset_dir=tmp_path / "data", seed=0)
    text = (tmp_path / "out" / "run.json").read_text()
    assert not re.search(r"Mustermann|scan\d|\.png", text)


def test_summary_and_place_are_told(
    data: ImageCollection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """How many images are learnt from, and where the results will be."""
    with caplog.at_level(logging.INFO, "medaug"):
        start_run(tmp_path / "out", data, dataset_dir=tmp_path / "data", seed=0)
    assert "12 images of 6 patients" in caplog.text
    assert f"results go to {tmp_path / 'out'}" in caplog.text


def test_results_of_an_earlier_run_are_set_aside(data: ImageCollection, tmp_path: Path) -> None:
    """Each run's in a folder of their own; what isn't a training's stays where it is."""
    out = tmp_path / "out"
    for number in range(3):
        start_run(out, data, dataset_dir=tmp_path / "data", seed=number)
        (out / "models" / "model.pt").write_text(f"run {number}")
        (out / "metrics.csv").write_text(f"run {number}")
        if number == 0:
            (out / "notes.txt").write_text("mine")
            (out / "models_of_mine").mkdir()
    for number in range(2):
        previous = out / f"previous_{number + 1}"
        assert {path.name for path in previous.iterdir()} == {"models", "metrics.csv", "run.json"}
        assert (previous / "models" / "model.pt").read_text() == f"run {number}"
        assert json.loads((previous / "run.json").read_text())["seed"] == number
    assert {path.name for path in out.iterdir()} == {
        *("models", "metrics.csv", "run.json", "previous_1", "previous_2"),
        *("notes.txt", "models_of_mine"),
    }


def begun(data: ImageCollection, tmp_path: Path) -> Path:
    """A run's folder that has come to a checkpoint."""
    out = tmp_path / "out"
    start_run(out, data, dataset_dir=tmp_path / "data", seed=0)
    (out / "models" / "resume_000000007.pt").write_text("a checkpoint")
    (out / "metrics.csv").write_text("figures")
    return out


@pytest.mark.parametrize("resume", [True, "true", "out/models", "out/models/resume_000000007.pt"])
def test_a_run_that_goes_on_stays_where_it_is(
    resume: object, data: ImageCollection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record keeps how it began, and gets another entry each time."""
    out = begun(data, tmp_path)
    monkeypatch.chdir(tmp_path)
    first = json.loads((out / "run.json").read_text())
    for times in (1, 2):
        start_run(out, data, dataset_dir=tmp_path / "data", seed=0, resume=resume)
        record = json.loads((out / "run.json").read_text())
        assert len(record.pop("resumed")) == times
        assert record == first
    assert (out / "metrics.csv").exists()
    assert not list(out.glob("previous_*"))


@pytest.mark.parametrize("resume", [None, False, "false", "elsewhere/resume_000000003.pt"])
def test_a_run_that_begins_anew_sets_the_earlier_one_aside(
    resume: object, data: ImageCollection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a checkpoint of another folder, too."""
    out = begun(data, tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "resume_000000003.pt").write_text("a checkpoint")
    start_run(out, data, dataset_dir=tmp_path / "data", seed=0, resume=resume)
    assert (out / "previous_1" / "models" / "resume_000000007.pt").exists()
    assert not list((out / "models").glob("resume_*"))


def test_going_on_without_a_checkpoint_begins_anew(data: ImageCollection, tmp_path: Path) -> None:
    """What a killed process had come to before its first one is set aside."""
    out = begun(data, tmp_path)
    (out / "models" / "resume_000000007.pt").unlink()
    (out / ".run.json.123.tmp").write_text("half")
    start_run(out, data, dataset_dir=tmp_path / "data", seed=0, resume=True)
    assert (out / "previous_1" / "metrics.csv").exists()
    assert not list(out.glob(".*.tmp"))


@pytest.mark.parametrize(
    ("resume", "message"),
    [
        ("nowhere/resume.pt", "must be true, false or a checkpoint that is there, got nowhere/"),
        (True, "must go on with the same images and splits: those in .*run.json are others"),
    ],
)
def test_a_run_that_cannot_go_on_is_left_alone(
    resume: object, message: str, data: ImageCollection, tmp_path: Path
) -> None:
    """Above all the list of what the model was trained on, which a leak is looked for in."""
    out = begun(data, tmp_path)
    other = ImageCollection(tmp_path / "data", seed=3)
    assert other.fingerprint != data.fingerprint
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(CheckpointError, match=f"--resume {message}"):
        start_run(out, other, dataset_dir=tmp_path / "data", seed=3, resume=resume)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_processes_that_have_not_joined_are_refused(
    data: ImageCollection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would train by itself, and write over the others' results."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"overlay that joins them: .*multi_gpu_train\.json"):
        start_run(tmp_path / "out", data, dataset_dir=tmp_path / "data", seed=0)
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_made(data: ImageCollection, tmp_path: Path) -> None:
    """A file of that name stands there."""
    (tmp_path / "taken").write_text("a file")
    for place in ("taken", "taken/below"):
        with pytest.raises(
            ConfigError, match=r"--output_dir must be a folder that can be made: .*taken"
        ):
            start_run(tmp_path / place, data, dataset_dir=tmp_path / "data", seed=0)
    assert (tmp_path / "taken").read_text() == "a file"


def test_an_output_folder_among_the_images(data: ImageCollection, tmp_path: Path) -> None:
    """The next run would take its sample pictures for a class."""
    folder = tmp_path / "data"
    for place in (folder, folder / "runs"):
        with pytest.raises(ConfigError, match=r"--output_dir must lie outside of .*data, got"):
            start_run(place, data, dataset_dir=folder, seed=0)
    assert not (folder / "runs").exists()


def finished(folder: Path) -> Path:
    """A folder as a training leaves it."""
    (folder / "samples").mkdir(parents=True)
    for epoch in (20, 100, 40, 80, 60, 3, 9, 77, 31, 12):
        (folder / "samples" / f"epoch_{epoch:04d}.png").touch()
    evaluation().save(folder / "evaluation.json")
    return folder


def test_the_end_says_where_everything_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdicts, the files, and a command that can be pasted, also where names have blanks."""
    root = tmp_path / "my bundles" / "acgan"
    (root / "configs").mkdir(parents=True)
    (root / "configs" / "inference.json").touch()
    monkeypatch.chdir(tmp_path)
    out = finished(tmp_path / "my run")
    with caplog.at_level(logging.INFO, "medaug"):
        announce("my run", bundle_root=str(root))
    text = caplog.messages[-1]
    assert evaluation().summary() in text
    for path in ("models/model.pt", "samples/epoch_0100.png", "metrics.csv", "run.json"):
        assert str(out / path) in text
    words = shlex.split(text.splitlines()[-1])
    assert words[:4] == ["python", "-m", "monai.bundle", "run"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert Path(options["--config_file"]).is_file()
    assert options["--run_dir"] == "my run"


def test_a_training_without_figures_is_announced_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No table, and still the places."""
    with caplog.at_level(logging.INFO, "medaug"):
        announce(tmp_path / "run", bundle_root=str(tmp_path))
    assert "synthetic" not in caplog.text
    assert str(tmp_path / "run" / "models" / "model.pt") in caplog.text


def test_the_command_from_another_folder_is_absolute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What doesn't lie below the present folder is named in full."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    out = finished(tmp_path / "run")
    with caplog.at_level(logging.INFO, "medaug"):
        announce(out, bundle_root=str(tmp_path / "acgan"))
    command = caplog.messages[-1].splitlines()[-1]
    assert f"--config_file {tmp_path}/acgan/configs/inference.json --run_dir {out}" in command
