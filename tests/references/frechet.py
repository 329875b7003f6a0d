"""Fréchet distance between two sets of vectors, plainly, in float64."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]


def frechet_distance(one: Vectors, two: Vectors) -> float:
    """|m1 − m2|² + tr S1 + tr S2 − 2 tr (S1 S2)^½, covariances with n − 1.

    The last trace is the nuclear norm of A Bᵀ, with A and B the centred vectors over √(n − 1): no
    root of a matrix without full rank is taken.
    """
    centred = [(x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (one, two)]
    cross = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    shift = np.square(one.mean(0) - two.mean(0)).sum()
    return float(shift + sum(np.square(x).sum() for x in centred) - 2 * cross)
