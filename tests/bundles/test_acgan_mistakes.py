"""Bad input to the bundle aiin_acgan: one clear message, and nothing is lost."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ..bundle.process import TRUSTED
from .acgan import SMALL, refused
from .radiographs import collection

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"max_epoch": 3}, r"--max_epoch is not a key.*did you mean --max_epochs\?"),
        ({"amp": "maybe"}, r"--amp must be true or false.*got 'maybe'"),
        ({"image_size": 48}, r"image_size must be one of \(32, 64, 128, 256\), got 48"),
        ({"image_size": "64x64"}, r"--image_size must be a whole number.*'64x64'"),
        ({"max_epochs": 0}, "--max_epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "--batch_size must be at least 1, got 0"),
        ({"batch_size": 64}, "batch_size must be at most the number of training images, .*got 64"),
        ({"resume": "nowhere.pt"}, "--resume must be .*a checkpoint that is there, got nowhere.pt"),
        ({"resume": True, "seed": 1}, "--resume must go on with the same images and splits"),
        ({"latent_dim": 0}, "--latent_dim must be at least 1, got 0"),
        ({"val_interval": 0}, "--val_interval must be at least 1, got 0"),
        ({"num_workers": -1}, "--num_workers must be at least 0, got -1"),
        ({"seed": -1}, "--seed must be at least 0, got -1"),
        ({"use_aiin": "perhaps"}, "--use_aiin must be true or false"),
        ({"aiin_windows": 4}, r"--aiin_windows must be a list, such as \[4, 4\], got 4"),
        ({"aiin_windows": [4]}, r"windows must be .*got .*\[4\]"),
        ({"aiin_windows": [0, 4]}, r"windows must be .*got .*\[0, 4\]|windows must be .*\(0, 4\)"),
        ({"aiin_threshold": 0}, "contrast_threshold must be .*got 0"),
        ({"dataset_dir": "nowhere/at/all"}, "nowhere/at/all: must be a folder.*got nothing there"),
    ],
    ids=lambda value: (
        "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else ""
    ),
)
def test_a_mistake_costs_nothing(
    overrides: dict[str, Any], message: str, run: Path, data: Path, tmp_path: Path
) -> None:
    """Refused with what must be, before earlier results are touched or anything is written."""
    out = tmp_path / "run"
    shutil.copytree(run, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    settings = SMALL | {"dataset_dir": str(data), "output_dir": str(out)} | overrides
    text = refused("train", **settings)
    assert re.search(message, text), text
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_folder_of_another_layout_is_refused(data: Path, tmp_path: Path) -> None:
    """Empty, one class only, images without classes: each by its path and what was found."""
    out = str(tmp_path / "out")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused("train", dataset_dir=str(empty), output_dir=out) == (
        f"{empty}: must hold one subfolder of images for each class, or a manifest.csv, got an "
        "empty folder"
    )
    single = tmp_path / "single"
    shutil.copytree(data / "covid", single / "covid")
    text = refused("train", dataset_dir=str(single), output_dir=out)
    assert text == f"{single}: must hold images of at least two classes, got 6 images of one: covid"
    text = refused("train", dataset_dir=str(single / "covid"), output_dir=out)
    assert text.startswith(f"{single / 'covid'}: must hold one subfolder")
    assert text.endswith("got 6 images directly inside")
    assert not Path(out).exists()


def test_unreadable_files_are_listed_at_once(data: Path, tmp_path: Path) -> None:
    """All of them, not one a run; the message says how many there are."""
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    bad = ["covid/Doe_1.png", "normal/Doe_0.png", "pneumonia/Doe_5.png"]
    for name in bad:
        (folder / name).write_bytes((folder / name).read_bytes()[:60])
    text = refused("train", dataset_dir=str(folder), output_dir=str(tmp_path / "out"))
    assert "3 of 18" in text
    assert all(name in text for name in [*bad, str(folder)])


@pytest.mark.parametrize("name", ["inference", "evaluate"])
def test_without_a_model_it_says_to_train(name: str, tmp_path: Path) -> None:
    """Before anything is written or any image is read."""
    missing = tmp_path / "no_run"
    text = refused(
        name, run_dir=str(missing), **({"dataset_dir": "x"} if name == "evaluate" else {})
    )
    assert text.startswith(f"{missing}/models/model.pt is not there: train first")
    assert not missing.exists()


def test_other_classes_are_not_evaluated(run: Path, tmp_path: Path) -> None:
    """A model and a folder of other classes have nothing to compare."""
    data = collection(tmp_path / "data", {"flu": 3, "normal": 3})
    text = refused("evaluate", run_dir=str(run), dataset_dir=str(data))
    assert "must hold the classes ['covid', 'normal', 'pneumonia']" in text


def test_an_unknown_class_is_not_made(run: Path, tmp_path: Path) -> None:
    """The model's classes are named."""
    text = refused("inference", run_dir=str(run), output_dir=str(tmp_path), class_names="flu")
    assert text.startswith("--class_names must be among ['covid', 'normal', 'pneumonia']")
