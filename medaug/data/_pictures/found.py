"""What a data set's reader gives to `PictureCollection`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .._formats.pixels import scale_levels, source_id

_LEVELS = scale_levels(np.arange(256), 0, 255)


@dataclass(frozen=True)
class Found:
    """All pictures of a data set; the sequences have an entry for each.

    Attributes:
        images: uint8 arrays, (H, W) or (H, W, 3), or paths.
        names: orders pictures of the same content.
        labels: indices into `classes`.
        ids: SHA-256 of each picture's content.
        splits: "training", "validation" or "test".
        classes: names, in the order of the labels.
        origin: in words where they are from.
        codes: for each class, which of the attributes that make it up it has (1) or hasn't (0).
        warnings: what a person should know.
    """

    images: Sequence[str | NDArray[np.uint8]]
    names: Sequence[str]
    labels: Sequence[int]
    ids: Sequence[str]
    splits: Sequence[str]
    classes: tuple[str, ...]
    origin: str
    codes: list[list[int]] | None = None
    warnings: list[str] = field(default_factory=list)


def pixel_ids(pictures: NDArray[np.uint8]) -> list[str]:
    """The hashes that `ImageCollection` gives to the same grey pictures in PNG files.

    Args:
        pictures: (N, H, W).
    """
    return [source_id(_LEVELS[picture]) for picture in pictures]
