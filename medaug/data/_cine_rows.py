"""Which cines there are, and what is said of each: from a folder, or a folder with a list."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread

from ..errors import ConfigError, DataError
from ._cine.reader import dicom_files
from ._cines import cine_paths
from ._formats.dicom import patient_key
from ._sources import MANIFEST, csv_records, is_dicom, listed, nearest

Ranges = Mapping[str, Sequence[float] | None]
"""Conditions by name, each with its lowest and highest value, or None for any."""

CODES = {"MR": "mri", "CT": "ct", "US": "ultrasound", "XA": "xray", "RF": "xray"}
"""DICOM's Modality to ours."""


@dataclass(frozen=True)
class CineRow:
    """One cine as its source names it.

    Attributes:
        path: of the file or folder.
        name: how messages call it: its path within the source.
        modality: its name.
        patient: as the list gives it.
        dicom_patient: a hash of DICOM's PatientID.
        conditions: one value each, NaN where it isn't known.
    """

    path: Path
    name: str
    modality: str
    patient: str | None
    dicom_patient: str | None
    conditions: tuple[float, ...]


def read_rows(
    root: Path, *, modalities: Sequence[str], conditions: Ranges, modality: str | None
) -> list[CineRow]:
    """List the cines of a folder.

    Args:
        root: with cines anywhere below it, or with a ``manifest.csv``; or a single file.
        modalities: the names that are known.
        conditions: what is looked for in the list.
        modality: of cines of which neither list, folder nor DICOM says it.

    Raises:
        DataError: nothing is there, or it isn't laid out so; a modality is unknown, or a condition
            out of its range.
        ConfigError: `modality` is unknown.
    """
    if modality is not None and modality not in modalities:
        raise ConfigError(f"modality must be one of {', '.join(modalities)}, got {modality!r}")
    if not root.exists():
        raise DataError(f"{root}: must be a folder of cines, or one file, got nothing there")
    manifest = root / MANIFEST
    if manifest.is_file():
        found = _listed(manifest, conditions)
    else:
        paths = cine_paths(root) if root.is_dir() else [root]
        found = [{"path": path, "name": _name(path, root)} for path in paths]
    if not found:
        raise DataError(f"{root}: must hold cines (multi-frame DICOM, folders of DICOM, NIfTI)")
    return [_row(entry, root, modalities, conditions, modality) for entry in found]


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path != root else path.name


def _listed(path: Path, conditions: Ranges) -> list[dict[str, Any]]:
    """What the rows of a list say."""
    header, records = csv_records(path)
    if "file" not in header:
        raise DataError(
            f"{path}: must have the column file and, best, modality, patient and conditions, got "
            f"no 'file'{nearest('file', header)}; its columns are {listed(header, 8)}"
        )
    for name in ("modality", "patient", *conditions):
        if name not in header and (close := nearest(name, header)):
            raise DataError(f"{path}: the column must be called {name!r}{close}")
    entries = []
    for number, record in records:
        there = path.parent / Path(record["file"]).expanduser()
        if not record["file"] or not there.exists():
            raise DataError(
                f"{path}: every row must name a file or folder, relative to {path.parent}, "
                f"got {record['file']!r} in row {number}"
            )
        values = tuple(
            _value(name, limits, record.get(name, ""), f"{path}, row {number}")
            for name, limits in conditions.items()
        )
        entries.append({**record, "path": there, "name": record["file"], "conditions": values})
    return entries


def _value(name: str, limits: Sequence[float] | None, text: str, where: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{where}: {name} must be a number or blank, got {text!r}") from None
    low, high = limits or (-math.inf, math.inf)
    if not (low <= value <= high and math.isfinite(value)):
        raise DataError(f"{where}: {name} must be {low:g} to {high:g}, got {text}")
    return value


def _row(
    entry: Mapping[str, Any],
    root: Path,
    modalities: Sequence[str],
    conditions: Ranges,
    modality: str | None,
) -> CineRow:
    path, name = entry["path"], entry["name"]
    patient, code = _header(path)
    folder = name.split("/")[0]
    said = entry.get("modality") or (folder if folder in modalities else code) or modality
    if said is None:
        raise DataError(
            f"{root}: the modality of {name} must be known: from {MANIFEST}, a folder called as "
            f"one of {', '.join(modalities)}, DICOM's Modality, or the option modality"
        )
    if said not in modalities:
        raise DataError(
            f"{root}: the modality of {name} must be one of {', '.join(modalities)}, got {said!r}"
            f"{nearest(said, modalities)}"
        )
    values = entry.get("conditions", (math.nan,) * len(conditions))
    return CineRow(path, name, said, entry.get("patient"), patient, values)


def _header(path: Path) -> tuple[str | None, str | None]:
    """A hash of DICOM's PatientID, and the modality; None where there is none."""
    try:
        files = dicom_files(path) if path.is_dir() else [path] * is_dicom(path)
        if not files:
            return None, None
        tags = ["PatientID", "Modality"]
        header = dcmread(files[0], stop_before_pixels=True, specific_tags=tags)
        code = str(header.get("Modality", ""))
        return patient_key(header.get("PatientID")), CODES.get(code, code or None)
    # a damaged file makes pydicom raise almost anything; decoding it will say what is wrong
    except Exception:
        return None, None
