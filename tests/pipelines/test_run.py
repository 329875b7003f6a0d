"""``python -m monai.bundle run`` of a pipeline over a folder."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monai.bundle import create_workflow
from PIL import Image

from medaug.errors import ConfigError, DataError, UnreadableImageError, UserError

from ..bundle.process import TRUSTED, mistake
from .pipelines import PIPELINES, ROOT, apply, config, each_pipeline

AIIN = ROOT / "transforms" / "chest_xray_aiin"


@pytest.fixture
def radiographs(dicom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a DICOM file and a picture of the same stem; we stand above it."""
    folder = tmp_path / "in" / "covid"
    folder.mkdir(parents=True)
    (folder / "one.dcm").write_bytes(dicom.read_bytes())
    grey = np.random.default_rng(0).integers(0, 256, (90, 80), np.uint8)
    Image.fromarray(grey).save(folder / "one.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "in"


def run(folder: Path, **arguments: Any) -> None:
    """The command, in this process."""
    workflow = create_workflow(config_file=str(config(folder)), **arguments)
    workflow.run()
    workflow.finalize()


def refused(folder: Path, **arguments: Any) -> UserError:
    """The mistake that a command ends with."""
    with pytest.raises((RuntimeError, UserError)) as caught:
        run(folder, **arguments)
    found = mistake(caught.value)
    assert not Path("out").exists()
    return found


def pictures(folder: Path) -> dict[str, np.ndarray]:
    """What was written, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): np.asarray(Image.open(path)) for path in files}


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command as a user gives it."""
    words = ["-m", "monai.bundle", "run", "--config_file", str(config(folder)), *arguments]
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=300, check=False
    )


def test_command_from_another_folder(radiographs: Path) -> None:
    """Two images of one stem become two PNGs, each what the pipeline gives, rounded."""
    done = command(AIIN, "--input", "in", "--output", "out", "--image_size", "48")
    assert done.returncode == 0, done.stderr
    out = Path("out").resolve()
    assert done.stdout.splitlines()[-1] == f"2 images written to {out}"
    written = pictures(out)
    assert sorted(written) == ["covid/one.dcm.png", "covid/one.png.png"]
    for name, picture in written.items():
        image = apply(AIIN, radiographs / name.removesuffix(".png"), image_size=48)
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, np.rint(image[0].numpy() * 255))


def test_command_without_arguments_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, after the warning that MONAI gives for every configuration."""
    monkeypatch.chdir(tmp_path)
    done = command(AIIN)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "medaug: --input must be a folder of images, got ''"
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@TRUSTED
@each_pipeline
def test_run_in_this_process(folder: Path, radiographs: Path) -> None:
    """Both pipelines write every image, and none that isn't one."""
    (radiographs / "notes.txt").write_text("words")
    run(folder, input="in", output="out/deep")
    assert sorted(pictures(Path("out/deep"))) == ["covid/one.dcm.png", "covid/one.png.png"]


@TRUSTED
@pytest.mark.parametrize("given", ["", "gone", "in/covid/one.dcm"])
def test_input_that_is_no_folder(radiographs: Path, given: str) -> None:
    """Left out, not there, or a file."""
    assert radiographs.is_dir()
    found = refused(AIIN, input=given, output="out")
    assert isinstance(found, DataError)
    assert str(found) == f"--input must be a folder of images, got '{given}'"


@TRUSTED
def test_input_without_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says which formats there are."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/notes.txt").write_text("words")
    expected = "--input must hold images (DICOM, NIfTI, PNG, JPEG, TIFF), got none in in"
    assert str(refused(AIIN, input="in", output="out")) == expected


@TRUSTED
def test_unreadable_images_are_listed_at_once(radiographs: Path) -> None:
    """Each with what is wrong; the good ones aren't written either."""
    (radiographs / "a.png").write_bytes(b"no picture")
    whole = (radiographs / "covid" / "one.dcm").read_bytes()
    (radiographs / "covid" / "cut.dcm").write_bytes(whole[:5000])
    found = refused(AIIN, input="in", output="out")
    assert isinstance(found, UnreadableImageError)
    assert "2 of 4 are not: a.png (" in str(found)
    assert "; covid/cut.dcm (Pixel Data" in str(found)
    assert "\n" not in str(found)


@TRUSTED
@pytest.mark.parametrize("given", ["", "in", "in/out", "in/../in/deep/out"])
def test_output_that_is_no_folder_of_its_own(radiographs: Path, given: str) -> None:
    """Left out, or among the images, where a second run would find it."""
    before = sorted(Path().rglob("*"))
    found = refused(AIIN, input=str(radiographs), output=given)
    assert isinstance(found, ConfigError)
    got = Path(given).resolve() if given else "''"
    assert str(found) == f"--output must be a folder outside of {radiographs}, got {got}"
    assert sorted(Path().rglob("*")) == before


@TRUSTED
def test_output_that_cannot_be_written(radiographs: Path) -> None:
    """A file stands there."""
    Path("taken").touch()
    found = refused(AIIN, input=str(radiographs), output="taken")
    assert isinstance(found, ConfigError)
    assert str(found).startswith("--output must be a folder that can be written, got ")


@TRUSTED
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"imagesize": 32}, "--imagesize is not a key .*; did you mean --image_size"),
        ({"image_size": 0}, "--image_size must be at least 1, got 0"),
        ({"image_size": "big"}, "--image_size must be a whole number, such as 64, got 'big'"),
        ({"aiin_windows": [4]}, "windows must be"),
        ({"aiin_threshold": 0.0}, "contrast_threshold must be"),
    ],
)
def test_wrong_parameters(radiographs: Path, override: dict[str, Any], message: str) -> None:
    """Before anything is written; the first three before anything is read."""
    found = refused(AIIN, input=str(radiographs), output="out", **override)
    assert re.search(message, str(found))


def test_there_are_pipelines() -> None:
    """The tests above are about something."""
    assert [path.name for path in PIPELINES] == ["chest_xray_aiin", "chest_xray_rescale"]
