"""Folders of images of any origin, as the three sets that an evaluation compares."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from monai.data.meta_tensor import MetaTensor
from torch import Tensor
from torch.nn import functional as F

from ..data import ImageCollection, LoadRadiograph, images_in
from ..errors import ConfigError, DataError
from ..evaluation import LabelledImages

HELD_OUT = 1 / 3
"""Share of the real images that is held out where no held-out ones are given."""
REAL, SYNTHETIC, HELD_OUT_OPTION = "--real", "--synthetic", "--held-out"

Items = Sequence[Mapping[str, Any]]


class Folders(NamedTuple):
    """What the folders hold.

    Attributes:
        classes: names.
        train: real images.
        held_out: real images of other patients.
        synthetic: generated images.
        notes: what a reader of the figures should know, by what it is about.
    """

    classes: tuple[str, ...]
    train: LabelledImages
    held_out: LabelledImages
    synthetic: LabelledImages
    notes: dict[str, str]


def read_folders(
    real: Path,
    synthetic: Path,
    held_out: Path | None = None,
    *,
    image_size: int = 64,
    patient_pattern: str | None = None,
    seed: int = 0,
) -> Folders:
    """Read images as the bundles do: by `LoadRadiograph`, then shrunk by means over areas.

    A folder has one subfolder for each class (or a ``manifest.csv``, for real ones), or is of one
    class. Without `held_out`, a third of the real images is held out, by patient.

    Args:
        real: what the generator learned from.
        synthetic: generated images, in the same classes.
        held_out: real images of other patients, in the same classes.
        image_size: of both sides, in pixels.
        patient_pattern: as for `medaug.data.ImageCollection`.
        seed: draws the split.

    Raises:
        DataError: a folder isn't there or has other classes; the same image is on two sides.
        ConfigError: `image_size` is below 8 or above the size of an image.
        UnreadableImageError: files can't be read.
    """
    if image_size < 8:
        raise ConfigError(f"--image-size must be at least 8, got {image_size}")
    for name, folder in ((REAL, real), (SYNTHETIC, synthetic), (HELD_OUT_OPTION, held_out)):
        if folder is not None and not folder.is_dir():
            raise DataError(f"{name} must be a folder of images, got {str(folder)!r}")
    classes, known, kept = _real(real, held_out, patient_pattern, seed)
    notes = {}
    if held_out is None:
        notes["copies of held-out images"] = (
            f"no {HELD_OUT_OPTION} was given, so {len(kept):,} of the real images, of patients of "
            "their own, were held out here; if the generator learned from these, too, copies of "
            "them are not found, and it looks better than it is"
        )
    train, train_ids = _load(known, REAL, image_size)
    other, other_ids = _load(kept, HELD_OUT_OPTION if held_out else REAL, image_size)
    if shared := train_ids & other_ids:
        raise DataError(
            f"{HELD_OUT_OPTION} must hold other images than {REAL}, got {len(shared):,} with the "
            "same pixels in both"
        )
    made, _ = _load(_of_classes(synthetic, classes, SYNTHETIC), SYNTHETIC, image_size)
    return Folders(classes, train, other, made, notes)


def _real(
    real: Path, held_out: Path | None, pattern: str | None, seed: int
) -> tuple[tuple[str, ...], Items, Items]:
    """Class names, images to learn from, and held-out ones."""
    options: dict[str, Any] = {"validation": 0.0, "patient_pattern": pattern}
    test = HELD_OUT if held_out is None else 0.0
    found = ImageCollection(real, seed=seed, test=test, one_class=True, **options)
    if held_out is None:
        return found.classes, found.train, found.test
    if len(found.classes) == 1:
        return found.classes, found.train, _of_classes(held_out, found.classes, HELD_OUT_OPTION)
    other = ImageCollection(held_out, test=0.0, **options)
    if other.classes != found.classes:
        raise _other_classes(HELD_OUT_OPTION, found.classes, other.classes)
    return found.classes, found.train, other.train


def _of_classes(folder: Path, classes: Sequence[str], name: str) -> Items:
    """Images of a folder, in the given classes."""
    if len(classes) == 1:
        return _labelled(images_in(folder, name=name), 0)
    found = tuple(part.name for part in _subfolders(folder))
    if set(found) != set(classes):
        raise _other_classes(name, classes, found)
    return [
        item
        for label, one in enumerate(classes)
        for item in _labelled(images_in(folder / one, name=f"{name} {one}"), label)
    ]


def _other_classes(name: str, classes: Sequence[str], found: Sequence[str]) -> DataError:
    return DataError(
        f"{name} must have the classes of {REAL} as subfolders, {', '.join(classes)}, got "
        f"{', '.join(found) or 'none'}"
    )


def _subfolders(folder: Path) -> list[Path]:
    return sorted(
        part for part in folder.iterdir() if part.is_dir() and not part.name.startswith((".", "__"))
    )


def _labelled(items: Sequence[Mapping[str, str]], label: int) -> list[Mapping[str, Any]]:
    return [{"image": item["image"], "label": label} for item in items]


def _load(items: Items, name: str, size: int) -> tuple[LabelledImages, set[str]]:
    """Images of `size` × `size` pixels, and the hashes of their pixels as they were."""
    load = LoadRadiograph()
    images, ids = [], set()
    for item in items:
        image = load(item["image"])
        assert isinstance(image, MetaTensor)  # a pair only where a mask is asked for
        side = min(image.shape[1:])
        if side < size:
            raise ConfigError(
                f"--image-size must be at most {side}, the smallest side of the images in {name}, "
                f"got {size}"
            )
        ids.add(image.meta["source_id"])
        images.append(F.adaptive_avg_pool2d(image.as_subclass(Tensor), size))
    labels = torch.tensor([item["label"] for item in items])
    return LabelledImages(torch.stack(images), labels), ids
