"""Precision, recall, density and coverage: who lies within reach of whom."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ._distances import centred, rim, squared_distances
from ._vectors import Array, Vectors, checked_pair


class PRDC(NamedTuple):
    """What `prdc` finds.

    Attributes:
        precision: share of synthetic samples within reach of a real one; 0 to 1.
        recall: share of real samples within reach of a synthetic one; 0 to 1.
        density: how many real samples a synthetic one is in reach of, over k, on average; 0 and up.
        coverage: share of real samples that have a synthetic one within their reach; 0 to 1.
    """

    precision: float
    recall: float
    density: float
    coverage: float


class PRDCByImage(NamedTuple):
    """What each image adds to `PRDC`, whose figures are the means.

    Attributes:
        precision: (M,) 0 or 1 for each synthetic image.
        recall: (N,) 0 or 1 for each real image.
        density: (M,) for each synthetic image, 0 and up.
        coverage: (N,) 0 or 1 for each real image.
    """

    precision: Array
    recall: Array
    density: Array
    coverage: Array


def prdc(real: Vectors, synthetic: Vectors, *, k: int = 5) -> PRDC:
    """Precision, recall, density and coverage.

    A sample's reach is the distance to its k-th nearest other sample of its own set; what lies on
    the rim is within, so that equal samples reach each other (the `prdc` package leaves the rim
    out, `torch-fidelity` doesn't). Distances are Euclidean, in float64; what is no more than a
    millionth of the sets' size beyond the rim counts as on it.

    Fresh real samples don't give 1: coverage is then 1 - prod_{i=1..k} (N - i) / (M + N - i) (0.969
    at N = M and k = 5), density about 1, and precision and recall fall with the dimension (about
    0.75 in 64). Set real against real at the same n beside them.

    Args:
        real: (N, D) finite numbers, N above k.
        synthetic: (M, D), M above k.
        k: which neighbour the reach goes to, at least 1.

    Raises:
        UserError: another shape, too few samples, or values that aren't finite.

    References:
        Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models",
        NeurIPS 2019, equations 1 to 3.
        Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020,
        equations 4 and 5.
    """
    return PRDC(*(float(values.mean()) for values in prdc_by_image(real, synthetic, k=k)))


def prdc_by_image(real: Vectors, synthetic: Vectors, *, k: int = 5) -> PRDCByImage:
    """What each image adds to precision, recall, density and coverage.

    For intervals: resampling these, with the reaches held as they are, is right where resampling
    the vectors isn't, since an image drawn twice has a reach of 0.

    Args, errors and sources are those of `prdc`.
    """
    real, synthetic = checked_pair(real, synthetic)
    _check_k(k, "real", len(real))
    _check_k(k, "synthetic", len(synthetic))
    real, synthetic = centred(real, synthetic)
    near_real = np.zeros(len(synthetic))
    recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
    reach = _reach(synthetic, k) + rim(real, synthetic)
    for rows, block, within in _within(real, synthetic, k):
        near_real += within.sum(axis=0)
        covered[rows] = within.any(axis=1)
        recalled[rows] = (block <= reach).any(axis=1)
    return PRDCByImage(
        precision=(near_real > 0).astype(np.float64),
        recall=recalled.astype(np.float64),
        density=near_real / k,
        coverage=covered.astype(np.float64),
    )


def coverage(real: Vectors, generated: Vectors, *, k: int = 5) -> float:
    """Share of real samples with a generated one within their reach, as `prdc`'s.

    Needs no more than one generated sample. Among fresh real samples instead of generated ones, N
    real and M fresh, the expected value is 1 - prod_{i=1..k} (N - i) / (M + N - i) whatever the
    dimension: 0.969 for N = M and k = 5.

    Args:
        real: (N, D) finite numbers, N above k.
        generated: (M, D), M at least 1.
        k: which neighbour the reach goes to, at least 1.

    Returns:
        A share in [0, 1].

    Raises:
        UserError: another shape, too few samples, or values that aren't finite.

    References:
        Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020,
        equation 5.
    """
    real, generated = checked_pair(real, generated, names=("real", "generated"))
    _check_k(k, "real", len(real))
    real, generated = centred(real, generated)
    covered = sum(int(within.any(axis=1).sum()) for _, _, within in _within(real, generated, k))
    return covered / len(real)


def _within(
    real: Array, synthetic: Array, k: int
) -> Iterator[tuple[slice, Array, NDArray[np.bool_]]]:
    """Give rows of `real`, their squared distances, and which are within the real one's reach."""
    reach = _reach(real, k) + rim(real, synthetic)
    for rows, block in squared_distances(real, synthetic):
        yield rows, block, block <= reach[rows, None]


def _reach(vectors: Array, k: int) -> Array:
    """The (N,) squared distances to the k-th nearest other vector."""
    return np.concatenate(
        [
            np.partition(block, k - 1, axis=1)[:, k - 1]
            for _, block in squared_distances(vectors, vectors, itself=True)
        ]
    )


def _check_k(k: int, name: str, count: int) -> None:
    if k < 1 or count <= k:
        raise UserError(
            f"k must be at least 1 and below the number of {name} samples, {count:,}, got {k}"
        )
