"""CelebA by torchvision, from the pictures and two lists; classes are combinations of attributes.

Source: Liu et al., "Deep learning face attributes in the wild", ICCV 2015.
"""

import hashlib
import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import torch
from torchvision.datasets import CelebA
from torchvision.datasets.celeba import CSV

from ...errors import ConfigError, DataError, UnreadableImageError
from .._formats.decode import SNIFF_BYTES, read_file, sniff
from .._formats.pixels import Options
from .._scan import read_all
from .._sources import SPLITS, listed, nearest
from .found import Found

_IMAGES = "img_align_celeba"
_ATTRIBUTES = "list_attr_celeba.txt"
_PARTITION = "list_eval_partition.txt"
_MOST_ATTRIBUTES = 10


class _PlainCelebA(CelebA):  # type: ignore[misc]  # torchvision has no types
    """Needs the pictures and two lists, and no MD5s of the lists that nobody uses here."""

    base_folder = ""

    def __init__(self, root: Path) -> None:
        self.lists: dict[str, CSV] = {}
        super().__init__(root, split="all")

    def _check_integrity(self) -> bool:
        return True

    def _load_csv(self, filename: str, header: int | None = None) -> CSV:
        if filename not in (_ATTRIBUTES, _PARTITION):
            return CSV([], [], torch.zeros(0, 1, dtype=torch.int64))
        self.lists[filename] = super()._load_csv(filename, header)
        return self.lists[filename]


def read_celeba(folder: Path, attributes: Sequence[str]) -> Found:
    """All pictures of the lists, split as CelebA's authors did.

    The hash is that of the file's bytes: it takes seconds for all 202,599, and what a JPEG decodes
    to depends on the library. No picture is decoded here.

    Args:
        folder: holds ``img_align_celeba``, ``list_attr_celeba.txt``, ``list_eval_partition.txt``.
        attributes: A of the 40 names; the classes are their 2^A combinations.

    Raises:
        ConfigError: no attribute, an unknown one, one named twice, or more than ten.
        DataError: a list or a picture is missing, or the lists don't fit each other.
        UnreadableImageError: files that are empty or no pictures.
    """
    _require_parts(folder)
    faces, places = _lists(folder)
    columns = _columns(attributes, [name for name in faces.attr_names if name])
    codes = [list(code) for code in product((0, 1), repeat=len(columns))]
    # the first attribute counts most, as in the order of `product`
    weights = torch.tensor([2**k for k in reversed(range(len(columns)))])
    labels: list[int] = (faces.attr[:, columns] * weights).sum(dim=1).tolist()
    splits = [SPLITS[place] for place in places]
    classes = tuple(_class_name(attributes, code) for code in codes)
    known = {label for label, split in zip(labels, splits, strict=True) if split == SPLITS[0]}
    unseen = [name for label, name in enumerate(classes) if label not in known]
    return Found(
        images=[str(folder / _IMAGES / name) for name in faces.filename],
        names=faces.filename,
        labels=labels,
        ids=_file_ids(folder, faces.filename),
        splits=splits,
        classes=classes,
        origin=f"CelebA by {', '.join(attributes)}, {folder}",
        codes=codes,
        warnings=[f"training has no picture of: {'; '.join(unseen)}"] if unseen else [],
    )


def _require_parts(folder: Path) -> None:
    if not folder.is_dir():
        raise DataError(f"{folder}: must be CelebA's folder, got nothing there")
    missing = [name for name in (_ATTRIBUTES, _PARTITION) if not (folder / name).is_file()]
    missing += [] if (folder / _IMAGES).is_dir() else [f"{_IMAGES}/"]
    if missing:
        raise DataError(
            f"{folder}: must hold {_IMAGES}/, {_ATTRIBUTES} and {_PARTITION}, "
            f"got no {' and no '.join(missing)}"
        )


def _lists(folder: Path) -> tuple[CelebA, list[int]]:
    """Names and attributes of all pictures, and 0, 1 or 2 for where each belongs."""
    try:
        faces = _PlainCelebA(folder)
        places = faces.lists[_PARTITION].data[:, 0].tolist()
    # a row of another length, a word for a number, another encoding
    except Exception as error:
        raise DataError(
            f"{folder}: {_ATTRIBUTES} and {_PARTITION} must have CelebA's layout, got a fault: "
            f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0]
        ) from error
    attributed = faces.lists[_ATTRIBUTES].index
    if attributed != faces.filename:
        raise DataError(
            f"{folder}: {_ATTRIBUTES} and {_PARTITION} must name the same pictures in the same "
            f"order, got {len(attributed):,} and {len(faces.filename):,} that differ"
        )
    if not set(faces.attr.unique().tolist()) <= {0, 1}:
        raise DataError(f"{folder / _ATTRIBUTES}: every attribute must be 1 or -1")
    if not set(places) <= {0, 1, 2}:
        raise DataError(
            f"{folder / _PARTITION}: every picture must be in 0, 1 or 2, got {max(places)}"
        )
    _require_pictures(folder, faces.filename)
    return faces, places


def _require_pictures(folder: Path, names: Sequence[str]) -> None:
    there = set(os.listdir(folder / _IMAGES))  # noqa: PTH208  # 200,000 names, not paths
    missing = [name for name in names if name not in there]
    if missing:
        raise DataError(
            f"{folder / _IMAGES}: must hold every picture of {_PARTITION}; {len(missing):,} of "
            f"{len(names):,} aren't there: {listed(missing, 10)}"
        )


def _columns(attributes: Sequence[str], names: Sequence[str]) -> list[int]:
    if not 1 <= len(attributes) <= _MOST_ATTRIBUTES:
        raise ConfigError(
            f"attributes must name 1 to {_MOST_ATTRIBUTES} of CelebA's attributes, such as "
            f"Smiling, Male, got {len(attributes)}"
        )
    if len(set(attributes)) < len(attributes):
        raise ConfigError(f"attributes must be different ones, got {', '.join(attributes)}")
    for name in attributes:
        if name not in names:
            raise ConfigError(
                f"attributes must be CelebA's names, got {name!r}"
                f"{nearest(name, names, most=3) or f'; there are {listed(names, 40)}'}"
            )
    return [names.index(name) for name in attributes]


def _class_name(attributes: Sequence[str], code: Sequence[int]) -> str:
    return ", ".join(
        name if has else f"not {name}" for name, has in zip(attributes, code, strict=True)
    )


def _file_ids(folder: Path, names: Sequence[str]) -> list[str]:
    """SHA-256 of each file's bytes."""
    images = folder / _IMAGES

    def one(name: str) -> str:
        data = read_file(images / name, Options())
        if sniff(data[:SNIFF_BYTES]) != "raster":
            raise UnreadableImageError("must be a JPEG or PNG, got another or an empty file")
        return hashlib.sha256(data).hexdigest()

    return read_all(names, one, names, origin=str(images), progress=True, what="picture")
