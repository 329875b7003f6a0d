"""Vendi score: how many different images there are, so to speak."""

import math

import numpy as np

from ._vectors import Vectors, checked, directions


def vendi(vectors: Vectors) -> float:
    """Exponential of the entropy of the eigenvalues of K / N, with K the cosines of vectors.

    A collapsed generator has a lower one than real images at the same n. Features that can't be
    negative have cosines near 1, and a score of a few: only the comparison says something.

    Args:
        vectors: (N, D), none of length 0.

    Returns:
        1, where all point one way, to min(N, D), where as many are at right angles.

    Raises:
        UserError: another shape, no vectors, one of length 0, or values that aren't finite.

    References:
        Friedman and Dieng, "The Vendi score: a diversity evaluation metric for machine learning",
        TMLR 2023, definition 3.1; section 3.3 for D below N.
    """
    units = directions("vectors", checked("vectors", vectors))
    count, width = units.shape
    # both have the same eigenvalues but for zeros
    products = units @ units.T if count <= width else units.T @ units
    shares = np.linalg.eigvalsh(products / count)
    shares = shares[shares > 0]
    return math.exp(-float((shares * np.log(shares)).sum()))
