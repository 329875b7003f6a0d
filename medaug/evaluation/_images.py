"""Labelled images in memory: what an evaluation takes."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError

Indices = NDArray[np.intp]


class ImageDataset(Protocol):
    """A data set of items with ``image`` (C, H, W) in [0, 1] and ``label``."""

    def __len__(self) -> int:
        """How many items."""

    def __getitem__(self, index: int) -> Any:
        """One item."""


class LabelledImages(NamedTuple):
    """Images and their classes; for generated ones, the classes that were asked for.

    Attributes:
        images: (N, C, H, W) float32 in [0, 1].
        labels: (N,) int64 from 0 on.
    """

    images: Tensor
    labels: Tensor

    @classmethod
    def of(cls, dataset: ImageDataset, at_most: int | None = None) -> Self:
        """All images of a data set, or ones drawn by chance where there are more than `at_most`.

        Raises:
            UserError: there are none.
        """
        total = len(dataset)
        if not total:
            raise UserError("images must be at least one, got none")
        items = [dataset[index] for index in some(total, at_most)]
        images = [torch.as_tensor(item["image"]).as_subclass(Tensor).float() for item in items]
        return cls(torch.stack(images), torch.tensor([int(item["label"]) for item in items]))

    def counts(self, num_classes: int) -> NDArray[np.intp]:
        """How many there are of each class."""
        return np.bincount(self.labels.numpy(), minlength=num_classes)

    def at_most(self, count: int) -> Self:
        """These, or some of them, drawn by chance."""
        return self.only(torch.tensor(some(len(self.labels), count)))

    def only(self, chosen: Indices | Tensor) -> Self:
        """Those at the given indices."""
        index = torch.as_tensor(chosen)
        return type(self)(self.images[index], self.labels[index])

    def fingerprint(self) -> str:
        """SHA-256 of the pixels, their shape and the labels: the same images give the same."""
        images = self.images.contiguous().float()
        digest = hashlib.sha256(str(tuple(images.shape)).encode())
        digest.update(images.numpy().data)  # no copy
        digest.update(self.labels.to(torch.int64).numpy().tobytes())
        return digest.hexdigest()


def check_sets(classes: Sequence[str], **sets: LabelledImages) -> None:
    """Refuse what can't be compared.

    Raises:
        UserError: shapes differ, values aren't in [0, 1], labels aren't those of classes, or a set
            holds nothing.
    """
    shapes = set()
    for name, (images, labels) in sets.items():
        if images.ndim != 4 or not images.is_floating_point() or len(images) == 0:
            raise UserError(
                f"{name} images must be floats of (N, C, H, W), N at least 1, "
                f"got {images.dtype} of {tuple(images.shape)}"
            )
        low, high = (float(value) for value in images.aminmax())
        if not (low >= -1e-5 and high <= 1 + 1e-5):  # False for NaN
            raise UserError(f"{name} images must lie in 0 to 1, got {low:g} to {high:g}")
        if labels.shape != (len(images),) or not 0 <= int(labels.min()) <= int(labels.max()) < len(
            classes
        ):
            raise UserError(
                f"{name} labels must be {len(images):,} integers of 0 to {len(classes) - 1}, got "
                f"{len(labels):,} of {int(labels.min())} to {int(labels.max())}"
            )
        shapes.add(tuple(images.shape[1:]))
    if len(shapes) > 1:
        raise UserError(f"all images must have one size and number of channels, got {shapes}")


def some(total: int, at_most: int | None) -> list[int]:
    """Indices of a set, all, or as many as wanted; always the same ones, in their order."""
    if at_most is None or total <= at_most:
        return list(range(total))
    # by chance: every fifth of classes in turn would be two classes of ten
    chosen = torch.randperm(total, generator=torch.Generator().manual_seed(0))[:at_most]
    return sorted(chosen.tolist())


def draw(labels: Tensor, counts: Sequence[int], random: np.random.Generator) -> Indices:
    """Indices of so many of each class, without replacement."""
    values = labels.numpy()
    chosen = [
        random.choice(np.flatnonzero(values == label), count, replace=False)
        for label, count in enumerate(counts)
        if count
    ]
    return np.concatenate(chosen)
