"""A user's folder, CSV or JSON list: what is found, how it is split, and what is refused."""

import csv
import json
import logging
import os
import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medaug.data import ImageCollection, RadiographReader
from medaug.errors import ConfigError, DataError, UnreadableImageError

from .dicom_files import PLANTED_NAME, write
from .images import folder, levels, save

SHARED = Path(os.environ.get("MEDAUG_SHARED", "../shared")) / "data"
OPEN = {"progress": False}


def manifest(path, rows, header=("file", "label", "patient"), delimiter=","):
    """Write a CSV."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def labelled(root, *, patients=10, each=3, classes=("covid", "normal")):
    """A folder with a manifest: every patient has `each` images, alternating between classes."""
    rows = []
    for patient in range(patients):
        for k in range(each):
            name = f"images/{patient}_{k}.png"
            save(root / name, levels(6, 5, seed=patient * 100 + k))
            rows.append((name, classes[(patient + k) % len(classes)], f"p{patient}"))
    manifest(root / "manifest.csv", rows)
    return root, rows


def sides(collection):
    """The source_ids of the three splits."""
    return [
        {item["source_id"] for item in items}
        for items in (collection.train, collection.test, collection.validation)
    ]


def test_folder_of_mixed_formats(tmp_path):
    """DICOM with and without suffix, NIfTI, PNG, JPEG, TIFF, deeper folders; others are ignored."""
    root = tmp_path / "set"
    save(root / "b" / "1.png", levels(6, 5, seed=1))
    save(root / "b" / "deeper" / "2.JPG", levels(6, 5, seed=2))
    save(root / "b" / "3.tiff", levels(6, 5, seed=3))
    (root / "a").mkdir()
    write(root / "a" / "4.dcm", levels(6, 5, bits=12, seed=4), patient_id="x")
    write(root / "a" / "IM0005", levels(6, 5, bits=12, seed=5), patient_id="y")
    nib.Nifti1Image(levels(6, 5, seed=6), None).to_filename(root / "a" / "6.nii.gz")
    for name in ("a/notes.txt", "a/.hidden.png", "README.md", ".git/config", "a/DICOMDIR"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("words")
    collection = ImageCollection(root, **OPEN)
    assert collection.classes == ("a", "b")
    items = collection.train + collection.validation + collection.test
    assert sorted(Path(item["image"]).name for item in items) == [
        *("1.png", "2.JPG", "3.tiff", "4.dcm", "6.nii.gz", "IM0005")
    ]
    assert all(set(item) == {"image", "label", "source_id"} for item in items)
    assert all(collection.classes[item["label"]] in item["image"].split("/") for item in items)


def test_manifest_is_used_and_said_so(tmp_path):
    """A manifest.csv in the folder decides files, labels and patients."""
    root, rows = labelled(tmp_path)
    collection = ImageCollection(root, **OPEN)
    assert sum(map(len, sides(collection))) == len(rows)
    assert "manifest.csv" in collection.summary()
    assert "patients known by: the list (30 images)" in collection.summary()
    assert collection.warnings == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_any_delimiter_with_extra_columns(tmp_path, delimiter):
    """What spreadsheets write; files are relative to the CSV."""
    _, rows = labelled(tmp_path)
    path = manifest(
        tmp_path / "list.csv",
        [(patient, "56", file, label) for file, label, patient in rows],
        header=("patient", "age", "file", "label"),
        delimiter=delimiter,
    )
    plain = ImageCollection(tmp_path, **OPEN)
    assert ImageCollection(path, **OPEN).fingerprint == plain.fingerprint


def test_patient_is_never_on_two_sides(tmp_path):
    """Over all classes together, for many seeds."""
    root, rows = labelled(tmp_path, patients=12)
    patient = {str(root / file): patient for file, _, patient in rows}
    for seed in range(8):
        collection = ImageCollection(root, seed=seed, **OPEN)
        owners = [
            {patient[item["image"]] for item in items}
            for items in (collection.train, collection.validation, collection.test)
        ]
        assert all(owners)
        assert not owners[0] & owners[1] | owners[0] & owners[2] | owners[1] & owners[2]


def test_patients_are_numbers_by_pixels(tmp_path):
    """One for each patient; images of one patient share it, and it isn't in the file's names."""
    root, rows = labelled(tmp_path, patients=4)
    collection = ImageCollection(root, seed=0, **OPEN)
    owner = {str(root / file): patient for file, _, patient in rows}
    items = [*collection.train, *collection.validation, *collection.test]
    pairs = {(owner[item["image"]], collection.patients[item["source_id"]]) for item in items}
    assert len(collection.patients) == len(items)
    assert len(pairs) == len({name for name, _ in pairs}) == len({number for _, number in pairs})


def test_split_depends_on_pixels_patients_and_seed_alone(tmp_path):
    """Moved, renamed and listed in another order: the same split; another seed: another."""
    root, rows = labelled(tmp_path / "here")
    moved = tmp_path / "there"
    shutil.copytree(root / "images", moved / "renamed")
    manifest(
        moved / "manifest.csv",
        [
            (file.replace("images", "renamed"), label, patient)
            for file, label, patient in rows[::-1]
        ],
    )
    first, second = ImageCollection(root, **OPEN), ImageCollection(moved, **OPEN)
    assert sides(first) == sides(second)
    assert first.fingerprint == second.fingerprint
    order = [[item["source_id"] for item in found.train] for found in (first, second)]
    assert order[0] == order[1]
    assert ImageCollection(root, seed=1, **OPEN).fingerprint != first.fingerprint


def test_dicom_patient_id_keeps_patients_together(tmp_path):
    """Without a list, PatientID tells; and it shows up nowhere."""
    for patient in range(9):
        for k in range(3):
            path = tmp_path / "ab"[k % 2] / f"{patient}_{k}"
            path.parent.mkdir(exist_ok=True)
            write(path, levels(6, 5, bits=12, seed=patient * 9 + k), patient_id=f"SECRET{patient}")
    collection = ImageCollection(tmp_path, **OPEN)
    assert "patients known by: DICOM PatientID (27 images)" in collection.summary()
    where = {}
    for number, items in enumerate((collection.train, collection.validation, collection.test)):
        for item in items:
            where.setdefault(Path(item["image"]).name.split("_")[0], set()).add(number)
    assert all(len(found) == 1 for found in where.values())
    everything = collection.summary() + repr(vars(collection)) + repr(collection.train)
    assert "SECRET" not in everything
    assert PLANTED_NAME not in everything


@pytest.mark.parametrize("pattern", [r"^\d{3}", r"^(\d{3})_"])
def test_patient_pattern_on_the_file_name(tmp_path, pattern):
    """Group 1 or the whole match is the patient."""
    for patient in range(6):
        for k in range(4):
            save(
                tmp_path / "ab"[k % 2] / f"{patient:03d}_{k}.png",
                levels(6, 5, seed=patient * 9 + k),
            )
    collection = ImageCollection(tmp_path, patient_pattern=pattern, **OPEN)
    assert "24 images of 6 patients" in collection.summary()
    assert "patients known by: patient_pattern (24 images)" in collection.summary()


def test_unknown_patients_are_warned_of(tmp_path, caplog):
    """Each file counts as a patient, and it is said where everybody sees it."""
    root = folder(tmp_path, {"a": 6, "b": 6})
    with caplog.at_level(logging.WARNING, logger="medaug"):
        collection = ImageCollection(root, **OPEN)
    assert "the patient of 12 of 12 images is not known" in caplog.text
    assert "note: the patient of 12 of 12" in collection.summary()


def test_one_patient_for_everything_is_warned_of(tmp_path):
    """An anonymiser that wrote one PatientID into all files."""
    for k in range(4):
        (tmp_path / "ab"[k % 2]).mkdir(exist_ok=True)
        write(tmp_path / "ab"[k % 2] / str(k), levels(6, 5, bits=12, seed=k), patient_id="ANON")
    collection = ImageCollection(tmp_path, **OPEN)
    assert len(collection.train) == 4
    assert any("all images have one patient by DICOM PatientID" in w for w in collection.warnings)
    assert any("test has no image of a, b" in w for w in collection.warnings)


def test_copies_under_two_patients_stay_together_and_are_named(tmp_path):
    """The same pixels join their patients into one group."""
    root, rows = labelled(tmp_path, patients=8, classes=("a", "b"))
    shutil.copy(root / rows[0][0], root / "copy.png")
    manifest(root / "manifest.csv", [*rows, ("copy.png", rows[0][1], "p5")])
    for seed in range(4):
        collection = ImageCollection(root, seed=seed, **OPEN)
        assert "25 images of 7 patients" in collection.summary()
        assert not set.intersection(*sides(collection)[:2])
    assert any("images/0_0.png = copy.png" in warning for warning in collection.warnings)


def test_rare_class_gets_training_then_test_then_validation(tmp_path):
    """One patient: training; two: training and test; three: all."""
    for count, expected in ((1, (1, 0, 0)), (2, (1, 1, 0)), (3, (1, 1, 1))):
        root = folder(tmp_path / str(count), {"common": 20, "rare": count})
        collection = ImageCollection(root, **OPEN)
        found = [collection.counts[split]["rare"] for split in ("training", "test", "validation")]
        assert tuple(found) == expected
        thin = [w for w in collection.warnings if "has no image of rare" in w]
        assert len(thin) == 3 - count


def test_counts_are_near_the_shares(tmp_path):
    """A fifth and a tenth of each class, to an image."""
    root = folder(tmp_path, {"a": 40, "b": 20})
    counts = ImageCollection(root, validation=0.1, test=0.2, **OPEN).counts
    assert counts["test"] == {"a": 8, "b": 4}
    assert counts["validation"] == {"a": 4, "b": 2}


def json_list(root, rows, **splits):
    """A MONAI data list whose splits are given as slices of the rows."""
    content = {
        split: [{"image": f, "label": lab, "patient": p} for f, lab, p in rows[part]]
        for split, part in splits.items()
    }
    (root / "list.json").write_text(json.dumps({"name": "mine", **content}))
    return root / "list.json"


def test_given_split_of_a_json_list_is_kept(tmp_path):
    """Training, validation and test as the list says."""
    root, rows = labelled(tmp_path)
    path = json_list(
        root, rows, training=slice(0, 18), validation=slice(18, 24), test=slice(24, 30)
    )
    collection = ImageCollection(path, seed=5, **OPEN)
    assert {Path(item["image"]).name for item in collection.test} == {
        Path(row[0]).name for row in rows[24:]
    }
    assert [len(side) for side in sides(collection)] == [18, 6, 6]


def test_training_alone_is_split_by_us(tmp_path):
    """A list without held-out parts gives the same split as the same CSV."""
    root, rows = labelled(tmp_path)
    path = json_list(root, rows, training=slice(None))
    assert ImageCollection(path, **OPEN).fingerprint == ImageCollection(root, **OPEN).fingerprint


def test_integer_labels_are_sorted_as_numbers(tmp_path):
    """Class 10 comes after class 2."""
    root, rows = labelled(tmp_path)
    numbered = [(file, (2, 10)[k % 2], patient) for k, (file, _, patient) in enumerate(rows)]
    collection = ImageCollection(json_list(root, numbered, training=slice(None)), **OPEN)
    assert collection.classes == ("2", "10")


def test_given_split_with_a_patient_on_two_sides_is_refused(tmp_path):
    """Named by file, never by the patient's ID."""
    root, rows = labelled(tmp_path)
    path = json_list(root, rows, training=slice(0, 19), test=slice(19, 30))
    with pytest.raises(DataError, match=r"one patient on two sides: images/6_0.png \(training\) ="):
        ImageCollection(path, **OPEN)


def test_given_split_with_the_same_pixels_on_two_sides_is_refused(tmp_path):
    """A copy under another patient's name is a leak too."""
    root, rows = labelled(tmp_path)
    shutil.copy(root / rows[1][0], root / "copy.png")
    rows[-1] = ("copy.png", rows[1][1], rows[-1][2])
    path = json_list(root, rows, training=slice(0, 18), test=slice(18, 30))
    with pytest.raises(DataError, match=r"the same pixels on two sides: images/0_1.png \(training"):
        ImageCollection(path, **OPEN)


def test_given_training_without_a_class_is_refused(tmp_path):
    """A class that is only in the test set can't be learnt."""
    root = folder(tmp_path, {"a": 4, "b": 2})
    rows = [
        (f"{c}/{c}_{k:03d}.png", c, f"{c}{k}") for c, n in (("a", 4), ("b", 2)) for k in range(n)
    ]
    path = json_list(root, rows, training=slice(0, 4), test=slice(4, 6))
    with pytest.raises(DataError, match="training must have images of every class, got none of b"):
        ImageCollection(path, **OPEN)


def test_same_pixels_with_two_labels_are_refused(tmp_path):
    """Both files are named."""
    root = folder(tmp_path, {"a": 3, "b": 3})
    shutil.copy(root / "a" / "a_001.png", root / "b" / "other.png")
    with pytest.raises(DataError, match=r"must have one label, .* a/a_001.png = b/other.png"):
        ImageCollection(root, **OPEN)


def one_line(error):
    """The message, which must be one line."""
    assert "\n" not in str(error.value)
    return str(error.value)


def test_path_that_is_not_there(tmp_path):
    """Names the path."""
    with pytest.raises(DataError) as error:
        ImageCollection(tmp_path / "gone", **OPEN)
    assert re.search(r"gone: must be a folder .* got nothing there", one_line(error))


def test_empty_folder(tmp_path):
    """Says what was expected."""
    with pytest.raises(DataError) as error:
        ImageCollection(tmp_path, **OPEN)
    assert "must hold one subfolder of images for each class" in one_line(error)
    assert "got an empty folder" in one_line(error)


def test_images_directly_inside(tmp_path):
    """No class can be told."""
    for k in range(3):
        save(tmp_path / f"{k}.png", levels(6, 5, seed=k))
    (tmp_path / "README.txt").write_text("words")
    with pytest.raises(DataError) as error:
        ImageCollection(tmp_path, **OPEN)
    assert "got 3 images directly inside and 1 files that are not images" in one_line(error)


def test_subfolders_without_images(tmp_path):
    """Counts what is there instead."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.docx").write_text("words")
    with pytest.raises(DataError) as error:
        ImageCollection(tmp_path, **OPEN)
    assert "subfolders without images (a, b) and 1 files that are not images" in one_line(error)


def test_one_class_only(tmp_path):
    """Names the class that there is."""
    with pytest.raises(DataError) as error:
        ImageCollection(folder(tmp_path, {"covid": 3}), **OPEN)
    assert "at least two classes, got 3 images of one: covid" in one_line(error)


@pytest.mark.parametrize(
    ("places", "name"),
    [
        (
            (
                "",
                "",
            ),
            "all",
        ),
        (("covid", "covid"), "covid"),
        (("", "covid"), "covid"),
    ],
    ids=["directly inside", "in a subfolder", "both"],
)
def test_one_class_where_it_will_do(tmp_path, places, name):
    """In a folder without subfolders, or in one of them; split by patient as several are."""
    for part, place in enumerate(places):
        for k in range(6):
            picture = levels(6, 5, seed=10 * part + k)
            save(tmp_path / place / f"p{part}{k // 2}_{k}.png", picture)
    found = ImageCollection(tmp_path, one_class=True, patient_pattern=r"p\d+", test=0.3, **OPEN)
    assert found.classes == (name,)
    items = [found.train, found.test, found.validation]
    assert sum(map(len, items)) == 12
    assert {item["label"] for part in items for item in part} == {0}
    patients = [{Path(item["image"]).name[:3] for item in part} for part in items]
    assert patients[0].isdisjoint(patients[1])
    assert len(found.test) == 4
    assert not any("left out" in warning for warning in found.warnings)


def test_several_classes_where_one_will_do(tmp_path):
    """They are several; what lies beside them is left out, as ever."""
    root = folder(tmp_path, {"covid": 10, "normal": 10})
    save(root / "1.png", levels(6, 5, seed=99))
    found = ImageCollection(root, one_class=True, **OPEN)
    assert found.classes == ("covid", "normal")
    assert any("left out 1 images" in warning for warning in found.warnings)


def test_nothing_where_one_class_will_do(tmp_path):
    """Says that no subfolder is needed."""
    with pytest.raises(DataError, match=r"must hold images, or one subfolder .* an empty folder"):
        ImageCollection(tmp_path, one_class=True, **OPEN)


def test_file_of_another_kind(tmp_path):
    """A path to an image isn't a collection."""
    with pytest.raises(DataError, match=r"must be a folder, a \.csv or a \.json"):
        ImageCollection(save(tmp_path / "a.png", levels()), **OPEN)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (("path", "label", "patient"), r"got no 'file'; its columns are path, label, patient"),
        (("file", "labels", "patient"), r"got no 'label' \(nearest: 'labels'\)"),
        (("File", "label", "patient"), r"got no 'file' \(nearest: 'File'\)"),
        (("file", "label", "patient_id"), r"must be called 'patient' \(nearest: 'patient_id'\)"),
    ],
)
def test_missing_column(tmp_path, header, text):
    """With the nearest name, and the patient's column is never lost over a spelling."""
    with pytest.raises(DataError, match=text) as error:
        ImageCollection(manifest(tmp_path / "a.csv", [("x", "y", "z")], header=header), **OPEN)
    one_line(error)


def test_rows_that_name_missing_files_are_listed_at_once(tmp_path):
    """All of them, up to ten."""
    root, rows = labelled(tmp_path)
    path = manifest(root / "a.csv", [*rows, ("x.png", "a", "1"), ("y.png", "b", "2")])
    with pytest.raises(DataError, match=r"2 of 32 aren't there: x\.png, y\.png$") as error:
        ImageCollection(path, **OPEN)
    one_line(error)


def test_empty_labels_are_listed_at_once(tmp_path):
    """By the line of the file."""
    _, rows = labelled(tmp_path)
    path = manifest(tmp_path / "a.csv", [(rows[0][0], "", "1"), rows[1], (rows[2][0], " ", "2")])
    with pytest.raises(DataError, match="every row must have a label, got none in row 2, row 4"):
        ImageCollection(path, **OPEN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be JSON, got a fault: .* line 1"),
        ("[1]", "must be a MONAI data list, got a list"),
        ('{"train": []}', r"must have the key 'training' .*\(nearest: 'train'\), got train"),
        ('{"training": {}}', "'training' must be a list, got a dict"),
        ('{"training": []}', "must name at least two images, got none"),
        ('{"training": ["a.png"]}', r"training\[0\] must have 'image' and 'label', got a str"),
        ('{"training": [{"image": "a"}]}', r"training\[0\] must have .* got image"),
        ('{"training": [{"image": ["a"], "label": 1}]}', r"training\[0\] must name one image"),
        ('{"training": [{"image": "a", "label": null}]}', "label .* name or an integer"),
    ],
)
def test_faulty_json_list(tmp_path, text, message):
    """Where, what, and what was expected."""
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=message) as error:
        ImageCollection(tmp_path / "a.json", **OPEN)
    one_line(error)


def spoil(root, count):
    """Make `count` files of class a unreadable."""
    for k in range(count):
        (root / "a" / f"a_{k:03d}.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")


def test_unreadable_files_are_listed_on_one_line_when_few(tmp_path):
    """All at once, each with its reason."""
    root = folder(tmp_path, {"a": 6, "b": 6})
    spoil(root, 3)
    with pytest.raises(UnreadableImageError) as error:
        ImageCollection(root, **OPEN)
    text = one_line(error)
    assert text.startswith(f"{root}: every image must be readable, but 3 of 12 are not: ")
    assert all(f"a/a_00{k}.png (the PNG" in text for k in range(3))


def test_many_unreadable_files_are_listed_compactly(tmp_path):
    """The first line stands alone; twenty at most, and how many more."""
    root = folder(tmp_path, {"a": 25, "b": 3})
    spoil(root, 25)
    with pytest.raises(UnreadableImageError) as error:
        ImageCollection(root, **OPEN)
    lines = str(error.value).splitlines()
    assert "25 of 28 are not: a/a_000.png (the PNG" in lines[0]
    assert sum(".png (" in line for line in lines) - 1 + 3 == 20
    assert lines[-1] == "  and 5 more"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"test": 1.0}, "below 1 together, got 0.1 and 1.0"),
        ({"validation": -0.1}, "at least 0"),
        ({"patient_pattern": "("}, r"patient_pattern must be a regular expression, got '\('"),
        ({"seed": -1}, "must be at least 0"),
    ],
)
def test_options_out_of_range(tmp_path, options, text):
    """Refused with what was given."""
    root = folder(tmp_path, {"a": 3, "b": 3})
    with pytest.raises(ConfigError, match=text):
        ImageCollection(root, **options, **OPEN)


def test_reader_decides_how_files_are_decoded(tmp_path):
    """Colour is refused by default and taken with the user's own reader."""
    root = folder(tmp_path, {"a": 3, "b": 3})
    save(root / "a" / "colour.png", np.random.default_rng(0).integers(0, 255, (4, 4, 3), np.uint8))
    with pytest.raises(UnreadableImageError, match=r"colour\.png \(the image must be grey"):
        ImageCollection(root, **OPEN)
    collection = ImageCollection(root, reader=RadiographReader(grey=True), **OPEN)
    assert sum(map(len, sides(collection))) == 7


def test_progress_bar_is_on_stderr_and_can_be_switched_off(tmp_path, capsys):
    """A few small images are done before any bar appears; nothing is ever on stdout."""
    root = folder(tmp_path, {"a": 3, "b": 3})
    ImageCollection(root)
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here (MEDAUG_SHARED)")
def test_real_collection_keeps_shared_patients_together():
    """Ozturk's set: 21 NIH patients are in two classes, and none is on two sides."""
    collection = ImageCollection(SHARED / "cxr", **OPEN)
    with (SHARED / "cxr" / "manifest.csv").open() as stream:
        patient = {row["file"]: row["patient"] for row in csv.DictReader(stream)}
    owners = [
        {patient[str(Path(item["image"]).relative_to(SHARED / "cxr"))] for item in items}
        for items in (collection.train, collection.validation, collection.test)
    ]
    assert not owners[0] & owners[1] | owners[0] & owners[2] | owners[1] & owners[2]
    assert sum(map(len, owners)) == 764
    for split, share in (("test", 0.2), ("validation", 0.1)):
        for name, total in (("covid", 124), ("normal", 499), ("pneumonia", 500)):
            assert collection.counts[split][name] == pytest.approx(share * total, abs=4)
    assert collection.warnings == []
