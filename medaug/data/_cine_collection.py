"""Cines with modality, conditions and patient, checked, and split by patient."""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ._cine.reader import CineReader
from ._cine_rows import CineRow, Ranges, read_rows
from ._cines import decoded
from ._collection import checked_options
from ._formats.pixels import source_id
from ._patients import copies, find_patients, refuse_two_labels
from ._scan import Scanned, read_all
from ._sources import MANIFEST, Row
from ._split import connected_groups, stratified_split
from ._splits import Item, SplitCollection

_LOGGER = logging.getLogger("medaug")
EACH = "each"


@dataclass(frozen=True)
class _Seen:
    """A decoded cine: hashes of its sequences, and how many frames of which size they have."""

    ids: list[str]
    shape: tuple[int, int, int]


class CineCollection(SplitCollection):
    """Cines of the heart with modality, conditions and patient, from a folder, split by patient.

    `source` holds cines anywhere below it (multi-frame DICOM, folders of DICOM, NIfTI: the folders
    of `medaug.phantoms.cardiac_cines`; a folder a patient with one of DICOM a series in it, as the
    Cardiac Atlas Project gives them out), or a ``manifest.csv`` with the columns ``file, modality,
    patient`` and one for each condition, blank where it isn't known. Without it, conditions are
    missing, and the modality is the name of the first folder below `source`, or DICOM's, or
    `modality`.

    Every cine is decoded once, here. All must have the same number of frames and the same size.
    How patients are known, and how the split is drawn, see `ImageCollection`: with the modalities
    as its classes.

    Args:
        source: a folder, or one file, such as a stack whose slices are wanted.
        modalities: their names, in the order of the generator's.
        conditions: names of continuous conditions, each with its lowest and highest value, or None
            for any, as the generator's.
        modality: of cines that don't say.
        slices: which slice of a stack: its number, "middle", or "each" for one sequence each.
        seed: draws the split.
        validation: share of the sequences, in [0, 1).
        test: share of the sequences, in [0, 1).
        patient_pattern: as in `ImageCollection`.
        progress: show a bar on stderr while many cines are checked.

    Attributes:
        classes: the modalities.
        warnings: what was logged.
        num_frames: of each sequence.

    Raises:
        DataError: the source isn't there or isn't laid out so; a modality is unknown, a condition
            out of its range; lengths or sizes differ, or are of a single frame.
        UnreadableImageError: cines can't be read; all of them are named at once.
        ConfigError: an option is out of range.
    """

    _PER_IMAGE = (*SplitCollection._PER_IMAGE, "_groups", "_conditions", "_slices")

    def __init__(
        self,
        source: str | Path,
        *,
        modalities: Sequence[str] = ("mri", "ct", "ultrasound", "xray"),
        conditions: Ranges | None = None,
        modality: str | None = None,
        slices: int | str = "middle",
        seed: int = 0,
        validation: float = 0.1,
        test: float = 0.2,
        patient_pattern: str | None = None,
        progress: bool = True,
    ) -> None:
        pattern = checked_options(validation, test, patient_pattern)
        root = Path(source).expanduser()
        ranges = conditions or {}
        rows = read_rows(root, modalities=modalities, conditions=ranges, modality=modality)
        reader = CineReader(slices="all" if slices == EACH else slices)
        seen = _decode_all(rows, reader, root, each=slices == EACH, progress=progress)
        self.num_frames = _one_shape(rows, seen, root)[0]
        places = [
            (row, k) for row, one in zip(rows, seen, strict=True) for k in range(len(one.ids))
        ]
        self.classes = tuple(modalities)
        self._origin = str(root / MANIFEST if (root / MANIFEST).is_file() else root)
        self._images = [str(row.path) for row, _ in places]
        self._names = [f"{row.name} {k}" for row, k in places]
        self._labels = [self.classes.index(row.modality) for row, _ in places]
        self._conditions = [row.conditions for row, _ in places]
        self._slices = [k if slices == EACH else None for _, k in places]
        self._ids = [identity for one in seen for identity in one.ids]
        self._place([row for row, _ in places], root, pattern, (validation, test), seed)

    def _place(
        self,
        rows: Sequence[CineRow],
        root: Path,
        pattern: re.Pattern[str] | None,
        shares: tuple[float, float],
        seed: int,
    ) -> None:
        """Find the patients, and draw the split; one row for each sequence."""
        listed = [Row(row.path, row.name, row.modality, row.patient) for row in rows]
        scanned = [
            Scanned(identity, row.dicom_patient)
            for row, identity in zip(rows, self._ids, strict=True)
        ]
        refuse_two_labels(root, listed, scanned)
        patients, self._patients_from, unknown = find_patients(listed, scanned, pattern)
        self._groups = connected_groups(patients, self._ids)
        validation, test = shares
        self._splits = stratified_split(
            self._labels, self._groups, self._ids, validation=validation, test=test, seed=seed
        )
        thin = [
            f"{name} has no sequence: too few patients"
            for name, share in (("validation", validation), ("test", test))
            if share and name not in self._splits
        ]
        self.warnings = [*unknown, *copies(listed, scanned, patients), *thin]
        for warning in self.warnings:
            _LOGGER.warning("%s: %s", root, warning)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over (source_id, modality, split) and conditions of all sequences."""
        lines = sorted(
            f"{identity} {values}"
            for identity, values in zip(self._ids, self._conditions, strict=True)
        )
        return hashlib.sha256("\n".join([super().fingerprint, *lines]).encode()).hexdigest()

    def summary(self) -> str:
        """A few lines: where from, how patients are known, sequences by split and modality."""
        counts = self.counts
        lines = [
            f"{len(self._ids):,} sequences of {self.num_frames} frames, of "
            f"{len(set(self._groups)):,} patients, {self._origin}",
            f"patients known by: {self._patients_from}",
            "sequences of each modality:",
        ]
        cells = self._table(lambda split, name: f"{name} {counts[split][name]}")
        return "\n".join([*lines, *cells, *self._notes()])

    def _items(self, split: str) -> list[Item]:
        """Sorted by hash, as all collections' are."""
        chosen = [k for k, place in enumerate(self._splits) if place == split]
        return [self._item(k) for k in sorted(chosen, key=lambda k: (self._ids[k], self._names[k]))]

    def _item(self, k: int) -> Item:
        item: Item = {
            "image": self._images[k],
            "label": self._labels[k],
            "modality": self._labels[k],
            "conditions": list(self._conditions[k]),
            "source_id": self._ids[k],
        }
        return item if self._slices[k] is None else {**item, "slice": self._slices[k]}


def _decode_all(
    rows: Sequence[CineRow], reader: CineReader, root: Path, *, each: bool, progress: bool
) -> list[_Seen]:
    """Decode all rows."""

    def one(row: CineRow) -> _Seen:
        pixels, metadata = decoded(reader, row.path)
        parts = [source_id(pixels[k : k + 1]) for k in range(len(pixels))] if each else None
        frames, height, width = pixels.shape[1:]
        return _Seen(parts or [metadata["source_id"]], (frames, height, width))

    names = [row.name for row in rows]
    return read_all(rows, one, names, origin=str(root), progress=progress, what="cine")


def _one_shape(rows: Sequence[CineRow], seen: Sequence[_Seen], root: Path) -> tuple[int, int, int]:
    """How many frames of which size all have; the exceptional one is named."""
    shapes = [one.shape for one in seen]
    usual = Counter(shapes).most_common(1)[0][0]
    for row, shape in zip(rows, shapes, strict=True):
        if shape[0] < 2:
            raise DataError(f"{root}: every cine must have at least 2 frames, got 1 in {row.name}")
        if shape != usual:
            ours, other = (" × ".join(map(str, sizes)) for sizes in (usual, shape))
            raise DataError(
                f"{root}: all cines must have the same frames, rows and columns, got {ours} "
                f"({rows[shapes.index(usual)].name}) and {other} ({row.name})"
            )
    return usual
