"""What each of several figures has to do with an outcome: Shapley values of R squared."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UserError

MOST = 12  # components: 4,096 regressions
LEAST_R2 = 1e-9  # of an outcome that nothing predicts, up to rounding
COLLINEAR = 1e-9  # share of its variance that a component must have to itself

Array = NDArray[np.float64]


class ShapleyWeights(NamedTuple):
    """Weights of components by what they say of an outcome.

    Attributes:
        weights: share of R squared, by component; 0 or more, and 1 together.
        low: lower ends of their 95 % intervals.
        high: upper ends.
        r2: R squared of the regression on all components: what there was to be shared.
    """

    weights: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    r2: float


def shapley_weights(
    components: ArrayLike,
    outcome: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> ShapleyWeights:
    """Weigh components by their Shapley values in predicting an outcome over runs.

    A component's value is what it adds to R squared of a linear regression (with intercept),
    averaged over all orders in which components can come in: exact, by all 2^p regressions. This
    is Lindeman, Merenda and Gold's measure (LMG). Components that say the same share what they say;
    one that is constant gets 0. Values aren't negative, and what is positive says nothing of the
    direction: a component that a good outcome makes *lower* gets a weight as well.

    Intervals are percentiles over resampled runs. With a few runs more than components they are
    wide, and the weights little better than equal ones.

    Args:
        components: (runs, p), each row a run's figures, p from 1 to 12.
        outcome: (runs,) what is to be predicted, such as a classifier's accuracy or readers' mean
            rating; more than p + 1 runs.
        names: of the p components, all different; None numbers them '0', '1' and so on.
        resamples: number of draws of runs, at least 50.
        seed: of the draws.

    Raises:
        UserError: other shapes, too few runs, NaN, names that don't fit, an outcome that is
            constant, or components that don't predict it at all.

    References:
        Lindeman, Merenda and Gold, "Introduction to bivariate and multivariate analysis", 1980,
        p. 119; Grömping, "Relative importance for linear regression in R: the package relaimpo",
        Journal of Statistical Software 17 (2006), section 2.2.
    """
    figures, target = _checked(components, outcome, resamples)
    named = _names(names, figures.shape[1])
    values = _shapley(figures[None], target[None])[0]
    r2 = float(values.sum())
    if r2 < LEAST_R2:
        raise UserError(
            "components must say something of outcome to be weighed by it, got an R squared of 0"
        )
    draws = np.random.default_rng(seed).integers(len(target), size=(resamples, len(target)))
    drawn = _shapley(figures[draws], target[draws])
    # without a variance of the outcome, a draw has nothing to share
    drawn = drawn[drawn.sum(axis=1) >= LEAST_R2]
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    low, high = np.percentile(shares, (2.5, 97.5), axis=0)
    return ShapleyWeights(
        weights=dict(zip(named, (values / r2).tolist(), strict=True)),
        low=dict(zip(named, low.tolist(), strict=True)),
        high=dict(zip(named, high.tolist(), strict=True)),
        r2=r2,
    )


def _shapley(figures: Array, target: Array) -> Array:
    """(draws, p) values of (draws, runs, p) components and (draws, runs) outcomes."""
    size = figures.shape[-1]
    explained = _explained(_correlations(np.concatenate([figures, target[..., None]], axis=-1)))
    subsets = np.arange(2**size)
    members = np.array([int(subset).bit_count() for subset in subsets])
    values = np.empty((len(figures), size))
    for k in range(size):
        without = subsets[subsets & 1 << k == 0]
        # of all orders, in so many do just these come before component k
        orders = np.array([1 / size / math.comb(size - 1, m) for m in members[without]])
        values[:, k] = (explained[:, without | 1 << k] - explained[:, without]) @ orders
    return values.clip(min=0)  # rounding may leave 0 by a hair


def _correlations(columns: Array) -> Array:
    """(draws, p + 1, p + 1); a constant column is correlated with nothing, not even itself."""
    centred = columns - columns.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    rounding = 1e-12 * np.abs(columns).max(axis=1, keepdims=True) * math.sqrt(columns.shape[1])
    constant = lengths <= rounding
    scaled = np.where(constant, 0, centred / np.where(constant, 1, lengths))
    correlations: Array = scaled.transpose(0, 2, 1) @ scaled
    return correlations


def _explained(correlations: Array) -> Array:
    """(draws, 2^p) R squared of the last column on each subset of the others, by its bits.

    A component comes in by one step of Gaussian elimination: what is left in the matrix are
    correlations of what the components so far don't explain, the last number 1 - R squared.
    """
    size = correlations.shape[-1] - 1
    explained = np.empty((len(correlations), 2**size))
    stack = [(0, 0, correlations)]
    while stack:
        subset, first, left = stack.pop()
        explained[:, subset] = correlations[:, -1, -1] - left[:, -1, -1]
        for k in range(first, size):
            stack.append((subset | 1 << k, k + 1, _without(left, k)))
    return explained


def _without(left: Array, k: int) -> Array:
    """Take what component k explains out of all columns; nothing, if it has nothing of its own."""
    pivot = left[:, k, k]
    own = pivot > COLLINEAR
    factor = np.where(own, 1 / np.where(own, pivot, 1), 0)[:, None, None]
    return left - factor * left[:, :, k, None] * left[:, None, k, :]


def _checked(components: ArrayLike, outcome: ArrayLike, resamples: int) -> tuple[Array, Array]:
    figures = np.asarray(components, np.float64)
    target = np.asarray(outcome, np.float64)
    if figures.ndim != 2 or not 1 <= figures.shape[1] <= MOST:
        raise UserError(f"components must be of (runs, 1 to {MOST}), got {figures.shape}")
    if target.shape != figures.shape[:1]:
        raise UserError(f"outcome must be of ({len(figures)},), got {target.shape}")
    if len(target) <= figures.shape[1] + 1:
        raise UserError(
            f"runs must be at least {figures.shape[1] + 2} for {figures.shape[1]} components, "
            f"got {len(target)}"
        )
    if not (np.isfinite(figures).all() and np.isfinite(target).all()):
        raise UserError("components and outcome must be finite numbers, got NaN or infinity")
    if np.ptp(target) == 0:
        raise UserError("outcome must differ between runs, got the same for all")
    if resamples < 50:
        raise UserError(f"resamples must be at least 50, got {resamples}")
    return figures, target


def _names(names: Sequence[str] | None, number: int) -> list[str]:
    named = [str(k) for k in range(number)] if names is None else list(names)
    if len(named) != number or len(set(named)) != number:
        raise UserError(
            f"names must be {number}, one for each component and all different, "
            f"got {', '.join(named)}"
        )
    return named
