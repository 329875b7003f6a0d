"""A user's labelled images, checked, and split by patient."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import ConfigError, DataError
from ._patients import copies, find_patients, refuse_leaks, refuse_two_labels
from ._radiograph import RadiographReader
from ._scan import scan
from ._sources import SPLITS, Row, listed, read_source
from ._split import connected_groups, stratified_split
from ._splits import SplitCollection

_LOGGER = logging.getLogger("medaug")


class ImageCollection(SplitCollection):
    """Images with class and patient, from a folder, a CSV or a MONAI JSON list, split by patient.

    `source` is a folder with one subfolder a class (any mix of what `RadiographReader` reads); a
    folder with a ``manifest.csv``, or a CSV, with the columns ``file, label, patient`` (files
    relative to it); or a MONAI data list ``{"training": [{"image", "label", "patient"}], ...}``,
    whose split is kept where it gives more than ``training``.

    Every file is decoded once, here, so that whatever is wrong is found before training. Splits
    are stratified by class and made by patient over all classes together; they depend on the
    pixels, the patients and the seed, not on file names, their order or place. The patient is
    taken from the list, else from DICOM's PatientID, else from `patient_pattern`, else each file
    counts as one (with a warning). Images with the same pixels stay together.

    Args:
        source: folder, .csv or .json.
        seed: draws the split.
        validation: share of the images for choosing a model, in [0, 1).
        test: share of the images for reporting, in [0, 1).
        patient_pattern: regular expression searched in the file's name; its first group, or
            else the whole match, is the patient.
        progress: show a bar on stderr while many files are checked.
        reader: decides how the files are decoded; default ``RadiographReader()``.
        one_class: whether images of a single class will do; they may then lie in a folder without
            subfolders, and their class is "all".

    Attributes:
        classes: the classes' names, sorted; an item's label is the index into them.
        warnings: what was logged: few patients, copies, unknown patients.

    Raises:
        DataError: the source isn't there or isn't laid out so; there is one class, and
            `one_class` doesn't allow it; the same pixels have two labels; a given split has one
            patient or the same pixels on two sides.
        UnreadableImageError: files can't be read; all of them are named at once.
        ConfigError: an option is out of range.
    """

    _PER_IMAGE = (*SplitCollection._PER_IMAGE, "_groups")

    def __init__(
        self,
        source: str | Path,
        *,
        seed: int = 0,
        validation: float = 0.1,
        test: float = 0.2,
        patient_pattern: str | None = None,
        progress: bool = True,
        reader: RadiographReader | None = None,
        one_class: bool = False,
    ) -> None:
        pattern = _checked_options(validation, test, patient_pattern)
        path = Path(source).expanduser()
        found = read_source(path, one_class=one_class)
        rows = found.rows
        self._images = [str(row.file) for row in rows]
        self._names = [row.name for row in rows]
        self._origin = found.origin
        self.classes = _class_names(path, rows, 1 if one_class else 2)
        self._labels = [self.classes.index(row.label) for row in rows]
        options = (reader or RadiographReader()).options
        scanned = scan(rows, options, origin=str(path), progress=progress)
        self._ids = [image.source_id for image in scanned]
        refuse_two_labels(path, rows, scanned)
        patients, self._patients_from, unknown = find_patients(rows, scanned, pattern)
        self._groups = connected_groups(patients, self._ids)
        if any(row.split for row in rows):
            self._splits = [str(row.split) for row in rows]
            refuse_leaks(path, rows, self._splits, scanned, patients)
        else:
            self._splits = stratified_split(
                self._labels, self._groups, self._ids, validation=validation, test=test, seed=seed
            )
        wanted = [name for name, share in (("validation", validation), ("test", test)) if share]
        thin = _check_places(path, self.counts, wanted)
        self.warnings = [*found.notes, *unknown, *copies(rows, scanned, patients), *thin]
        for warning in self.warnings:
            _LOGGER.warning("%s: %s", path, warning)

    @property
    def patients(self) -> dict[str, int]:
        """A number for each image's patient, by source_id; it says nothing of who that is."""
        return dict(zip(self._ids, self._groups, strict=True))

    def summary(self) -> str:
        """A few lines: where from, how patients are known, images (patients) by split and class."""
        one_each = {pair: k for k, pair in enumerate(zip(self._labels, self._groups, strict=True))}
        images, patients = self.counts, self._count(one_each.values())
        lines = [
            f"{len(self._ids):,} images of {len(set(self._groups)):,} patients, {self._origin}",
            f"patients known by: {self._patients_from}",
            "images (patients) of each class:",
        ]
        cells = self._table(
            lambda split, name: f"{name} {images[split][name]} ({patients[split][name]})"
        )
        return "\n".join([*lines, *cells, *self._notes()])


def _checked_options(
    validation: float, test: float, patient_pattern: str | None
) -> re.Pattern[str] | None:
    if min(validation, test) < 0 or validation + test >= 1:
        raise ConfigError(
            "validation and test must be shares of at least 0 and below 1 together, "
            f"got {validation} and {test}"
        )
    try:
        return re.compile(patient_pattern) if patient_pattern else None
    except re.error as error:
        raise ConfigError(
            f"patient_pattern must be a regular expression, got {patient_pattern!r}: {error}"
        ) from error


def _class_names(path: Path, rows: Sequence[Row], at_least: int) -> tuple[str, ...]:
    names = {row.label for row in rows}
    if len(names) < at_least:
        raise DataError(
            f"{path}: must hold images of at least two classes, got {len(rows):,} images of one: "
            f"{', '.join(names)}"
        )
    numeric = all(re.fullmatch(r"-?\d+", name) for name in names)
    return tuple(sorted(names, key=lambda name: (int(name) if numeric else 0, name)))


def _check_places(
    path: Path, counts: dict[str, dict[str, int]], wanted: Sequence[str]
) -> list[str]:
    """Training must have every class; warn where another split lacks one."""
    lacking = {
        split: [name for name, count in counts[split].items() if not count] for split in SPLITS
    }
    if lacking["training"]:
        raise DataError(
            f"{path}: training must have images of every class, got none of "
            f"{listed(lacking['training'])}"
        )
    return [
        f"{split} has no image of {listed(lacking[split])}: too few patients"
        for split in wanted
        if lacking[split]
    ]
