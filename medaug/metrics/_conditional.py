"""Do generated images show what was asked for, and as variously as real ones?"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError
from ._prdc import coverage
from ._vectors import Vectors

Classes = Tensor | NDArray[np.integer] | Sequence[int]

_Z = 1.959964  # of a normal distribution, 95 % lie within so many deviations


class ConditionalCheck(NamedTuple):
    """What `conditional_check` finds.

    Attributes:
        agreement: share of generated images whose predicted class is the one that was asked for.
        low: lower end of its 95 % Wilson interval.
        high: upper end.
        by_class: the same share for each class that was asked for, by its index.
        coverage: share of real images with a generated one near, `medaug.metrics.coverage`.
    """

    agreement: float
    low: float
    high: float
    by_class: dict[int, float]
    coverage: float


def conditional_check(
    asked: Classes,
    predicted: Classes,
    real_features: Vectors,
    generated_features: Vectors,
    *,
    k: int = 5,
) -> ConditionalCheck:
    """Set asked-for beside predicted classes, and real beside generated features.

    Agreement alone is perfect for one image a class, again and again; coverage alone says nothing
    of classes. Where the classifier itself is wrong on real images, agreement is bounded by that.

    Args:
        asked: (M,) classes that the generator was given.
        predicted: (M,) a classifier's classes of its images.
        real_features: (N, D), for `coverage`.
        generated_features: (any number, D), for `coverage`.
        k: for `coverage`.

    Raises:
        UserError: differing numbers of classes, none at all, or what `coverage` refuses.
    """
    wanted, found = _indices("asked", asked), _indices("predicted", predicted)
    if len(wanted) != len(found) or len(wanted) == 0:
        raise UserError(
            "asked and predicted must be equally many classes, at least one, "
            f"got {len(wanted):,} and {len(found):,}"
        )
    right = wanted == found
    low, high = wilson_interval(int(right.sum()), len(right))
    return ConditionalCheck(
        agreement=float(right.double().mean()),
        low=low,
        high=high,
        by_class={
            label: float(right[wanted == label].double().mean())
            for label in wanted.unique().tolist()
        },
        coverage=coverage(real_features, generated_features, k=k),
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), in [0, 1].

    Args:
        successes: 0 to `trials`.
        trials: at least 1.

    Raises:
        UserError: they are out of range.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise UserError(f"successes must be 0 to trials, at least 1, got {successes} of {trials}")
    share, z2 = successes / trials, _Z**2 / trials
    middle = (share + z2 / 2) / (1 + z2)
    half = math.sqrt(share * (1 - share) * z2 + z2**2 / 4) / (1 + z2)
    # rounding may leave 0 and 1 by a hair
    return max(0.0, middle - half), min(1.0, middle + half)


def _indices(name: str, classes: Classes) -> Tensor:
    tensor = torch.as_tensor(classes)
    if tensor.ndim != 1 or tensor.is_floating_point():
        raise UserError(
            f"{name} must be integers of (M,), got {tensor.dtype} of {tuple(tensor.shape)}"
        )
    return tensor.cpu()
