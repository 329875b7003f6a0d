"""Whose image is it, and does anybody stand on two sides of a split?"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError
from ._formats.dicom import patient_key
from ._scan import Scanned
from ._sources import Row, listed

_LIST, _DICOM, _NAME, _FILE = (
    "the list",
    "DICOM PatientID",
    "patient_pattern",
    "each file by itself",
)


def find_patients(
    rows: Sequence[Row], scanned: Sequence[Scanned], pattern: re.Pattern[str] | None
) -> tuple[list[str], str, list[str]]:
    """Find each image's patient: the list, else PatientID, else the file's name, else the file.

    Returns:
        A hash for each image's patient; in words where they come from; warnings.
    """
    found = [_patient(row, image, pattern) for row, image in zip(rows, scanned, strict=True)]
    origins = Counter(origin for _, origin in found)
    words = ", ".join(f"{origin} ({count:,} images)" for origin, count in origins.most_common())
    warnings = []
    if origins[_FILE]:
        warnings.append(
            f"the patient of {origins[_FILE]:,} of {len(rows):,} images is not known, and each "
            "counts as one: a patient with several images may stand on both sides of the split; "
            "give a manifest.csv with a patient column, or patient_pattern"
        )
    if len(rows) > 1 and len({patient for patient, _ in found}) == 1:
        warnings.append(
            f"all images have one patient by {found[0][1]}, so that no split by patient is "
            "possible; give a manifest.csv with a patient column"
        )
    return [patient for patient, _ in found], words, warnings


def _patient(row: Row, image: Scanned, pattern: re.Pattern[str] | None) -> tuple[str, str]:
    if key := patient_key(row.patient):
        return key, _LIST
    if image.patient:
        return image.patient, _DICOM
    match = pattern.search(row.file.name) if pattern else None
    if match and (key := patient_key(match.group(1) if match.re.groups else match.group())):
        return key, _NAME
    return f"file {row.name}", _FILE


def copies(rows: Sequence[Row], scanned: Sequence[Scanned], patients: Sequence[str]) -> list[str]:
    """Say how many images are pixel copies, and name some whose patients differ."""
    members = _members([image.source_id for image in scanned])
    several = [indices for indices in members.values() if len(indices) > 1]
    notes = []
    if several:
        count = sum(len(indices) - 1 for indices in several)
        notes.append(f"{count:,} images are pixel for pixel copies of others; they stay together")
    torn = [k for k in several if len({patients[i] for i in k}) > 1]
    if torn:
        notes.append(
            f"the same pixels are listed under different patients, who are taken as one: "
            f"{_pairs(rows, torn)}"
        )
    return notes


def refuse_two_labels(path: Path, rows: Sequence[Row], scanned: Sequence[Scanned]) -> None:
    """Raise DataError where the same pixels have two labels."""
    members = _members([image.source_id for image in scanned])
    torn = [k for k in members.values() if len({rows[i].label for i in k}) > 1]
    if torn:
        raise DataError(
            f"{path}: the same pixels must have one label, got several for {_pairs(rows, torn)}"
        )


def refuse_leaks(
    path: Path,
    rows: Sequence[Row],
    splits: Sequence[str],
    scanned: Sequence[Scanned],
    patients: Sequence[str],
) -> None:
    """Raise DataError where a given split has a patient or the same pixels on two sides."""
    for what, keys in (
        ("the same pixels", [image.source_id for image in scanned]),
        ("one patient", patients),
    ):
        torn = [k for k in _members(keys).values() if len({splits[i] for i in k}) > 1]
        if torn:
            shown = [[k[0], next(i for i in k if splits[i] != splits[k[0]])] for k in torn]
            raise DataError(
                f"{path}: training, validation and test must share no patient and no image, got "
                f"{what} on two sides: {_pairs(rows, shown, splits)}"
            )


def _members(keys: Sequence[str]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        members[key].append(index)
    return members


def _pairs(
    rows: Sequence[Row], groups: Sequence[Sequence[int]], splits: Sequence[str] | None = None
) -> str:
    """Name the files of some groups: ``a.png = b.png, c.png = d.png and 4 more``."""

    def name(index: int) -> str:
        return f"{rows[index].name} ({splits[index]})" if splits else rows[index].name

    return listed(" = ".join(name(index) for index in group[:3]) for group in groups)
