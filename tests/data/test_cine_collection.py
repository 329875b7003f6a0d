"""Cines with what is said of them, split by patient; and what is refused, in one line each."""

import csv
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medaug.data import CineCollection, CineReader
from medaug.errors import ConfigError, DataError, UnreadableImageError
from medaug.phantoms import cardiac_cines, simulate_cine
from medaug.phantoms._heart_files import cine_nifti

from ..shared import SHARED
from .cine_files import multiframe, save, series, stack

RANGES = {"ejection_fraction": (0.1, 0.8)}


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small hearts, some seen twice, as DICOM and NIfTI."""
    folder = tmp_path_factory.mktemp("phantoms")
    made = cardiac_cines(num_sequences=12, size=32, num_frames=4, folder=folder, progress=False)
    return Path(made)


def collection(source: Path, **options: Any) -> CineCollection:
    return CineCollection(source, **({"conditions": RANGES, "progress": False} | options))


def everything(found: CineCollection) -> list[dict[str, Any]]:
    return [*found.train, *found.validation, *found.test]


def with_list(folder: Path, rows: list[dict[str, str]]) -> Path:
    """The folder with another manifest.csv."""
    with (folder / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def listed(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def few(phantoms: Path, folder: Path, num: int = 4) -> tuple[Path, list[dict[str, str]]]:
    """A copy of some phantoms, and their rows."""
    rows = listed(phantoms)[:num]
    folder.mkdir(exist_ok=True)
    for row in rows:
        shutil.copy(phantoms / row["file"], folder)
    return folder, rows


def test_items_say_what_the_list_says(phantoms: Path) -> None:
    """Modality by its place, the ejection fraction, and the pixels' hash."""
    found = collection(phantoms)
    rows = {str(phantoms / row["file"]): row for row in listed(phantoms)}
    items = everything(found)
    assert len(items) == 12
    assert found.num_frames == 4
    for item in items:
        row = rows[item["image"]]
        assert found.classes[item["modality"]] == row["modality"]
        assert item["label"] == item["modality"]
        assert item["conditions"] == [float(row["ejection_fraction"])]
        _, metadata = CineReader().get_data(item["image"])
        assert item["source_id"] == metadata["source_id"]


def test_nobody_is_on_two_sides(phantoms: Path) -> None:
    """Patients that are seen twice stay together."""
    patient = {row["file"]: row["patient"] for row in listed(phantoms)}
    assert len(set(patient.values())) < 12
    for seed in range(5):
        found = collection(phantoms, seed=seed, validation=0.2)
        sides = [
            {patient[Path(item["image"]).name] for item in items}
            for items in (found.train, found.validation, found.test)
        ]
        assert sum(map(len, sides)) == len(set().union(*sides))
        assert all(sides)


def test_the_fingerprint_tells_split_and_conditions(phantoms: Path, tmp_path: Path) -> None:
    """Not where the folder lies."""
    copy = tmp_path / "copy"
    shutil.copytree(phantoms, copy)
    one = collection(phantoms)
    assert collection(copy).fingerprint == one.fingerprint
    assert collection(phantoms, seed=3).fingerprint != one.fingerprint
    rows = listed(copy)
    rows[0]["ejection_fraction"] = ""
    assert collection(with_list(copy, rows)).fingerprint != one.fingerprint
    assert "12 sequences of 4 frames, of " in one.summary()


def test_blanks_and_other_columns_are_missing(phantoms: Path, tmp_path: Path) -> None:
    """NaN, each."""
    folder, rows = few(phantoms, tmp_path)
    rows[0]["ejection_fraction"] = ""
    ranges = RANGES | {"heart_rate": None}
    found = collection(with_list(folder, rows), conditions=ranges, validation=0, test=0)
    values = {Path(item["image"]).name: item["conditions"] for item in found.train}
    assert all(math.isnan(pair[1]) for pair in values.values())
    assert [math.isnan(values[row["file"]][0]) for row in rows] == [True, False, False, False]


def test_without_a_list_folder_or_dicom_tell_the_modality(phantoms: Path, tmp_path: Path) -> None:
    """The folder first; DICOM's patient keeps visits together."""
    for row in listed(phantoms):
        (tmp_path / row["modality"]).mkdir(exist_ok=True)
        shutil.copy(phantoms / row["file"], tmp_path / row["modality"])
    found = collection(tmp_path)
    for item in everything(found):
        assert found.classes[item["modality"]] == Path(item["image"]).parent.name
        assert math.isnan(item["conditions"][0])
    codes = {
        row["file"]: row["modality"] for row in listed(phantoms) if row["file"].endswith("dcm")
    }
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in codes:
        shutil.copy(phantoms / file, flat)
    for item in everything(collection(flat)):
        assert found.classes[item["modality"]] == codes[Path(item["image"]).name]


def test_a_stack_gives_a_sequence_a_slice(tmp_path: Path) -> None:
    """All of one patient, with the hashes that the slices have when read alone."""
    folder = series(tmp_path / "patient" / "series", stack(slices=3, phases=4), Modality="MR")
    found = collection(tmp_path, slices="each", validation=0, test=0)
    items = sorted(found.train, key=lambda item: int(item["slice"]))
    assert [item["slice"] for item in items] == [0, 1, 2]
    for number, item in enumerate(items):
        _, metadata = CineReader(slices=number).get_data(folder)
        assert item["source_id"] == metadata["source_id"]
        assert item["image"] == str(folder)
    assert found.classes[items[0]["modality"]] == "mri"


def test_a_folder_a_patient_with_one_a_series(tmp_path: Path) -> None:
    """As the Cardiac Atlas Project gives cines out: no list, names that are nobody's."""
    for patient in range(5):
        for view in ("SAX_1", "SAX_2"):
            cine = stack(slices=3, phases=4, seed=10 * patient + int(view[-1]))
            name = f"DET00{patient:05d}"
            series(tmp_path / name / view, cine, Modality="MR", PatientID=name)
    found = collection(tmp_path, validation=0.2, test=0.2)
    places: dict[str, set[str]] = {}
    for split in ("train", "validation", "test"):
        for item in getattr(found, split):
            assert found.classes[item["modality"]] == "mri"
            places.setdefault(Path(item["image"]).parent.name, set()).add(split)
    assert sorted(map(len, places.values())) == [1] * 5
    assert "10 sequences of 4 frames, of 5 patients" in found.summary()


def test_too_few_patients_are_told(phantoms: Path, tmp_path: Path) -> None:
    """In a warning, and in the summary."""
    folder, rows = few(phantoms, tmp_path)
    for row in rows:
        row |= {"patient": "one", "modality": "mri"}
    found = collection(with_list(folder, rows))
    assert "validation has no sequence: too few patients" in found.warnings
    assert "note: validation has no sequence" in found.summary()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("ejection_fraction", "0.9", r"row \d: ejection_fraction must be 0\.1 to 0\.8, got 0\.9"),
        ("ejection_fraction", "nan", r"row \d: ejection_fraction must be 0\.1 to 0\.8, got nan"),
        ("ejection_fraction", "high", r"must be a number or blank, got 'high'"),
        (
            "modality",
            "mrt",
            r"must be one of mri, ct, ultrasound, xray, got 'mrt' \(nearest: 'mri'",
        ),
        ("file", "gone.dcm", r"must name a file or folder, .* got 'gone\.dcm' in row \d"),
    ],
)
def test_faults_in_the_list_are_named(
    column: str, value: str, message: str, phantoms: Path, tmp_path: Path
) -> None:
    """Where, what must be, what is."""
    folder, rows = few(phantoms, tmp_path)
    rows[1][column] = value
    with pytest.raises(DataError, match=message) as caught:
        collection(with_list(folder, rows))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"file": "path"}, r"must have the column file and, best, .* got no 'file'"),
        ({"ejection_fraction": "ejection fraction"}, r"must be called 'ejection_fraction'"),
    ],
)
def test_misspelt_columns_are_named(
    columns: dict[str, str], message: str, phantoms: Path, tmp_path: Path
) -> None:
    """A condition that nobody finds would be missing everywhere."""
    folder, rows = few(phantoms, tmp_path)
    rows = [{columns.get(name, name): value for name, value in row.items()} for row in rows]
    with pytest.raises(DataError, match=message):
        collection(with_list(folder, rows))


def test_other_lengths_and_sizes_are_refused(tmp_path: Path) -> None:
    """The exceptional one is named beside a usual one."""
    for name in ("a", "b"):
        cine = stack(slices=1, phases=5, seed=ord(name))[0]
        save(multiframe(cine, Modality="US"), tmp_path / f"{name}.dcm")
    for other in ({"phases": 6}, {"rows": 14}):
        cine = stack(**({"slices": 1, "phases": 5} | other))[0]
        save(multiframe(cine, Modality="US"), tmp_path / "c.dcm")
        with pytest.raises(
            DataError, match=r"same frames, rows and columns, got 5 × 12 × 10 \(a\.dcm\) and .* \(c"
        ) as caught:
            collection(tmp_path)
        assert "\n" not in str(caught.value)


def test_a_single_frame_is_refused(tmp_path: Path) -> None:
    """By its name."""
    series(tmp_path / "still", stack(slices=1, phases=1), Modality="MR")
    with pytest.raises((DataError, UnreadableImageError), match="still"):
        collection(tmp_path)


def test_unreadable_cines_are_named_together(phantoms: Path, tmp_path: Path) -> None:
    """Before training."""
    folder, rows = few(phantoms, tmp_path)
    for row in rows[:2]:
        (folder / row["file"]).write_bytes(b"no cine")
    with pytest.raises(UnreadableImageError, match=r"every cine must be readable, but 2 of 4"):
        collection(with_list(folder, rows))


def test_a_modality_that_nobody_says_is_asked_for(tmp_path: Path) -> None:
    """NIfTI has none; `modality` gives it."""
    phantom = simulate_cine(np.random.default_rng(0), modality="ct", size=32, num_frames=3)
    cine_nifti(phantom).to_filename(tmp_path / "heart.nii.gz")
    with pytest.raises(DataError, match=r"the modality of heart\.nii\.gz must be known: from"):
        collection(tmp_path)
    for source in (tmp_path, tmp_path / "heart.nii.gz"):
        (item,) = collection(source, modality="ct", validation=0, test=0).train
        assert item["modality"] == 1
    with pytest.raises(ConfigError, match=r"modality must be one of mri, ct, .*, got 'pet'"):
        collection(tmp_path, modality="pet")


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_what_is_no_folder_of_cines_is_refused(name: str, tmp_path: Path) -> None:
    """One line."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=f"{name}: must"):
        collection(tmp_path / name)


PIG = SHARED / "data" / "cine_sax" / "pig_gip17_sax_4d.nii.gz"


@pytest.mark.skipif(not PIG.exists(), reason="no shared data")
def test_a_real_stack_is_one_patient() -> None:
    """Twenty slices of twenty phases; no split is possible, which is said."""
    found = collection(PIG, slices="each", modality="mri", validation=0, test=0)
    assert len(found.train) == 20
    assert found.num_frames == 20
    assert set(found._groups) == {0}
    assert any("no split by patient is possible" in warning for warning in found.warnings)
