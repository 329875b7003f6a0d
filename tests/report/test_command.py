"""The command line: folders in, a page out."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.transforms import Resize
from torch import Tensor, nn

from medaug.data import LoadRadiograph
from medaug.errors import ConfigError, DataError
from medaug.features import Extractor
from medaug.report.__main__ import main
from medaug.report._folders import read_folders

from ..data.images import save
from ..launch import python
from .fakes import Page


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def drawn(folder: Path, classes: tuple[str, ...], count: int, seed: int, side: int = 20) -> Path:
    """A folder of noisy PNGs, with other stripes for each class; "" puts them directly inside."""
    random = np.random.default_rng(seed)
    for number, name in enumerate(classes):
        stripes = np.indices((side, side))[number % 2] // 2 % 2 * 120
        for k in range(count):
            noise = random.integers(0, 120, (side, side))
            save(folder / name / f"{seed}_p{k // 2}_{k}.png", (stripes + noise).astype(np.uint8))
    return folder


class Means(nn.Module):
    """Means over areas as features, and stripes as classes."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors and logits."""
        grey = images.mean(dim=1)
        upright, lying = grey.diff(dim=2).abs().mean((1, 2)), grey.diff(dim=1).abs().mean((1, 2))
        logits = torch.stack([lying, upright], dim=1) * 20
        return nn.functional.adaptive_avg_pool2d(grey, 3).flatten(1), logits


def test_a_page_of_two_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdicts on the terminal, the page where it is wanted, and no file's name in it."""
    means = Extractor(Means(), name="domain", protocol={"weights": "none"})
    monkeypatch.setattr("medaug.evaluation._extractors.domain", lambda *_, **__: means)
    kept: list[bool] = []
    monkeypatch.setattr("medaug.report.__main__.keep_freed_memory", lambda: kept.append(True))
    real = drawn(tmp_path / "real", ("lying", "upright"), 24, 0)
    synthetic = drawn(tmp_path / "synthetic", ("lying", "upright"), 12, 1)
    output = tmp_path / "pages" / "mine.html"
    arguments = ["--real", real, "--synthetic", synthetic, "--output", output]
    given = [*map(str, arguments), "--image-size", "16", "--title", "Stripes"]
    assert main([*given, "--patient-pattern", r"p\d+"]) == 0
    assert "Are the images of a class more alike" in capsys.readouterr().out
    assert kept == [True]
    text = output.read_text(encoding="utf-8")
    page = Page(text)
    assert page.faults == []
    assert "24 generated images" in page.words
    assert "2 classes: lying, upright" in page.words
    assert "no --held-out was given" in page.words
    assert ".png" not in text
    assert str(tmp_path) not in text


def test_the_module_runs_on_flat_folders(tmp_path: Path) -> None:
    """One class; in a process of its own."""
    real, held_out, synthetic = (
        drawn(tmp_path / name, ("",), 12, seed)
        for seed, name in enumerate(("real", "held_out", "synthetic"))
    )
    folders = ("--real", real, "--held-out", held_out, "--synthetic", synthetic)
    result = python("-m", "medaug.report", *folders, "--image-size", 16, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("the page: report.html\n")
    assert "1 class: all" in Page((tmp_path / "report.html").read_text(encoding="utf-8")).words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--real": "nowhere"}, "--real must be a folder of images, got 'nowhere'"),
        ({"--held-out": "nowhere"}, "--held-out must be a folder of images, got 'nowhere'"),
        ({"--image-size": "64"}, "--image-size must be at most 20, the smallest side"),
        ({"--image-size": "0"}, "--image-size must be at least 8, got 0"),
        ({"--held-out": "real"}, "--held-out must hold other images than --real, got 12"),
        ({"--synthetic": "few", "--held-out": "other"}, "synthetic images must be at least 10"),
        ({"--synthetic": "empty"}, "--synthetic must hold images"),
        ({"--extractors": "fancy", "--held-out": "other"}, "fancy"),
        ({"--patient-pattern": "("}, "patient_pattern must be a regular expression"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    message: str,
) -> None:
    """And end with 1."""
    monkeypatch.chdir(tmp_path)
    for seed, (name, count) in enumerate([("real", 12), ("other", 12), ("syn", 12), ("few", 3)]):
        drawn(tmp_path / name, ("",), count, seed)
    (tmp_path / "empty").mkdir()
    options = {"--real": "real", "--synthetic": "syn", "--image-size": "16"} | change
    assert main([part for pair in options.items() for part in pair]) == 1
    told = capsys.readouterr().err.strip().splitlines()
    assert told[-1].startswith("medaug: ")
    assert message in told[-1]
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("arguments", [[], ["--real", "x"], ["--image-size", "big"]])
def test_wrong_options_are_told_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As a shell expects it, with 2."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_pixels_are_as_the_bundles_have_them(tmp_path: Path) -> None:
    """Read by LoadRadiograph, resized by MONAI's Resize with area; labels by the sorted names."""
    real = drawn(tmp_path / "real", ("b", "a"), 6, 0, side=24)
    other = drawn(tmp_path / "other", ("b", "a"), 6, 1, side=24)
    found = read_folders(real, other, other, image_size=16)
    assert found.classes == ("a", "b")
    assert found.notes == {}
    resize = Resize((16, 16), mode="area")
    expected = [
        torch.as_tensor(resize(LoadRadiograph()(file))).as_subclass(Tensor)
        for name in ("a", "b")
        for file in sorted((other / name).iterdir())
    ]
    assert torch.equal(found.synthetic.images, torch.stack(expected))
    assert found.synthetic.labels.tolist() == [0] * 6 + [1] * 6
    assert sorted(found.held_out.labels.tolist()) == [0] * 6 + [1] * 6


@pytest.mark.parametrize("classes", [("",), ("a", "b")])
def test_a_third_is_held_out_by_patient(tmp_path: Path, classes: tuple[str, ...]) -> None:
    """Two images a patient: both on one side."""
    real = drawn(tmp_path / "real", classes, 24, 0)
    found = read_folders(real, real, image_size=8, patient_pattern=r"p\d+")
    total = 24 * len(classes)
    assert len(found.train.labels) + len(found.held_out.labels) == total
    assert 0.25 * total < len(found.held_out.labels) < 0.45 * total
    everything = {image.numpy().tobytes(): k for k, image in enumerate(found.synthetic.images)}

    def patients(images: Tensor) -> set[int]:
        # synthetic is the same folder in the order of names: 0, 1, 10, 11, ... of each class
        names = sorted(f"0_p{k // 2}_{k}.png" for k in range(24))
        chosen = (names[everything[image.numpy().tobytes()] % 24] for image in images)
        return {int(name.split("_")[1][1:]) for name in chosen}

    assert patients(found.train.images).isdisjoint(patients(found.held_out.images))


def test_unknown_patients_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A split that can't be by patient is."""
    real = drawn(tmp_path / "real", ("",), 12, 0)
    with caplog.at_level(logging.WARNING, logger="medaug"):
        read_folders(real, real, image_size=8)
    assert "the patient of 12 of 12 images is not known" in caplog.text


@pytest.mark.parametrize("option", ["synthetic", "held_out"])
def test_other_classes_are_refused(tmp_path: Path, option: str) -> None:
    """Names must agree."""
    real = drawn(tmp_path / "real", ("a", "b"), 4, 0)
    folders = {"synthetic": real, "held_out": None} | {
        option: drawn(tmp_path / "other", ("a", "c"), 4, 1)
    }
    with pytest.raises(
        DataError, match=r"must have the classes of --real as subfolders, a, b, got a, c"
    ):
        read_folders(real, folders["synthetic"], folders["held_out"], image_size=8)


def test_too_small_images_are_refused(tmp_path: Path) -> None:
    """Enlarged ones would look blurred by the generator."""
    real = drawn(tmp_path / "real", ("",), 6, 0)
    small = drawn(tmp_path / "small", ("",), 6, 1, side=12)
    with pytest.raises(ConfigError, match="at most 12, the smallest side of the images in --synth"):
        read_folders(real, small, image_size=16)
