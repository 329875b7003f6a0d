"""Inception score: how sure a classifier is of each image, and how various its answers are."""

import math

import numpy as np

from ..errors import UserError
from ._vectors import Array, Vectors, checked

_SUM = 1e-3  # by which half-precision rows miss 1


def inception_score(probabilities: Vectors) -> float:
    """Exponential of the mean Kullback-Leibler divergence of p(y|x) from p(y), of all images.

    Splits, which peers use, bias it low: 140 balanced images of 14 classes give 8.0 in ten splits,
    13.1 in one, of 14. It sees no difference within a class, and knows nothing of real images: set
    theirs, at the same n, beside it. Name the classifier: ImageNet's classes mean nothing for
    radiographs.

    Args:
        probabilities: (N, K) in [0, 1], rows that add up to 1.

    Returns:
        1, where all images get the same answer, to K, where each class is given equally often and
        with certainty.

    Raises:
        UserError: another shape, no rows, or rows that are no probabilities (logits, for one).

    References:
        Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, section 4.
    """
    rows = checked("probabilities", probabilities)
    low, sums = rows.min(), rows.sum(axis=1)
    if low < 0 or np.abs(sums - 1).max() > _SUM:
        raise UserError(
            "probabilities must be 0 or above in rows that add up to 1, got a lowest value of "
            f"{low:g} and sums from {sums.min():g} to {sums.max():g}"
        )
    rows = rows / sums[:, None]
    return math.exp(max(0.0, _negentropy(rows) / len(rows) - _negentropy(rows.mean(axis=0))))


def _negentropy(shares: Array) -> float:
    """The sum of p log p, to which 0 adds nothing."""
    positive = shares[shares > 0]
    return float((positive * np.log(positive)).sum())
