"""Each pipeline gives what its ``golden.json`` says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import torch

from ..references.clahe import clahe
from . import beating
from .golden import faults, origin, places
from .pipelines import ROOT, apply, each_pipeline, each_radiograph_pipeline, read

Sample = Callable[[Path], Path]
AIIN, RESCALE, CINE, PNG = (
    ROOT / "transforms" / name
    for name in ("chest_xray_aiin", "chest_xray_rescale", "cardiac_cine_aiin", "dicom_to_png")
)


@each_pipeline
def test_result_on_the_phantom(folder: Path, sample: Sample) -> None:
    """Shape, dtype, range and twelve pixels."""
    golden = read(folder / "golden.json")
    again = "write it anew by `python -m tests.pipelines.golden`"
    assert golden["phantom"] == origin(folder.name, sample(folder)), again
    assert [tuple(pixel[:-1]) for pixel in golden["pixels"]] == places(golden["shape"])
    wrong = faults(apply(folder, sample(folder)), golden)
    assert wrong == [], f"if the change is meant, {again}"


@each_pipeline
def test_a_wrong_image_is_seen(folder: Path, sample: Sample) -> None:
    """Flipped, turned, inverted, backwards, of another size or dtype, a bit brighter, empty."""
    golden = read(folder / "golden.json")
    image = apply(folder, sample(folder))
    wrong = {
        "flipped": image.flip(-1),
        "upside down": image.flip(-2),
        "turned": image.transpose(-1, -2),
        "inverted": 1 - image,
        "backwards, or upside down": image.flip(1),
        "a phase later, or a row lower": image.roll(1, 1),
        "brighter": image + 3 / 255,
        "empty": image * torch.nan,
        "other size": image[:, :-1],
        "other dtype": image.double(),
    }
    assert [name for name, mutant in wrong.items() if not faults(mutant, golden)] == []


@pytest.mark.parametrize(
    "override", [{"aiin_threshold": 9.0}, {"aiin_windows": [4, 5]}, {"aiin_windows": [3, 4]}]
)
@pytest.mark.parametrize("folder", [AIIN, CINE], ids=lambda path: path.name)
def test_other_parameters_are_seen(
    folder: Path, override: dict[str, object], sample: Sample
) -> None:
    """The tolerance is narrower than what a parameter does."""
    assert faults(apply(folder, sample(folder), **override), read(folder / "golden.json"))


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


def test_dicom_to_png_is_that_picture_at_full_size(dicom: Path) -> None:
    """Neither resized nor equalised."""
    image = apply(PNG, dicom)
    assert image.shape == (1, 448, 488)
    assert np.abs(image[0].numpy() - shown(dicom)).max() < 1e-6


@each_radiograph_pipeline
def test_upright_and_bone_bright(folder: Path, dicom: Path) -> None:
    """Dark where the truth has lungs, and not where a mirrored or upside-down truth has them."""
    truth = np.load(dicom.parents[2] / "truth" / f"{dicom.stem}.npz")["lung"]
    lungs = area_means(truth.astype(float), 64)
    image = area_means(apply(folder, dicom)[0].numpy(), 64)
    right, mirrored, upside_down = (
        np.corrcoef(image.ravel(), there.ravel())[0, 1]
        for there in (lungs, lungs[:, ::-1], lungs[::-1])
    )
    assert right < 0
    assert right < min(mirrored, upside_down) - 0.1


@pytest.mark.parametrize("number", [0, 1])
def test_cine_is_the_reference_on_its_frames(cine: Path, number: int) -> None:
    """Pooled over the phases of a slice, by the slow equalisation at 10 bits; then the resize."""
    frames = beating.beating()[number]
    equal = clahe(frames, (4, 4), 10.0, 10) / 1023
    expected = [area_means(frame, 64) for frame in equal]
    result = apply(CINE, cine, slices=number)
    assert np.abs(result[0].numpy() - expected).max() < 1e-5


def test_all_slices_are_channels(cine: Path) -> None:
    """Each as it comes by itself."""
    every = apply(CINE, cine, slices="all")
    assert every.shape == (beating.SLICES, beating.PHASES, 64, 64)
    for number in range(beating.SLICES):
        assert torch.equal(every[[number]], apply(CINE, cine, slices=number))


def test_cine_is_upright_and_in_its_order(cine: Path) -> None:
    """Bright where the ventricle's blood is, at every phase; so not backwards, nor flipped."""
    image = apply(CINE, cine)[0].numpy()
    truth = np.array([area_means(beating.pool(1, t), 64) for t in range(beating.PHASES)])

    def likeness(blood: np.ndarray) -> float:
        return float(np.corrcoef(image.ravel(), blood.ravel())[0, 1])

    others = [truth[::-1], truth[:, ::-1], truth[:, :, ::-1], np.roll(truth, 2, axis=0)]
    assert likeness(truth) > 0.5
    assert likeness(truth) > max(map(likeness, others)) + 0.01
