"""Are synthetic images copies of training images?"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ._distances import centred, squared_distances
from ._frechet import frechet
from ._vectors import Array, Vectors, checked_pair, directions

_COPY = 1e-10  # 1 - cosine; float32 features of one image in two batches come to 1e-12
_NAMES = ("train", "synthetic")


class Nearest(NamedTuple):
    """What `nearest` finds.

    Attributes:
        distances: (N,) float64, Euclidean, 0 for a copy.
        indices: (N,) which of the others it is.
    """

    distances: Array
    indices: NDArray[np.intp]


def nearest(of: Vectors, among: Vectors, *, itself: bool = False) -> Nearest:
    """For each vector the nearest one of others.

    For copies, set the distances of synthetic images to training images beside those of held-out
    real images to training images: no distance is small by itself.

    Args:
        of: (N, D), at least 1.
        among: (M, D), at least 1.
        itself: `among` is `of`, and no vector its own nearest; at least 2 then.

    Raises:
        UserError: another shape, too few vectors, or values that aren't finite.
    """
    least = 1 + itself
    of, among = checked_pair(of, among, names=("of", "among"), at_least=(least, least))
    if itself and of.shape != among.shape:
        raise UserError(f"among must be the same vectors as of, got {len(among)} for {len(of)}")
    near, far = centred(among, of)
    blocks = squared_distances(far, near, itself=itself)
    indices = np.concatenate([block.argmin(axis=1) for _, block in blocks])
    # once more by differences: equal vectors are at 0 then
    return Nearest(np.linalg.norm(of - among[indices], axis=1), indices)


def authenticity(train: Vectors, synthetic: Vectors) -> float:
    """Share of synthetic images that are farther from a training image than its own nearest is.

    Each is compared with the training image that it is nearest to. Copies and near copies give 0.
    Fresh real images give neither 1 nor a half: 0.37 in 2 dimensions, 0.83 in 128 (n = 1,000). Set
    the value of held-out real images beside it.

    Args:
        train: (N, D), at least 2.
        synthetic: (M, D), at least 1.

    Returns:
        A share in [0, 1]; low is bad.

    Raises:
        UserError: another shape, too few vectors, or values that aren't finite.

    References:
        Alaa et al., "How faithful is your synthetic data? Sample-level metrics for evaluating and
        auditing generative models", ICML 2022, section 4.3.
    """
    train, synthetic = checked_pair(train, synthetic, names=_NAMES, at_least=(2, 1))
    found = nearest(synthetic, train)
    own = nearest(train, train, itself=True).distances[found.indices]
    return float((found.distances > own).mean())


def mifid(train: Vectors, synthetic: Vectors, *, threshold: float = 0.1) -> float:
    """Fréchet distance to the training images over the memorisation distance.

    The memorisation distance is the mean over synthetic images of the least 1 - |cosine| to a
    training image, and counts as 1 from `threshold` on. Where it is 0, as for copies of training
    images, the result is infinite, however small the Fréchet distance is (torchmetrics gives 0,
    the best there is, for an exact copy of the training set).

    The threshold was set for the Inception network; other features may lie nearer all together.
    Copies with noise of which both distances fall alike go unnoticed: look at `nearest` too.

    Args:
        train: (N, D), at least 2, none of length 0.
        synthetic: (M, D), at least 2, none of length 0.
        threshold: from which distance on nothing is memorised; above 0, at most 1.

    Returns:
        0 and up, infinity included; high is bad.

    Raises:
        UserError: another shape, too few vectors, values that aren't finite, or no threshold.

    References:
        Bai et al., "On training sample memorization: lessons from benchmarking generative modeling
        with a large-scale competition", KDD 2021, section 4.2.
    """
    if not 0 < threshold <= 1:
        raise UserError(f"threshold must be above 0 and at most 1, got {threshold}")
    train, synthetic = checked_pair(train, synthetic, names=_NAMES, at_least=(2, 2))
    memorised = _memorisation_distance(train, synthetic)
    if memorised < _COPY:
        return math.inf
    return frechet(train, synthetic) / (memorised if memorised < threshold else 1.0)


def _memorisation_distance(train: Array, synthetic: Array) -> float:
    known, made = directions("train", train), directions("synthetic", synthetic)
    # between vectors of length 1, |a - b|² is 2 - 2 cosine
    blocks = (np.minimum(block, 4 - block) for _, block in squared_distances(made, known))
    return float(np.concatenate([block.min(axis=1) for block in blocks]).mean() / 2)
