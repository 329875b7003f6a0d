"""The trace of (S1 S2)^½ for two covariances, and no root of a matrix that isn't symmetric."""

from typing import NamedTuple

import numpy as np
import torch

from ._vectors import Array

_BLOCKS = 8
_SMALL = 1024  # above, singular values take four times as long as a product's eigenvalues


class Covariance(NamedTuple):
    """A covariance that was made of more vectors than it has rows, or may have been."""

    matrix: Array
    rank: int
    """At most: below the number of vectors."""


Spread = Array | Covariance
"""Rows with rowsᵀ rows = covariance where these are few, else the covariance itself."""


def trace_of_root(one: Spread, two: Spread) -> float:
    """The trace of (S1 S2)^½, which is that of (S2 S1)^½. Large covariances may be overwritten."""
    if isinstance(one, Covariance) and isinstance(two, Covariance) and len(one.matrix) > _SMALL:
        # the higher the rank, the likelier is a Cholesky factor
        one, two = (one, two) if one.rank >= two.rank else (two, one)
        return _sum_of_roots(_between_factors(one, two.matrix))
    return sum_of_singular_values(_factor(one) @ _factor(two).T)


def sum_of_singular_values(matrix: Array) -> float:
    """The trace of the root of M Mᵀ; where that is large, from its eigenvalues."""
    if min(matrix.shape) <= _SMALL:
        return float(np.linalg.svd(matrix, compute_uv=False).sum())
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    return _sum_of_roots(tall.T @ tall)


def _sum_of_roots(matrix: Array) -> float:
    """The sum of the eigenvalues' roots, from the lower triangle; noise below 0 counts as 0."""
    # PyTorch's LAPACK is a tenth faster here than NumPy's
    return float(torch.linalg.eigvalsh(torch.from_numpy(matrix)).clamp(min=0).sqrt().sum())


def _factor(spread: Spread) -> Array:
    """F with Fᵀ F = covariance; where that isn't of full rank, without rows of noise."""
    if not isinstance(spread, Covariance):
        return spread
    lower = _cholesky(spread)
    if lower is not None:
        return lower.T
    values, axes = np.linalg.eigh(spread.matrix)
    values, axes = values[-spread.rank :], axes[:, -spread.rank :]
    kept = values > len(axes) * np.finfo(np.float64).eps * values[-1]
    factor: Array = (axes[:, kept] * np.sqrt(values[kept])).T
    return factor


def _cholesky(covariance: Covariance) -> Array | None:
    """L with L Lᵀ = covariance, lower triangular; None where that isn't of full rank."""
    if covariance.rank < len(covariance.matrix):
        return None
    # it isn't where a feature never changes, or is made of others
    lower, failed = torch.linalg.cholesky_ex(torch.from_numpy(covariance.matrix))
    return None if failed else lower.numpy()


def _between_factors(one: Covariance, other: Array) -> Array:
    """F S Fᵀ with F of the first, its lower triangle at least; may overwrite S."""
    lower = _cholesky(one)
    if lower is None:
        factor = _factor(one)
        whole: Array = factor @ other @ factor.T
        return whole
    step = -(-len(lower) // _BLOCKS)
    for start in range(0, len(lower), step):
        # above its diagonal, L is 0: a third of the work, each column's place free when it is done
        rest, columns = slice(start, None), slice(start, start + step)
        other[rest, columns] = lower[rest, rest].T @ (other[rest, rest] @ lower[rest, columns])
    return other
