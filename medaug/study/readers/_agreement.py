"""How far raters agree, beyond what chance alone would give."""

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError

Array = NDArray[np.float64]
LEVELS = ("ordinal", "nominal")


def krippendorff_alpha(ratings: Array, *, level: str = "ordinal") -> float:
    """Krippendorff's alpha: 1 where all agree, 0 where they agree no more than by chance.

    Args:
        ratings: (R, N), of N cases by R raters; NaN where one did not rate. A case with fewer than
            two ratings says nothing and is left out.
        level: "ordinal", where values have an order and no distances, or "nominal".

    Returns:
        Below 1; NaN where it is undefined: fewer than two ratings of each case, or one value only.

    Raises:
        UserError: another shape or level.

    References:
        Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section E.
    """
    return float(_alpha(coincidences(ratings).sum(0), level))


def resampled_alpha(ratings: Array, weights: Array, *, level: str) -> Array:
    """Alpha of cases drawn anew: (K,) values for (K, N) numbers of how often each was drawn."""
    drawn = np.einsum("kn,nab->kab", weights, coincidences(ratings))
    return np.asarray(_alpha(drawn, level))


def coincidences(ratings: Array) -> Array:
    """(N, V, V): how often two raters' values, of V different ones in order, met in each case."""
    if ratings.ndim != 2:
        raise UserError(f"ratings must be (raters, cases), got {ratings.shape}")
    values = np.unique(ratings[~np.isnan(ratings)])
    counts = (ratings[:, :, None] == values).sum(0).astype(np.float64)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    others = counts.sum(1) - 1
    share = np.where(others > 0, 1 / np.maximum(others, 1), 0.0)
    return np.asarray(share[:, None, None] * pairs)


def _alpha(found: Array, level: str) -> Array:
    """1 less the observed by the expected disagreement, of (..., V, V) coincidences."""
    if level not in LEVELS:
        raise UserError(f"level must be {' or '.join(LEVELS)}, got {level}")
    counts = found.sum(-1)
    total = counts.sum(-1)
    if level == "ordinal":  # squared number of ratings between two values, their own counted half
        rank = counts.cumsum(-1) - counts / 2
        distance = (rank[..., :, None] - rank[..., None, :]) ** 2
    else:
        distance = np.broadcast_to(1 - np.eye(found.shape[-1]), found.shape)
    observed = (found * distance).sum((-2, -1))
    expected = (counts[..., :, None] * counts[..., None, :] * distance).sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan))
