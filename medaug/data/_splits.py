"""What every collection of labelled images offers: three splits, counts and a fingerprint."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ._sources import SPLITS, nearest

Item = dict[str, Any]


class SplitCollection:
    """Images with class and split; the base of collections, which fill in the fields.

    Attributes:
        classes: the classes' names; an item's label is the index into them.
        codes: where classes are combinations of attributes, each class's 0s and 1s; else None.
        warnings: what a person should know of the data.
    """

    classes: tuple[str, ...]
    codes: Sequence[Sequence[int]] | None = None
    warnings: list[str]
    # one entry each for every image
    _PER_IMAGE: ClassVar[tuple[str, ...]] = ("_images", "_names", "_labels", "_ids", "_splits")
    _images: Sequence[str | NDArray[np.uint8]]
    _names: Sequence[str]
    _labels: Sequence[int]
    _ids: Sequence[str]
    _splits: Sequence[str]

    @property
    def train(self) -> list[Item]:
        """Items ``{"image": path or array, "label": int, "source_id": hash}`` to learn from."""
        return self._items("training")

    @property
    def validation(self) -> list[Item]:
        """Items to choose a model by."""
        return self._items("validation")

    @property
    def test(self) -> list[Item]:
        """Items to report on."""
        return self._items("test")

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Number of images by split ("training", "validation", "test") and class."""
        return self._count(range(len(self._ids)))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the sorted (source_id, class, split) of all images."""
        lines = sorted(
            f"{identity} {self.classes[label]} {split}"
            for identity, label, split in zip(self._ids, self._labels, self._splits, strict=True)
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def one_class(self, class_name: str = "") -> Self:
        """The images of one class, or of all, as a collection of one class; the split stays.

        Args:
            class_name: one of `classes`; empty for all images, called "all".

        Raises:
            ConfigError: there is no such class.
        """
        if class_name and class_name not in self.classes:
            raise ConfigError(
                f"class_name must be one of {', '.join(self.classes)}, got {class_name!r}"
                f"{nearest(class_name, self.classes)}"
            )
        names = [self.classes[label] for label in self._labels]
        chosen = [k for k, name in enumerate(names) if class_name in ("", name)]
        made = copy(self)
        for field in self._PER_IMAGE:
            values = getattr(self, field)
            setattr(made, field, [values[k] for k in chosen])
        made.classes, made.codes = (class_name or "all",), None
        made._labels = [0] * len(chosen)
        return made

    def _items(self, split: str) -> list[Item]:
        """Sorted by hash: the order doesn't depend on names or on where the folder lies."""
        chosen = [k for k, place in enumerate(self._splits) if place == split]
        return [
            {"image": self._images[k], "label": self._labels[k], "source_id": self._ids[k]}
            for k in sorted(chosen, key=lambda k: (self._ids[k], self._names[k]))
        ]

    def _count(self, indices: Iterable[int]) -> dict[str, dict[str, int]]:
        counts = {split: dict.fromkeys(self.classes, 0) for split in SPLITS}
        for k in indices:
            counts[self._splits[k]][self.classes[self._labels[k]]] += 1
        return counts

    def _table(self, cell: Callable[[str, str], str], separator: str = ", ") -> list[str]:
        """A line for each split: `cell` of (split, class), joined."""
        return [
            f"  {split}: {separator.join(cell(split, name) for name in self.classes)}"
            for split in SPLITS
        ]

    def _notes(self) -> list[str]:
        return [f"note: {warning}" for warning in self.warnings]
