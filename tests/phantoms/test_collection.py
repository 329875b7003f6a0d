"""The data set on disk: DICOM files, manifest, truth, and how it survives a killed run."""

import csv
import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medaug.errors import DataError
from medaug.phantoms import _collection, _once, chest_xrays, draw_anatomy, simulate_chest_xray
from medaug.phantoms._collection import make, plan
from medaug.phantoms._dicom import Coding, Identity, dicom_dataset

N = 12


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The folder of a small set."""
    return Path(
        chest_xrays(seed=4, num_images=N, folder=tmp_path_factory.mktemp("sets"), progress=False)
    )


def manifest(images):
    """The manifest's rows."""
    with (images / "manifest.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def hashes(root):
    """What every DICOM file and the manifest hold."""
    return {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.rglob("*")) if p.suffix in (".dcm", ".csv")
    }  # fmt: skip


def shown(dataset):
    """PS3.3 C.11.2.1.2.1 and C.11.6, written out: the picture in [0, 1], bone bright."""
    x = dataset.pixel_array.astype(float) * dataset.RescaleSlope + dataset.RescaleIntercept
    y = (x - (dataset.WindowCenter - 0.5)) / (dataset.WindowWidth - 1) + 0.5
    y = np.clip(y, 0, 1)
    return 1 - y if dataset.PhotometricInterpretation == "MONOCHROME1" else y


@pytest.mark.parametrize("num_images", [6, 50, 400])
def test_classes_are_unbalanced_as_in_the_real_collections(num_images):
    """11, 44 and 45 of 100 images; about a quarter of the patients have several."""
    patients = plan(0, num_images)
    count = {
        k: sum(p.images for p in patients if p.label == k) for k in ("covid", "normal", "pneumonia")
    }
    assert sum(count.values()) == num_images
    assert count["covid"] == max(1, round(0.11 * num_images))
    assert count["pneumonia"] == round(0.44 * num_images)
    assert [p.number for p in patients] == list(range(1, len(patients) + 1))
    if num_images == 400:
        assert 0.17 < np.mean([p.images > 1 for p in patients]) < 0.33
        assert max(p.images for p in patients) == 3
        # Neither the number nor the parity (MONOCHROME1) tells the label.
        odd = [p.number % 2 for p in patients if p.label == "pneumonia"]
        assert 0.35 < np.mean(odd) < 0.65


def test_folder_holds_what_the_manifest_names(images):
    """One folder a class, a manifest with patients, the truth outside of the training folder."""
    rows = manifest(images)
    files = {p.relative_to(images).as_posix() for p in images.rglob("*.dcm")}
    assert {r["file"] for r in rows} == files
    assert len(rows) == N
    assert all(r["file"].startswith(r["label"] + "/") for r in rows)
    assert sorted(p.name for p in images.iterdir()) == [
        "covid",
        "manifest.csv",
        "normal",
        "pneumonia",
    ]
    assert {p.stem for p in (images.parent / "truth").iterdir()} == {Path(f).stem for f in files}
    assert sorted(p.name for p in images.parent.iterdir()) == ["images", "truth"]


def test_every_file_is_a_dx_image_for_presentation(images):
    """The tags that make a reader show the picture rightly are there and agree."""
    kinds = set()
    for row in manifest(images):
        ds = pydicom.dcmread(images / row["file"])
        assert ds.SOPClassUID == pydicom.uid.DigitalXRayImageStorageForPresentation
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert ds.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert (ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation) == (
            16,
            12,
            11,
            0,
        )
        assert (ds.Modality, ds.ViewPosition, ds.BodyPartExamined) == ("DX", "PA", "CHEST")
        assert list(ds.PatientOrientation) == ["L", "F"]
        assert (ds.SyntheticData, ds.PatientID) == ("YES", row["patient"])
        assert ds.pixel_array.max() <= 4095
        assert 0.3 < float(ds.ImagerPixelSpacing[0]) < 1.2
        inverted = ds.PhotometricInterpretation == "MONOCHROME1"
        assert ds.PresentationLUTShape == ("INVERSE" if inverted else "IDENTITY")
        assert ds.PixelIntensityRelationshipSign == (1 if inverted else -1)
        kinds.add((ds.PhotometricInterpretation, ds.Rows, ds.Columns, ds.WindowWidth))
    assert {k[0] for k in kinds} == {"MONOCHROME1", "MONOCHROME2"}
    assert len(kinds) > N / 2


def test_every_file_shows_a_chest_with_its_truth(images):
    """After window and inversion lungs are dark; masks fit; only the sick have lesions."""
    for row in manifest(images):
        ds = pydicom.dcmread(images / row["file"])
        truth = np.load(images.parent / "truth" / f"{Path(row['file']).stem}.npz")
        picture = shown(ds)
        assert truth["lung"].shape == truth["lesion"].shape == picture.shape
        assert truth["lesion"].any() == (row["label"] != "normal")
        lung = truth["lung"] & ~truth["lesion"]
        assert np.median(picture[lung]) < np.median(picture[-30:, 100:-100]) - 0.15
    uids = {pydicom.dcmread(p).SOPInstanceUID for p in images.rglob("*.dcm")}
    assert len(uids) == N


@pytest.mark.parametrize("black", [150, 899])
def test_monochrome1_equals_its_monochrome2_twin_after_inversion(black):
    """Both codings show exactly the same picture, and it is the phantom's within one level."""
    p = simulate_chest_xray("pneumonia", np.random.default_rng(1), size=(64, 72))
    one, two = (
        dicom_dataset(p, coding=Coding(black, 2000, inverted), identity=Identity("k", "p", 1))
        for inverted in (True, False)
    )
    assert (one.pixel_array == 4095 - two.pixel_array).all()
    assert np.allclose(shown(one), shown(two), atol=1e-12)
    assert np.abs(shown(two) - p.image).max() <= 0.5 / 1999 + 1e-6


def test_files_do_not_depend_on_the_number_of_workers(images, tmp_path):
    """One worker and three write what the set's own number of workers wrote, bit for bit."""
    for workers in (1, 3):
        root = tmp_path / str(workers)
        make(root, seed=4, num_images=N, progress=False, workers=workers)
        assert hashes(root) == hashes(images.parent)


def test_second_call_makes_nothing(images, monkeypatch):
    """A whole set is returned as it is."""
    monkeypatch.setattr(_collection, "make", lambda *_a, **_k: pytest.fail("made again"))
    assert chest_xrays(seed=4, num_images=N, folder=images.parents[1]) == str(images)


def test_killed_run_leaves_nothing_to_train_on(tmp_path):
    """A process that dies half-way leaves no set; the next call cleans up and makes a whole one."""
    code = (
        "import os, sys\n"
        "from medaug.phantoms import _collection as c\n"
        "write, left = c._write_patient, [3]\n"
        "def dying(*a):\n"
        "    left[0] -= 1\n"
        "    if not left[0]: os._exit(9)\n"
        "    write(*a)\n"
        "c._write_patient = dying\n"
        "c.chest_xrays(num_images=6, folder=sys.argv[1], progress=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == 9
    left = [p.name for p in tmp_path.iterdir()]
    assert any(name.startswith(".making-") for name in left)
    assert not any(name.startswith("chest") for name in left)
    images = Path(chest_xrays(num_images=6, folder=tmp_path, progress=False))
    assert len(manifest(images)) == 6
    assert not list(tmp_path.glob(".making-*"))


@pytest.mark.parametrize("harm", ["manifest", "image", "empty", "truth"])
def test_damaged_set_is_made_again(tmp_path, harm):
    """A set that lost its manifest, an image or a truth, or holds an empty file, is renewed."""
    images = Path(chest_xrays(num_images=6, folder=tmp_path, progress=False))
    before = hashes(images.parent)
    image = images / manifest(images)[0]["file"]
    if harm == "empty":
        image.write_bytes(b"")
    else:
        truth = images.parent / "truth" / f"{image.stem}.npz"
        {"manifest": images / "manifest.csv", "image": image, "truth": truth}[harm].unlink()
    assert chest_xrays(num_images=6, folder=tmp_path, progress=False) == str(images)
    assert hashes(images.parent) == before


@pytest.mark.parametrize("lock", [True, False])
def test_two_at_the_same_time_both_get_a_whole_set(tmp_path, monkeypatch, lock):
    """With a lock and where the system has none, both callers return a whole set."""
    if not lock:
        monkeypatch.setitem(sys.modules, "fcntl", None)
    start, results = threading.Barrier(2), []

    def work():
        start.wait()
        results.append(chest_xrays(num_images=6, folder=tmp_path, progress=False))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert len(set(results)) == 1
    assert len(manifest(Path(results[0]))) == 6
    assert not list(tmp_path.glob(".making-*"))


def test_failure_leaves_no_set(tmp_path, monkeypatch):
    """What stops one patient's images stops the set, and nothing stays behind."""
    monkeypatch.setattr(_collection, "draw_anatomy", lambda _rng: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        chest_xrays(num_images=6, folder=tmp_path, progress=False)
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]


def test_progress_says_what_is_made_and_where(tmp_path, capsys):
    """One line with the place and a bar, both on stderr; nothing on stdout."""
    chest_xrays(num_images=6, folder=tmp_path)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Making 6 phantom chest X-rays, once, in {tmp_path}" in err
    assert "6/6" in err


def test_default_folder_is_the_users_cache(tmp_path, monkeypatch):
    """Without a folder, the set lies in the cache of the user, keyed by version, seed and size."""
    monkeypatch.setattr(_once.platformdirs, "user_cache_dir", lambda _app: str(tmp_path))
    images = Path(chest_xrays(seed=2, num_images=6, progress=False))
    assert (
        images
        == tmp_path / "phantoms" / f"chest_xrays-v{_collection.PHANTOM_VERSION}-seed2-n6" / "images"
    )


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"num_images": 5}, r"num_images must be at least 6, got 5"),
        ({"seed": -1}, r"seed must be 0 or more, got -1"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, arguments, match):
    """The error says what must be and what was given."""
    with pytest.raises(DataError, match=match):
        chest_xrays(folder=tmp_path, **arguments)


def test_folder_that_is_a_file_is_refused(tmp_path):
    """The error names the folder."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match=r"folder must be one that can be written, got .*taken"):
        chest_xrays(folder=tmp_path / "taken")


def test_images_of_one_patient_share_the_anatomy(monkeypatch, tmp_path):
    """The anatomy is drawn once a patient, not once an image."""
    drawn = []
    monkeypatch.setattr(_collection, "draw_anatomy", lambda r: drawn.append(1) or draw_anatomy(r))
    make(tmp_path / "set", seed=1, num_images=12, progress=False, workers=1)
    assert len(drawn) == len(plan(1, 12)) < 12
