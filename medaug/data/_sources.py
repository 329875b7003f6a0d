"""Which files there are, and what is said of each: from a folder, a CSV or a MONAI JSON list."""

import csv
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import DataError
from ._formats.decode import SNIFF_BYTES, sniff

MANIFEST = "manifest.csv"
SPLITS = ("training", "validation", "test")
ONLY_CLASS = "all"
"""Name of the class of images that lie in no subfolder."""

_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
_IMAGE_SUFFIXES = (
    *(*_DICOM_SUFFIXES, ".nii", ".nii.gz"),
    *(".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff"),
)


@dataclass(frozen=True)
class Row:
    """One image as its source names it.

    Attributes:
        file: where it is.
        name: how messages call it: its path within the source.
        label: the class's name.
        patient: as the source gives it.
        split: "training", "validation" or "test" where the source gives one.
    """

    file: Path
    name: str
    label: str
    patient: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class Source:
    """All rows, in words where they are from, and what is worth telling about them."""

    rows: list[Row]
    origin: str
    notes: list[str] = field(default_factory=list)


def read_source(path: Path, *, one_class: bool = False) -> Source:
    """List the images of a folder, a CSV or a JSON list.

    Args:
        path: of one of the three.
        one_class: whether a folder's images may lie in it, or in a single subfolder.

    Raises:
        DataError: nothing is there, or it isn't laid out as one of the three.
    """
    if path.is_dir():
        if (path / MANIFEST).is_file():
            return _from_csv(path / MANIFEST)
        return _from_folder(path, one_class)
    if not path.exists():
        raise DataError(f"{path}: must be a folder of images, a .csv or a .json, got nothing there")
    if path.suffix.lower() == ".csv":
        return _from_csv(path)
    if path.suffix.lower() == ".json":
        return _from_json(path)
    raise DataError(f"{path}: must be a folder, a .csv or a .json, got a file of another kind")


def listed(names: Iterable[str], most: int = 3) -> str:
    """Join a few names, and count the others."""
    names = list(names)
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


# ---- a folder with one subfolder a class


def _from_folder(folder: Path, one_class: bool) -> Source:
    layout = "images, or one subfolder of them" if one_class else "one subfolder of images"
    expected = f"{folder}: must hold {layout} for each class, or a {MANIFEST}, got "
    visible = sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "__")))
    direct = [entry for entry in visible if entry.is_file() and _is_image(entry)]
    rows, empty, others = [], [], sum(map(Path.is_file, visible)) - len(direct)
    for subfolder in filter(Path.is_dir, visible):
        files = list(_walk(subfolder))
        images = [file for file in files if _is_image(file)]
        others += len(files) - len(images)
        rows += [Row(file, file.relative_to(folder).as_posix(), subfolder.name) for file in images]
        if not images:
            empty.append(subfolder.name)
    if one_class and len({row.label for row in rows}) < 2:
        label = rows[0].label if rows else ONLY_CLASS
        rows, direct = [*rows, *(Row(file, file.name, label) for file in direct)], []
    if not rows:
        raise DataError(expected + _what_instead(direct, empty, others))
    notes = [f"no image in {listed(empty)}"] if empty else []
    if direct:
        notes.append(f"left out {len(direct)} images that are in no subfolder")
    return Source(rows, f"{folder} (one subfolder a class)", notes)


def _what_instead(direct: list[Path], empty: list[str], others: int) -> str:
    parts = []
    if direct:
        parts.append(f"{len(direct)} images directly inside")
    if empty:
        parts.append(f"subfolders without images ({listed(empty)})")
    if others:
        parts.append(f"{others} files that are not images")
    return " and ".join(parts) or "an empty folder"


def image_files(folder: Path) -> list[Path]:
    """All images anywhere below a folder, in an order of their names."""
    return [file for file in _walk(folder) if _is_image(file)]


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder, hidden ones left out, in an order of their names."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def is_dicom(file: Path) -> bool:
    """Whether a file is DICOM by its suffix or its content; a DICOMDIR has no image."""
    return file.name.upper() != "DICOMDIR" and (
        file.name.lower().endswith(_DICOM_SUFFIXES) or format_of(file) == "DICOM"
    )


def _is_image(file: Path) -> bool:
    if file.name.lower().endswith(_IMAGE_SUFFIXES):
        return True
    return file.name.upper() != "DICOMDIR" and format_of(file) is not None


def format_of(file: Path) -> str | None:
    """A file's format by its content; None where it is none of ours or can't be opened."""
    try:
        with file.open("rb") as stream:
            return sniff(stream.read(SNIFF_BYTES))
    except OSError:
        return None


# ---- a CSV with file, label and perhaps patient


def _from_csv(path: Path) -> Source:
    header, records = csv_records(path)
    for column in ("file", "label"):
        if column not in header:
            raise DataError(
                f"{path}: must have the columns file, label and, best, patient, got no {column!r}"
                f"{nearest(column, header)}; its columns are {listed(header, 8)}"
            )
    if "patient" not in header and (close := nearest("patient", header)):
        raise DataError(f"{path}: the patient's column must be called 'patient'{close}")
    return Source(
        _checked_rows(
            path,
            [
                (f"row {number}", record["file"], record["label"], record.get("patient"), None)
                for number, record in records
            ],
        ),
        str(path),
    )


def csv_records(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: must be readable UTF-8 text, got {type(error).__name__}"
        ) from error
    first = text.split("\n", 1)[0]
    # spreadsheets in half of Europe write semicolons
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    header = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = header
    records = [
        (
            reader.line_num,
            {key: (value or "").strip() for key, value in record.items() if key in header},
        )
        for record in reader
    ]
    return header, records


def nearest(name: str, names: Iterable[str], most: int = 1) -> str:
    """In brackets, the names that are most like a wrong one; nothing where none is like it."""
    lowered = {other.lower(): other for other in names}
    close = get_close_matches(name.lower(), lowered, n=most, cutoff=0.6)
    return f" (nearest: {', '.join(repr(lowered[other]) for other in close)})" if close else ""


# ---- a MONAI data list


def _from_json(path: Path) -> Source:
    content = _json_content(path)
    if "training" not in content:
        raise DataError(
            f"{path}: must have the key 'training' with a list of images"
            f"{nearest('training', content)}, got {listed(content, 8) or 'no key'}"
        )
    given = [split for split in SPLITS if content.get(split)]
    entries = [
        (*_json_entry(path, f"{split}[{number}]", entry), split if len(given) > 1 else None)
        for split in given
        for number, entry in enumerate(content[split])
    ]
    return Source(_checked_rows(path, entries), str(path))


def _json_content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: must be JSON, got a fault: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: must be a MONAI data list, got a {type(content).__name__}")
    for split in SPLITS:
        if not isinstance(content.get(split, []), list):
            raise DataError(
                f"{path}: {split!r} must be a list, got a {type(content[split]).__name__}"
            )
    return content


def _json_entry(path: Path, where: str, entry: object) -> tuple[str, str, str, str | None]:
    if not isinstance(entry, dict) or not {"image", "label"} <= entry.keys():
        got = listed(entry, 8) if isinstance(entry, dict) else f"a {type(entry).__name__}"
        raise DataError(f"{path}: {where} must have 'image' and 'label', got {got or 'nothing'}")
    image, label, patient = entry["image"], entry["label"], entry.get("patient")
    if not isinstance(image, str):
        raise DataError(f"{path}: {where} must name one image, got a {type(image).__name__}")
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise DataError(
            f"{path}: the label of {where} must be a name or an integer, "
            f"got a {type(label).__name__}"
        )
    return where, image.strip(), str(label).strip(), None if patient is None else str(patient)


# ---- what both kinds of list share


def _checked_rows(
    path: Path, entries: list[tuple[str, str, str, str | None, str | None]]
) -> list[Row]:
    """Rows from (where, file, label, patient, split); faults are listed all at once."""
    if not entries:
        raise DataError(f"{path}: must name at least two images, got none")
    for what, position in (("a file", 1), ("a label", 2)):
        blank = [str(entry[0]) for entry in entries if not entry[position]]
        if blank:
            raise DataError(f"{path}: every row must have {what}, got none in {listed(blank, 10)}")
    rows = [
        Row(
            path.parent / Path(file).expanduser(),
            file,
            label,
            (patient or "").strip() or None,
            split,
        )
        for _, file, label, patient, split in entries
    ]
    missing = [row.name for row in rows if not row.file.is_file()]
    if missing:
        raise DataError(
            f"{path}: every row must name a file, relative to {path.parent}; "
            f"{len(missing)} of {len(rows)} aren't there: {listed(missing, 10)}"
        )
    return rows
