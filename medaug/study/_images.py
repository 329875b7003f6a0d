"""A study's images: read and split once, normalised once, as small files that bear numbers."""

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.transforms import Compose, HistogramNormalized, Lambdad, Resized, ToTensord
from PIL import Image
from torch import Tensor

from ..data import ImageCollection, LoadRadiographd
from ..errors import DataError
from ..evaluation import LabelledImages
from ..phantoms import chest_xrays
from ..transforms import AIINd
from ._config import Study, hint
from ._keys import key_of, read_json, write_json

logger = logging.getLogger("medaug")

SPLITS = ("training", "validation", "test")
EXTERNAL = "external"
JUDGED = "judged"
"""Folder of the images that classifiers are tested by."""
PLACES = {
    "training": "training",
    "validation": "validation",
    "test": f"{JUDGED}/test",
    EXTERNAL: f"{JUDGED}/external",
}
FORM = 1
"""Raise it when the same images are prepared in another way."""
WORKERS = 4
DEVIATIONS = 6.0
"""Standardised images show so many, 3 to each side of the mean; the rest is cut off."""


@dataclass(frozen=True)
class Picture:
    """One image.

    Attributes:
        path: of its file.
        source_id: hash of its pixels.
        label: index of its class.
        patient: a number.
        split: "training", "validation", "test" or "external".
    """

    path: str
    source_id: str
    label: int
    patient: int
    split: str


@dataclass(frozen=True)
class Pictures:
    """Images of some classes.

    Attributes:
        classes: names, in the order of the labels.
        items: all images, in an order that doesn't depend on file names.
    """

    classes: tuple[str, ...]
    items: tuple[Picture, ...]

    def of(self, *splits: str) -> list[Picture]:
        """Those of some splits."""
        return [one for one in self.items if one.split in splits]

    def counts(self, split: str = "training") -> list[int]:
        """How many there are of each class in a split."""
        labels = [one.label for one in self.of(split)]
        return [labels.count(label) for label in range(len(self.classes))]


def dataset_of(study: Study) -> str:
    """The folder or list that a study is about; phantoms are made where there is none."""
    return study.dataset_dir or chest_xrays(**study.phantoms)


def read_pictures(study: Study) -> Pictures:
    """Read, check and split the real images; a second hospital's too.

    Raises:
        DataError: as `ImageCollection`; or a class is not in every split, or the second hospital
            has other classes or images that are among the first one's.
    """
    source = dataset_of(study)
    collection = ImageCollection(source, **study.split)
    names = study.classes or collection.classes
    for name in names:
        if name not in collection.classes:
            raise DataError(
                f"classes must be among {', '.join(collection.classes)}, got {name!r}"
                f"{hint(name, collection.classes)}"
            )
    items = _items(collection, names)
    _require_all(source, names, items)
    if study.external_dir:
        items += _external(study.external_dir, names, items)
    return Pictures(tuple(names), tuple(items))


def _items(collection: ImageCollection, names: Sequence[str], split: str = "") -> list[Picture]:
    parts = zip(SPLITS, (collection.train, collection.validation, collection.test), strict=True)
    patients = collection.patients
    return [
        Picture(
            one["image"],
            one["source_id"],
            names.index(collection.classes[one["label"]]),
            patients[one["source_id"]],
            split or name,
        )
        for name, part in parts
        for one in part
        if collection.classes[one["label"]] in names
    ]


def _require_all(source: str, names: Sequence[str], items: Sequence[Picture]) -> None:
    if len(names) < 2:
        raise DataError(f"{source}: a study must have at least two classes, got {', '.join(names)}")
    for label, name in enumerate(names):
        patients = {(one.split, one.patient) for one in items if one.label == label}
        for split in ("training", "test"):
            if not any(where == split for where, _ in patients):
                raise DataError(
                    f"{source}: class {name!r} must have patients to train on and others to test, "
                    f"got {len(patients)} in all and none for {split}"
                )


def _external(folder: str, names: Sequence[str], known: Sequence[Picture]) -> list[Picture]:
    collection = ImageCollection(folder, validation=0, test=0, one_class=True)
    unknown = [name for name in collection.classes if name not in names]
    if unknown:
        raise DataError(
            f"--external_dir must hold classes among {', '.join(names)}, got {', '.join(unknown)}"
        )
    items = _items(collection, names, EXTERNAL)
    own = {one.source_id for one in known}
    both = sum(one.source_id in own for one in items)
    if both:
        raise DataError(
            f"--external_dir must hold another hospital's images, got {both} that are among those "
            "of --dataset_dir"
        )
    return items


def pipeline(kind: str, parameters: dict[str, Any], image_size: int) -> Callable[[Any], Any]:
    """From a file to (1, image_size, image_size) in [0, 1]."""
    steps: dict[str, list[Any]] = {
        "none": [],
        "aiin": [AIINd(keys="image", **parameters)] if kind == "aiin" else [],
        "equalise": [HistogramNormalized(keys="image", num_bins=256, min=0, max=1)],
        "standardise": [Lambdad(keys="image", func=_standardised)],
    }
    made: Callable[[Any], Any] = Compose(
        [
            LoadRadiographd(keys="image"),
            *steps[kind],
            Resized(keys="image", spatial_size=(image_size, image_size), mode="area"),
            ToTensord(keys="image", track_meta=False),
        ]
    )
    return made


def _standardised(image: Tensor) -> Tensor:
    deviation = image.std().clamp(min=1e-6)
    return ((image - image.mean()) / deviation / DEVIATIONS + 0.5).clamp(0, 1)


def prepare(pictures: Pictures, study: Study, normalise: str) -> Pictures:
    """The same images, normalised and shrunk, as PNG files that bear numbers.

    All trainings of a study, of GANs and classifiers, see these files: 8 bits, as generated images
    have, and no name of the user's. They are made once.

    Raises:
        DataError: after it, two images of different classes or splits have the same pixels.
    """
    kind, parameters = study.normalisation(normalise)
    names = [[one.source_id, one.label, one.patient, one.split] for one in pictures.items]
    content = [FORM, pictures.classes, names, kind, parameters, study.image_size]
    folder = (study.cache / "prepared" / key_of(content)).absolute()
    files = [folder / PLACES[one.split] / f"{k:06d}.png" for k, one in enumerate(pictures.items)]
    kept = read_json(folder / "pixels.json")
    if kept is None:
        write_pngs([one.path for one in pictures.items], files, kind, parameters, study.image_size)
        kept = _hashes(pictures, files, folder / "list.json")
        write_json(folder / "pixels.json", kept)
    items = [
        Picture(str(file), identity, one.label, one.patient, one.split)
        for file, identity, one in zip(files, kept, pictures.items, strict=True)
    ]
    return Pictures(pictures.classes, tuple(items))


def write_pngs(
    sources: Sequence[str],
    files: Sequence[Path],
    kind: str,
    parameters: dict[str, Any],
    image_size: int,
) -> None:
    """Prepare files, one by one."""
    transform = pipeline(kind, parameters, image_size)
    for folder in {file.parent for file in files}:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def one(source: str, file: Path) -> None:
        image = torch.as_tensor(transform({"image": source})["image"])
        levels = (image[0].clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        Image.fromarray(levels).save(file)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, sources, files))


def _hashes(pictures: Pictures, files: Sequence[Path], path: Path) -> list[str]:
    """Pixel hashes; `ImageCollection` refuses what the same pixels would give away."""
    items = [
        Picture(str(file), "", one.label, one.patient, one.split)
        for file, one in zip(files, pictures.items, strict=True)
    ]
    write_list(path, pictures.classes, [one for one in items if one.split in SPLITS])
    found = pixel_hashes(path)
    rest = [one for one in items if one.split == EXTERNAL]
    if rest:
        write_list(path, pictures.classes, [Picture(o.path, "", 0, 0, "training") for o in rest])
        found |= pixel_hashes(path)
    return [found[str(file)] for file in files]


def pixel_hashes(source: Path) -> dict[str, str]:
    """Hash of each file's pixels, of a folder or a list."""
    level = logger.level
    logger.setLevel(logging.ERROR)  # that patients aren't known doesn't matter here
    try:
        collection = ImageCollection(source, validation=0, test=0, one_class=True, progress=False)
    finally:
        logger.setLevel(level)
    parts = (collection.train, collection.validation, collection.test)
    return {one["image"]: one["source_id"] for part in parts for one in part}


def write_list(path: Path, classes: Sequence[str], items: Sequence[Picture]) -> None:
    """Write a MONAI data list with its splits; patients are numbers."""
    content: dict[str, list[dict[str, str]]] = {}
    for one in items:
        entry = {"image": one.path, "label": classes[one.label], "patient": str(one.patient)}
        content.setdefault(one.split, []).append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def load(items: Sequence[Picture]) -> LabelledImages:
    """Prepared images as tensors, (N, 1, H, W) in [0, 1]."""
    images = [np.asarray(Image.open(one.path), dtype=np.float32) / 255 for one in items]
    labels = torch.tensor([one.label for one in items], dtype=torch.int64)
    return LabelledImages(torch.from_numpy(np.stack(images)).unsqueeze(1), labels)
