"""No image of a patient who is tested may be learned from, neither by classifier nor generator."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..errors import DataError
from ._images import EXTERNAL, Picture, Pictures, load
from ._keys import read_json

TRAINING_SET = "training_set.json"
HELD_OUT = ("validation", "test", EXTERNAL)
NEAR = 2 / 255
"""Root mean square difference of pixels, below which two images are one, written twice."""
CHUNK = 256


def held_out_ids(*sets: Pictures) -> dict[str, str]:
    """The split of each image that must not be learned from, by pixel hash.

    Args:
        sets: the images as they came, and as they were prepared.
    """
    return {one.source_id: one.split for pictures in sets for one in pictures.of(*HELD_OUT)}


def read_training_set(name: str, place: Path) -> list[str]:
    """Pixel hashes of what a generator was trained on.

    Args:
        name: of the generator.
        place: the folder of its images, of its training, or of images that a training's folder has.

    Raises:
        DataError: there is no such list, or another file.
    """
    near = (place, place / "models", place.parent / "models")
    path = next(
        (folder / TRAINING_SET for folder in near if (folder / TRAINING_SET).exists()), None
    )
    if path is None:
        raise DataError(
            f"generator {name!r} must come with {TRAINING_SET}, the pixel hashes of the images "
            f"that it was trained on, got none in {place}: it may have seen the test patients"
        )
    content = read_json(path)
    found = content.get("source_ids") if isinstance(content, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise DataError(f"{path} must hold 'source_ids', a list of pixel hashes, got another file")
    return found


def refuse_leak(name: str, ids: Iterable[str], held_out: Mapping[str, str], what: str) -> None:
    """Refuse a generator whose training images, or whose own ones, are among those held out.

    Raises:
        DataError: how many there are, and where they belong.
    """
    splits = [held_out[one] for one in set(ids) if one in held_out]
    if splits:
        raise DataError(
            f"generator {name!r} leaks: {what} must hold no held-out patient's image, got "
            f"{_told(splits)}"
        )


def refuse_near_copies(name: str, made: Sequence[Picture], real: Pictures) -> None:
    """Refuse held-out images that were written again, a little changed, as generated ones.

    Args:
        name: of the generator.
        made: its images, prepared as the real ones.
        real: prepared.

    Raises:
        DataError: how many there are, and where they belong.
    """
    held_out = real.of(*HELD_OUT)
    if not made or not held_out:
        return
    ours, theirs = load(made).images.flatten(1), load(held_out).images.flatten(1)
    if ours.shape[1] != theirs.shape[1]:
        return  # made at another size: no copy pixel by pixel
    nearest = torch.cat([_nearest(part, theirs) for part in ours.split(CHUNK)])
    splits = [
        held_out[int(index)].split
        for part, index in zip(ours, nearest, strict=True)
        if float((part - theirs[index]).square().mean().sqrt()) < NEAR
    ]
    if splits:
        raise DataError(
            f"generator {name!r} leaks: its images must hold no held-out patient's image, got "
            f"{_told(splits)}, changed by less than 2 of 255 levels"
        )


def refuse_leaking_lists(training: Iterable[Picture], real: Pictures) -> None:
    """Refuse a classifier's training list with an image that it is tested or chosen by.

    Raises:
        DataError: how many there are, and where they belong.
    """
    held_out = held_out_ids(real)
    splits = [held_out[one.source_id] for one in training if one.source_id in held_out]
    if splits:
        raise DataError(
            f"training images must hold none of a held-out patient, got {_told(splits)}"
        )


def _nearest(part: Tensor, theirs: Tensor) -> Tensor:
    return torch.cdist(part, theirs).argmin(1)


def _told(splits: Sequence[str]) -> str:
    return " and ".join(
        f"{splits.count(split)} of {split} patients" for split in HELD_OUT if split in splits
    )
