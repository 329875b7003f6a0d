"""Public picture sets, split, in the form of a user's own images."""

import logging
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ...errors import ConfigError, DataError
from .._sources import nearest
from .._splits import SplitCollection
from .found import Found

_LOGGER = logging.getLogger("medaug")
# what reads each data set, and what that needs
_NEEDS = {"digits": "scikit-learn", "mnist": "torchvision", "celeba": "torchvision"}


class PictureCollection(SplitCollection):
    """Digits or faces with class and split; offers what `ImageCollection` offers.

    - ``"digits"``: the 1,797 handwritten digits of 8 x 8 that come with scikit-learn; no folder,
      no network. Split by class: 10 % validation, 20 % test.
    - ``"mnist"``: `torchvision.datasets.MNIST`; the four idx files, plain or gzip, lie in `root`,
      ``root/raw`` or ``root/MNIST/raw``, where nothing is written. The 60,000 are split into
      55,000 and 5,000; the test set stays as it is.
    - ``"celeba"``: `torchvision.datasets.CelebA`, in colour, from ``img_align_celeba/``,
      ``list_attr_celeba.txt`` and ``list_eval_partition.txt`` in `root`, with that list's split.
      Classes are the 2^A combinations of A `attributes`, named like "Smiling, not Male"; in the
      k-th class the attributes are k's binary digits, the first one counting most.

    An item's ``source_id`` is a SHA-256 of its content: for digits and MNIST that of the pixels,
    as `ImageCollection` would give it for the same picture in a PNG; for CelebA that of the file.

    Args:
        dataset: "digits", "mnist" or "celeba".
        root: the folder; empty for "digits".
        attributes: for "celeba": names of one or more of its 40 attributes; one string is one name,
            or several with commas.
        seed: draws the split of "digits" and "mnist".

    Attributes:
        classes: the classes' names; an item's label is the index into them.
        codes: for "celeba" 2^A rows of A zeros and ones, each class's attributes; else None.
        warnings: classes that training lacks.

    Raises:
        ConfigError: unknown data set or attribute, attributes or a folder where there can be none,
            or the package that the data set needs isn't there.
        DataError: a file is missing, damaged, or not laid out so.
    """

    def __init__(
        self,
        dataset: str,
        root: str | Path = "",
        *,
        attributes: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        found = _read(dataset, root, _names(attributes), seed)
        self.classes = found.classes
        self.codes = found.codes
        self.warnings = found.warnings
        self._images = found.images
        self._names = found.names
        self._labels = found.labels
        self._ids = found.ids
        self._splits = found.splits
        self._origin = found.origin
        for warning in self.warnings:
            _LOGGER.warning("%s: %s", found.origin, warning)

    def summary(self) -> str:
        """A few lines: where from, and images by split and class."""
        counts = self.counts
        lines = [f"{len(self._ids):,} images, {self._origin}", "images of each class:"]
        # a combination of attributes has commas in its name
        cells = self._table(lambda split, name: f"{name}: {counts[split][name]:,}", "; ")
        return "\n".join([*lines, *cells, *self._notes()])


def _names(attributes: Sequence[str]) -> tuple[str, ...]:
    parts = attributes.split(",") if isinstance(attributes, str) else attributes
    return tuple(name for name in (str(part).strip() for part in parts) if name)


def _read(dataset: str, root: str | Path, attributes: tuple[str, ...], seed: int) -> Found:
    if dataset not in _NEEDS:
        raise ConfigError(
            f"dataset must be one of {', '.join(_NEEDS)}, got {dataset!r}{nearest(dataset, _NEEDS)}"
        )
    if attributes and dataset != "celeba":
        raise ConfigError(
            f"attributes are celeba's and must be empty for {dataset}, got {', '.join(attributes)}"
        )
    if bool(str(root)) != (dataset != "digits"):
        raise DataError(
            f"the folder must be empty for digits, which come with scikit-learn, got {root}"
            if root
            else f"dataset {dataset} must be given its folder, got none"
        )
    module = _module(dataset)
    found: Found
    if dataset == "digits":
        found = module.read_digits(seed)
    elif dataset == "mnist":
        found = module.read_mnist(Path(root).expanduser(), seed)
    else:
        found = module.read_celeba(Path(root).expanduser(), attributes)
    return found


def _module(dataset: str) -> ModuleType:
    """Import what reads a data set only now: `medaug.data` does without these packages."""
    try:
        return import_module(f".{dataset}", __package__)
    # a torchvision built for another torch raises RuntimeError
    except (ImportError, RuntimeError) as error:
        raise ConfigError(
            f"dataset {dataset} needs a working {_NEEDS[dataset]} (pip install {_NEEDS[dataset]}), "
            f"got {type(error).__name__}: {str(error).splitlines()[0]}"
        ) from error
