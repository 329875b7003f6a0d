"""Images of patients whose names are planted in every place that a file has for them, and a search.

A name counts as found in any case, in ASCII or UTF-16, in members of archives, or as the SHA-256
or MD5 of a patient's ID or a file's name, which anybody with a list of names could undo.
"""

import csv
import gzip
import hashlib
import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom import Dataset
from pydicom.sequence import Sequence

from ..data.cine_files import series, stack
from ..data.dicom_files import dataset

NAME, ID, BIRTH = "Quimbleton^Zelda", "ZQ-774411", "19011213"
HOSPITAL, UID, STEM = "Wexworthy Infirmary", "1.2.826.0.1.774411", "zq_holiday"
ENTERED = {
    "PatientName": NAME,
    "PatientBirthDate": BIRTH,
    "OtherPatientIDs": ID,
    "PatientComments": f"{NAME} is known",
    "InstitutionName": HOSPITAL,
    "ReferringPhysicianName": "Wexworthy^Doctor",
    "StudyInstanceUID": f"{UID}.1",
    "SeriesInstanceUID": f"{UID}.2",
    "SOPInstanceUID": f"{UID}.3",
    "FrameOfReferenceUID": f"{UID}.4",
    "StudyDate": BIRTH,
    "AccessionNumber": ID,
    "ImageComments": NAME,
    "StationName": "WEXWORTHY",
    "ContentDate": BIRTH,
    "WindowCenter": "2048",
    "WindowWidth": "4095",
    "WindowCenterWidthExplanation": NAME,
}
PATIENTS = 6


def planted(pixels: Any, number: int) -> Dataset:
    """A radiograph in DICOM with everything filled in; UIDs in the file's header too."""
    ds = dataset(pixels, patient_id=f"{ID}-{number}", **ENTERED)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.SourceApplicationEntityTitle = "WEXWORTHY"
    inner = Dataset()
    inner.PatientID, inner.PatientName, inner.ReferencedSOPInstanceUID = ID, NAME, f"{UID}.5"
    ds.ReferencedImageSequence = Sequence([inner])
    block = ds.private_block(0x0009, "WEXWORTHY", create=True)
    block.add_new(1, "LO", NAME)
    return ds


def collection(folder: Path) -> Path:
    """Two classes in DICOM, PNG, NIfTI and NRRD, the patients' names in the files' names too."""
    rng = np.random.default_rng(0)
    rows = [("file", "label", "patient")]
    for shade, label in enumerate(("normal", "pneumonia")):
        (folder / label).mkdir(parents=True)
        for number in range(PATIENTS):
            pixels = rng.integers(1500 * shade, 1500 * shade + 2000, (48, 40), dtype=np.uint16)
            stem = folder / label / f"{STEM}_{number}"
            path = _write(stem, pixels, number)
            rows.append((f"{label}/{path.name}", label, f"{ID}-{label}-{number}"))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder


def _write(stem: Path, pixels: Any, number: int) -> Path:
    path = stem.with_suffix({3: ".png", 4: ".nii.gz", 5: ".nrrd"}.get(number, ".dcm"))
    if path.suffix == ".dcm":
        planted(pixels, number).save_as(path, enforce_file_format=True)
    elif path.suffix == ".png":
        note = PngInfo()
        note.add_text("Comment", f"{NAME} {ID}", zip=True)
        note.add_text("Author", HOSPITAL)
        Image.fromarray((pixels >> 4).astype(np.uint8)).save(path, pnginfo=note)
    elif path.suffix == ".gz":
        image = nib.Nifti1Image(pixels.T, np.diag([-1.0, -1, 1, 1]))
        image.header["descrip"], image.header["db_name"] = NAME.encode(), ID.encode()
        image.to_filename(path)
    else:
        head = f"NRRD0004\n# {NAME}\ntype: uint16\ndimension: 2\nsizes: 40 48\nendian: little\n"
        head += f"content: {NAME}\nencoding: raw\npatient:={ID}\n\n"
        path.write_bytes(head.encode() + pixels.astype("<u2").tobytes())
    return path


def cine(folder: Path) -> Path:
    """One slice over time of a planted patient, a file a phase."""
    made = folder / STEM
    elements = {key: value for key, value in ENTERED.items() if key != "SOPInstanceUID"}
    return series(made, stack(slices=1, phases=3), patient_id=f"{ID}-7", **elements)


def needles() -> dict[bytes, str]:
    """What must not be found, in small letters, and what to call it."""
    words = {
        "name": ["quimbleton", "zelda"],
        "id": ["zq-774411"],
        "birth date": [BIRTH],
        "institution": ["wexworthy"],
        "UID": [UID],
        "file name": [STEM],
    }
    ids = [f"{ID}-{number}" for number in range(10)]
    ids += [f"{ID}-{label}-{n}" for label in ("normal", "pneumonia") for n in range(PATIENTS)]
    names = [f"{STEM}_{number}.dcm" for number in range(PATIENTS)]
    for what, texts in (("hash of an id", ids), ("hash of a file name", names)):
        digests = (hashlib.sha256, hashlib.md5)
        words[what] = [one(text.encode()).hexdigest() for text in texts for one in digests]
    return {
        text.encode(coding): what
        for what, texts in words.items()
        for text in texts
        for coding in ("ascii", "utf-16-le", "utf-16-be")
    }


NEEDLES = needles()


def found(data: bytes | str) -> set[str]:
    """What of the patient is in `data`."""
    raw = data.encode() if isinstance(data, str) else data
    return {what for part in _parts(raw) for text, what in NEEDLES.items() if text in part.lower()}


def _parts(data: bytes) -> Iterator[bytes]:
    """The bytes themselves, and what is packed in them."""
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                yield member.filename.encode() + member.comment
                yield from _parts(archive.read(member))
    if data.startswith(b"\x1f\x8b"):
        yield from _parts(gzip.decompress(data))
    if data.startswith(b"\x89PNG"):
        yield repr(Image.open(io.BytesIO(data)).info).encode()


def found_below(*folders: Path) -> dict[str, set[str]]:
    """What is in files, and in the names of files and folders, below `folders`."""
    hits = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            here = found(name) | (found(path.read_bytes()) if path.is_file() else set())
            if here:
                hits[name] = here
    return hits


def found_in(value: Any) -> set[str]:
    """What is in a value's text and in its pickle (an image of a MetaTensor with its metadata)."""
    meta = getattr(value, "meta", None), getattr(value, "applied_operations", None)
    return found(repr(value)) | found(repr(meta)) | found(pickle.dumps(value))
