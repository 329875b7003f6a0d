"""Fréchet distance between two sets of vectors, each taken for a normal distribution."""

from typing import NamedTuple

import numpy as np

from ..errors import UserError
from ._roots import Covariance, Spread, trace_of_root
from ._vectors import Array, Vectors, check_widths, checked


class FrechetStatistics(NamedTuple):
    """All that the Fréchet distance needs of one side.

    Attributes:
        mean: (D,) float64.
        covariance: (D, D) float64, with `count` - 1.
        count: how many vectors it was made of.
    """

    mean: Array
    covariance: Array
    count: int  # type: ignore[assignment]  # hides tuple.count, of which nobody has need


class _Side(NamedTuple):
    mean: Array
    spread: Spread


def frechet(real: Vectors | FrechetStatistics, synthetic: Vectors) -> float:
    """Fréchet distance |m1 − m2|² + tr S1 + tr S2 − 2 tr (S1 S2)^½, in float64.

    With factors of the covariances, S1 = F1ᵀ F1 and S2 = F2ᵀ F2, the last trace is the sum of the
    singular values of F1 F2ᵀ: no root is taken of a product that isn't symmetric, nor of one
    without full rank. A side with no more vectors than features is its own factor (its centred
    vectors over √(n − 1)), so that no D × D matrix is ever made of it; one with more has a Cholesky
    factor. Above 1,024 of all, the eigenvalues of F1 S2 F1ᵀ are the faster.

    It is biased: among draws of one distribution it falls with n, and at fewer vectors than
    features it is far from 0 (42 at n = 500 of 2,048 features). Set real against real at the same
    n beside it. Call it FID only with the Inception network of 2015.

    Args:
        real: (N, D) vectors, at least 2, or their `frechet_statistics`. Below D vectors, the
            vectors themselves are the faster.
        synthetic: (M, D) vectors, at least 2.

    Returns:
        0 and up, in squared units of the features. Two equal sets give 0 but for rounding: 1e-12 of
        the traces, or 1e-6 where both have above 1,024 vectors and features.

    Raises:
        UserError: another shape, too few vectors, or values that aren't finite.

    References:
        Dowson and Landau, "The Fréchet distance between multivariate normal distributions", 1982,
        equation 4.
        Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash
        equilibrium", NeurIPS 2017, equation 6.
    """
    one = _of_statistics(real) if isinstance(real, FrechetStatistics) else _of_vectors("real", real)
    two = _of_vectors("synthetic", synthetic)
    check_widths(("real", "synthetic"), len(one.mean), len(two.mean))
    shift = float(np.square(one.mean - two.mean).sum())
    traces = _trace(one.spread) + _trace(two.spread)
    return max(0.0, shift + traces - 2 * trace_of_root(one.spread, two.spread))


def frechet_statistics(vectors: Vectors) -> FrechetStatistics:
    """Mean and covariance of (N, D) vectors, at least 2: a real side that is used again.

    Raises:
        UserError: another shape, too few vectors, or values that aren't finite.
    """
    found = checked("vectors", vectors, at_least=2)
    mean = found.mean(axis=0)
    return FrechetStatistics(mean, _covariance(found - mean), len(found))


def _of_vectors(name: str, vectors: Vectors) -> _Side:
    found = checked(name, vectors, at_least=2)
    mean, count = found.mean(axis=0), len(found)
    found -= mean
    if count > len(mean):
        return _Side(mean, Covariance(_covariance(found), count - 1))
    found /= np.sqrt(count - 1)
    return _Side(mean, found)


def _of_statistics(statistics: FrechetStatistics) -> _Side:
    mean = np.asarray(statistics.mean, dtype=np.float64)
    covariance = checked("the real covariance", statistics.covariance)
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)) or statistics.count < 2:
        raise UserError(
            "statistics must be a mean of (D,), a covariance of (D, D) and a count of at least 2, "
            f"got {mean.shape}, {covariance.shape} and {statistics.count}"
        )
    return _Side(mean, Covariance(covariance, statistics.count - 1))


def _covariance(centred: Array) -> Array:
    # NumPy sees that both are one matrix, and computes half
    covariance: Array = centred.T @ centred
    covariance /= len(centred) - 1
    return covariance


def _trace(spread: Spread) -> float:
    if isinstance(spread, Covariance):
        return float(np.trace(spread.matrix))
    return float(np.square(spread).sum())
