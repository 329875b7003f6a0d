"""``python -m monai.bundle run`` of a pipeline over a folder."""

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from monai.bundle import create_workflow
from PIL import Image

from medaug.errors import ConfigError, DataError, UnreadableImageError, UserError

from ..bundle.process import TRUSTED, mistake
from ..data.cine_files import multiframe, save, series
from ..launch import python
from . import beating
from .pipelines import PIPELINES, ROOT, apply, config, each_pipeline, each_radiograph_pipeline

AIIN, CINE, PNG = (
    ROOT / "transforms" / name for name in ("chest_xray_aiin", "cardiac_cine_aiin", "dicom_to_png")
)
FORMATS = "DICOM, NIfTI, NRRD, MHA, PNG, JPEG, TIFF"


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


@pytest.fixture
def cines(cine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a NIfTI file, a multi-frame file, and a series in a folder of its own."""
    folder = tmp_path / "in"
    series(folder / "a" / "sax", beating.beating(), bits=10)
    (folder / "b.nii.gz").write_bytes(cine.read_bytes())
    save(multiframe(beating.beating()[0], bits=10), folder / "a" / "us.dcm")
    monkeypatch.chdir(tmp_path)
    return folder


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
    words = ("--config_file", config(folder), *arguments)
    return python("-m", "monai.bundle", "run", *words, cwd=Path.cwd(), timeout=300)


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
@each_radiograph_pipeline
def test_run_in_this_process(folder: Path, radiographs: Path) -> None:
    """Each writes every image, or every DICOM image, and none that isn't one."""
    (radiographs / "notes.txt").write_text("words")
    run(folder, input="in", output="out/deep")
    expected = ["covid/one.dcm.png", "covid/one.png.png"]
    assert sorted(pictures(Path("out/deep"))) == (expected[:1] if folder == PNG else expected)


@TRUSTED
@pytest.mark.parametrize("bits", [8, 16])
def test_dicom_to_png_at_full_size(radiographs: Path, dicom: Path, bits: int) -> None:
    """Rounded to 8 bits, or to 16, which keep each of the file's 4,096 levels."""
    run(PNG, input=str(radiographs), output="out", bits=bits)
    (picture,) = pictures(Path("out")).values()
    assert picture.dtype == (np.uint8 if bits == 8 else np.uint16)
    levels = apply(PNG, dicom)[0].numpy()
    np.testing.assert_array_equal(picture, np.rint(levels * (2**bits - 1)))
    if bits == 16:
        assert len(np.unique(picture)) == len(np.unique(levels)) > 1000


@TRUSTED
def test_cines_become_folders_of_frames(cines: Path) -> None:
    """One for each file, and for the folder of single frames; the middle slice of each."""
    run(CINE, input=str(cines), output="out")
    written = pictures(Path("out"))
    names = [f"frame_{phase:03d}.png" for phase in range(beating.PHASES)]
    assert sorted(written) == [
        f"{folder}/{name}" for folder in ("a/sax", "a/us.dcm", "b.nii.gz") for name in names
    ]
    for folder in ("a/sax", "a/us.dcm", "b.nii.gz"):
        cine = apply(CINE, cines / folder)[0].numpy()
        for name, frame in zip(names, cine, strict=True):
            np.testing.assert_array_equal(written[f"{folder}/{name}"], np.rint(frame * 255))


@TRUSTED
def test_cine_folder_itself_and_all_its_slices(cines: Path) -> None:
    """The frames lie in the output folder, named after slice and phase."""
    run(CINE, input=str(cines / "a" / "sax"), output="out", slices="all", image_size=32)
    written = pictures(Path("out"))
    assert sorted(written) == [
        f"slice_{number:02d}_frame_{phase:03d}.png"
        for number in range(beating.SLICES)
        for phase in range(beating.PHASES)
    ]
    assert {picture.shape for picture in written.values()} == {(32, 32)}


@TRUSTED
def test_folder_of_two_series_and_a_cine_that_is_cut(cines: Path) -> None:
    """Both are named at once, and nothing is written."""
    first = min((cines / "a" / "sax").iterdir())
    header = pydicom.dcmread(first)
    header.SeriesInstanceUID = "1.2.3.5"
    header.save_as(first)
    (cines / "a" / "us.dcm").write_bytes((cines / "a" / "us.dcm").read_bytes()[:-10])
    found = refused(CINE, input=str(cines), output="out")
    assert isinstance(found, UnreadableImageError)
    assert "every cine must be readable, but 2 of 3 are not: a/us.dcm (Pixel Data" in str(found)
    assert "; a/sax (the folder must hold one series, got 2 of 23, 1 files" in str(found)
    assert "\n" not in str(found)


@TRUSTED
@pytest.mark.parametrize("given", ["", "gone", "in/covid/one.dcm"])
@each_pipeline
def test_input_that_is_no_folder(folder: Path, radiographs: Path, given: str) -> None:
    """Left out, not there, or a file."""
    assert radiographs.is_dir()
    found = refused(folder, input=given, output="out")
    assert isinstance(found, DataError)
    what = "cines" if folder == CINE else "images"
    assert str(found) == f"--input must be a folder of {what}, got '{given}'"


@TRUSTED
@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (AIIN, f"images ({FORMATS})"),
        (PNG, "images (DICOM)"),
        (CINE, "cines (multi-frame DICOM, folders of DICOM, NIfTI)"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_input_without_images(
    folder: Path, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Says which formats there are."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/notes.txt").write_text("words")
    found = refused(folder, input="in", output="out")
    assert str(found) == f"--input must hold {expected}, got none in in"


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


@TRUSTED
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"slices": 2}, r"a/sax \(slices must be below 2, the number of slices, got 2\)"),
        ({"slices": "some"}, "slices must be a slice's number from 0, 'middle' or 'all', got 'so"),
        ({"aiin_windows": [4]}, "windows must be"),
    ],
)
def test_wrong_parameters_of_the_cine(cines: Path, override: dict[str, Any], message: str) -> None:
    """Before anything is written."""
    found = refused(CINE, input=str(cines), output="out", **override)
    assert re.search(message, str(found))


@TRUSTED
@pytest.mark.parametrize("bits", [12, "eight"])
def test_wrong_bits(radiographs: Path, bits: object) -> None:
    """8 or 16."""
    found = refused(PNG, input=str(radiographs), output="out", bits=bits)
    assert re.search("--bits must be (8 or 16, got 12|a whole number, such as 8)", str(found))


def test_there_are_pipelines() -> None:
    """The tests above are about something."""
    assert [path.name for path in PIPELINES] == [
        "cardiac_cine_aiin",
        "chest_xray_aiin",
        "chest_xray_rescale",
        "dicom_to_png",
    ]
