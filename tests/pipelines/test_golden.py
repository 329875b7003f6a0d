"""Each pipeline gives what its ``golden.json`` says."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import torch

from medaug.phantoms import PHANTOM_VERSION

from ..references.clahe import clahe
from .golden import PIXELS, faults
from .pipelines import PHANTOM, ROOT, apply, each_pipeline, read

AIIN, RESCALE = (ROOT / "transforms" / name for name in ("chest_xray_aiin", "chest_xray_rescale"))


@each_pipeline
def test_result_on_the_phantom(folder: Path, dicom: Path) -> None:
    """Shape, dtype, range and twelve pixels."""
    golden = read(folder / "golden.json")
    again = "write it anew by `python -m tests.pipelines.golden`"
    assert golden["phantom"]["version"] == PHANTOM_VERSION, again
    assert {key: golden["phantom"][key] for key in PHANTOM} == PHANTOM, again
    assert golden["phantom"]["file"] == f"{dicom.parent.name}/{dicom.name}", again
    assert [tuple(pixel[:2]) for pixel in golden["pixels"]] == PIXELS
    assert faults(apply(folder, dicom), golden) == [], f"if the change is meant, {again}"


@each_pipeline
def test_a_wrong_image_is_seen(folder: Path, dicom: Path) -> None:
    """Flipped, turned, inverted, of another size or dtype, a little brighter, empty."""
    golden = read(folder / "golden.json")
    image = apply(folder, dicom)
    wrong = {
        "flipped": image.flip(-1),
        "upside down": image.flip(-2),
        "turned": image.transpose(-1, -2),
        "inverted": 1 - image,
        "brighter": image + 3 / 255,
        "empty": image * torch.nan,
        "other size": image[:, :-1],
        "other dtype": image.double(),
    }
    assert [name for name, mutant in wrong.items() if not faults(mutant, golden)] == []


@pytest.mark.parametrize(
    "override", [{"aiin_threshold": 9.0}, {"aiin_windows": [4, 5]}, {"aiin_windows": [3, 4]}]
)
def test_other_parameters_are_seen(override: dict[str, object], dicom: Path) -> None:
    """The tolerance is narrower than what a parameter does."""
    assert faults(apply(AIIN, dicom, **override), read(AIIN / "golden.json"))


def area_means(image: np.ndarray, size: int) -> np.ndarray:
    """Means over the rows and columns that each of size × size pixels covers, wholly or not."""

    def covered(length: int) -> list[slice]:
        return [slice(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]

    rows, columns = map(covered, image.shape)
    return np.array([[image[row, column].mean() for column in columns] for row in rows])


def shown(file: Path) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1 and C.11.6, written out: the picture in [0, 1], bone bright."""
    header = pydicom.dcmread(file)
    values = header.pixel_array * float(header.RescaleSlope) + float(header.RescaleIntercept)
    values = (values - (header.WindowCenter - 0.5)) / (header.WindowWidth - 1) + 0.5
    inverted = header.PhotometricInterpretation == "MONOCHROME1"
    assert inverted
    return 1 - np.clip(values, 0, 1)


def test_control_is_the_picture_that_the_header_describes(dicom: Path) -> None:
    """By pydicom and NumPy alone: window, inversion, means over areas."""
    expected = area_means(shown(dicom), 64)
    assert np.abs(apply(RESCALE, dicom)[0].numpy() - expected).max() < 1e-5


def test_aiin_is_the_reference_on_that_picture(dicom: Path) -> None:
    """By the slow equalisation of `tests.references` at 12 bits, in between."""
    levels = np.rint(shown(dicom) * 4095).astype(np.uint16)
    expected = area_means(clahe(levels[None], (4, 4), 10.0, 12)[0] / 4095, 64)
    # a level that falls the other way when it is rounded moves its pixel a little
    assert np.abs(apply(AIIN, dicom)[0].numpy() - expected).max() < 1 / 255


@each_pipeline
def test_upright_and_bone_bright(folder: Path, dicom: Path) -> None:
    """Dark where the truth has lungs, and not where a mirrored or upside-down truth has them."""
    truth = np.load(dicom.parents[2] / "truth" / f"{dicom.stem}.npz")["lung"]
    lungs = area_means(truth.astype(float), 64)
    image = apply(folder, dicom)[0].numpy()
    right, mirrored, upside_down = (
        np.corrcoef(image.ravel(), there.ravel())[0, 1]
        for there in (lungs, lungs[:, ::-1], lungs[::-1])
    )
    assert right < 0
    assert right < min(mirrored, upside_down) - 0.1
