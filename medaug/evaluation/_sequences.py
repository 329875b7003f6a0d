"""Labelled sequences in memory: what an evaluation of cines takes."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ._images import ImageDataset, Indices, LabelledImages, some

SMALLEST = 16
"""Pixels a side; what the classifier of the domain wants, and SSIM nearly does."""


class LabelledSequences(NamedTuple):
    """Sequences of a beating heart, their modality, and their ejection fraction.

    Attributes:
        sequences: (N, 1, T, H, W) float32 in [0, 1]: whole cycles from the same phase on.
        labels: (N,) int64 from 0 on, modalities; of generated ones, those asked for.
        ejection_fraction: (N,) in [0, 1]: asked for, or known of real ones; NaN where it isn't.
    """

    sequences: Tensor
    labels: Tensor
    ejection_fraction: Tensor

    @classmethod
    def of(
        cls,
        dataset: ImageDataset,
        conditions: Sequence[str] = (),
        *,
        at_most: int | None = None,
        unit: float = 1.0,
    ) -> Self:
        """Sequences of a `medaug.data.CinePyramid`, or some by chance where there are many.

        Args:
            dataset: items with ``image``, ``label`` and ``conditions``.
            conditions: their names; of them, ``ejection_fraction`` is taken.
            at_most: how many.
            unit: what 1 is in the data set: 100 where it has per cent.

        Raises:
            UserError: there are none.
        """
        total = len(dataset)
        if not total:
            raise UserError("sequences must be at least one, got none")
        items = [dataset[index] for index in some(total, at_most)]
        told = torch.stack([torch.as_tensor(item["conditions"]) for item in items])
        return cls(
            torch.stack([torch.as_tensor(item["image"]).float() for item in items]),
            torch.tensor([int(item["label"]) for item in items]),
            ejection_fractions(told, conditions, unit),
        )

    def only(self, chosen: Indices | Tensor) -> Self:
        """Those at the given indices."""
        return type(self)(*(part[torch.as_tensor(chosen)] for part in self))

    def at_most(self, count: int) -> Self:
        """These, or some of them, drawn by chance."""
        return self.only(torch.tensor(some(len(self.labels), count)))

    def frames(self, count: int) -> LabelledImages:
        """Up to `count` evenly spaced frames of each, one sequence after the other."""
        chosen = self.sequences[:, 0, phases(self.sequences.shape[2], count)]
        return LabelledImages(
            chosen.flatten(0, 1).unsqueeze(1), self.labels.repeat_interleave(chosen.shape[1])
        )


def ejection_fractions(told: Tensor, conditions: Sequence[str], unit: float) -> Tensor:
    """Of (N, K) conditions, that one as (N,); NaN where there is no such condition."""
    if "ejection_fraction" not in conditions:
        return torch.full((len(told),), torch.nan)
    return told[:, list(conditions).index("ejection_fraction")].cpu() / unit


def phases(length: int, count: int) -> list[int]:
    """Up to `count` frames of a cycle, as evenly spaced as can be, from the first on."""
    count = min(length, count)
    return [k * length // count for k in range(count)]


def check_sequences(classes: Sequence[str], **sets: LabelledSequences) -> None:
    """Refuse what can't be compared.

    Raises:
        UserError: shapes differ, values aren't in [0, 1], labels aren't those of classes, ejection
            fractions are none, or a set holds nothing.
    """
    shapes = set()
    for name, (sequences, labels, fractions) in sets.items():
        shape = tuple(sequences.shape)
        if sequences.ndim != 5 or 0 in shape or not sequences.is_floating_point() or shape[1] != 1:
            raise UserError(
                f"{name} sequences must be floats of (N, 1, T, H, W), N at least 1, "
                f"got {sequences.dtype} of {shape}"
            )
        if shape[2] < 2 or min(shape[3:]) < SMALLEST:
            raise UserError(
                f"{name} sequences must have at least 2 frames of at least {SMALLEST} × "
                f"{SMALLEST} pixels, got {shape[2]} of {shape[3]} × {shape[4]}"
            )
        low, high = (float(value) for value in sequences.aminmax())
        if not (low >= -1e-5 and high <= 1 + 1e-5):  # False for NaN
            raise UserError(f"{name} sequences must lie in 0 to 1, got {low:g} to {high:g}")
        _check_told(name, len(sequences), labels, fractions, len(classes))
        shapes.add(shape[2:])
    if len(shapes) > 1:
        raise UserError(f"all sequences must have as many frames of one size, got {sorted(shapes)}")


def _check_told(name: str, count: int, labels: Tensor, fractions: Tensor, num_classes: int) -> None:
    if labels.shape != (count,) or not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        raise UserError(
            f"{name} labels must be {count:,} integers of 0 to {num_classes - 1}, got "
            f"{len(labels):,} of {int(labels.min())} to {int(labels.max())}"
        )
    known = fractions.numpy()[~np.isnan(fractions.numpy())]
    if fractions.shape != (count,) or (known < 0).any() or (known > 1).any():
        raise UserError(
            f"{name} ejection fractions must be {count:,} numbers of 0 to 1, or NaN, got "
            f"{len(fractions):,}"
        )
