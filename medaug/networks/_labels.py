"""Class labels as vectors: one for each class, or composed of its attributes."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ConfigError
from ._layers import SPREAD, require_counts

Codes = Sequence[Sequence[int]]
"""For each class its attributes, 0 or 1, in the order of the class indices."""


class ClassCodes(nn.Module):
    """The attributes of a class; with no codes given, each class is an attribute of its own.

    Args:
        num_classes: how many classes there are.
        codes: `num_classes` rows of as many 0s and 1s each, no two rows equal.

    Shape: label (N,) int64 in 0 … num_classes - 1; attributes (N, num_attributes) float32.

    Raises:
        ConfigError: the codes are not as said.
    """

    table: Tensor

    def __init__(self, num_classes: int, codes: Codes | None = None) -> None:
        super().__init__()
        require_counts(num_classes=num_classes)
        if codes is None:
            table = torch.eye(num_classes)
        else:
            _require_codes(num_classes, codes)
            table = torch.tensor(codes, dtype=torch.float32)
        self.num_attributes = table.shape[1]
        # Saved with the weights: they mean nothing by other codes.
        self.register_buffer("table", table)

    def forward(self, label: Tensor) -> Tensor:
        """Look the attributes up; unlike an index, this refuses negative labels."""
        return F.embedding(label, self.table)


class CodeEmbedding(nn.Module):
    """A vector for a class: the sum of the vectors of the attributes that it has.

    The attributes' vectors are drawn from N(0, 0.02).

    Args:
        num_classes: how many classes there are.
        length: of a vector.
        codes: as in `ClassCodes`.

    Shape: label (N,) int64 in 0 … num_classes - 1; vectors (N, length).

    Raises:
        ConfigError: the codes don't fit.
    """

    def __init__(self, num_classes: int, length: int, codes: Codes) -> None:
        super().__init__()
        self.codes = ClassCodes(num_classes, codes)
        self.weight = nn.Parameter(torch.randn(self.codes.num_attributes, length) * SPREAD)

    def forward(self, label: Tensor) -> Tensor:
        """Add the vectors up."""
        vectors: Tensor = self.codes(label) @ self.weight
        return vectors


def label_embedding(num_classes: int, length: int, codes: Codes | None) -> nn.Module:
    """A vector for each class, learnt freely, or composed of its attributes where codes are given.

    Raises:
        ConfigError: there is no class, or the codes don't fit.
    """
    require_counts(num_classes=num_classes)
    if codes is None:
        return nn.Embedding(num_classes, length)
    return CodeEmbedding(num_classes, length, codes)


def _require_codes(num_classes: int, codes: Codes) -> None:
    if len(codes) != num_classes:
        raise ConfigError(
            f"codes must have a row for each of {num_classes} classes, got {len(codes)}"
        )
    lengths = sorted({len(code) for code in codes})
    if len(lengths) != 1 or lengths[0] < 1:
        raise ConfigError(f"codes must be rows of one length of at least 1, got lengths {lengths}")
    others = sorted({bit for code in codes for bit in code} - {0, 1})
    if others:
        raise ConfigError(f"codes must be 0 or 1, got {others[0]}")
    different = len({tuple(code) for code in codes})
    if different != num_classes:
        raise ConfigError(
            f"codes must differ between classes, got {different} different ones "
            f"for {num_classes} classes"
        )
