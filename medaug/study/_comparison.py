"""Does one arm of a study do better than another? Same test patients, same seeds, in pairs."""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..errors import UserError

RESAMPLES = 1_000
LEVEL = 0.95


class Predictions(NamedTuple):
    """What a classifier says of the test images.

    Attributes:
        labels: (n,) integers, the truth.
        probabilities: (n, K); rows add up to 1.
        patients: (n,) whose images they are: one patient's images are not independent.
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    patients: NDArray[np.int64]


Metric = Callable[[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]], float]
"""Takes labels, probabilities and weights of images; higher is better."""


class Comparison(NamedTuple):
    """An arm less its reference.

    Attributes:
        difference: mean over seeds of the metric's paired differences.
        low: end of the 95 % interval.
        high: its other end.
        p_value: two-sided, that there is no difference.
        seeds: how many pairs of trainings.
        patients: how many test patients.
    """

    difference: float
    low: float
    high: float
    p_value: float
    seeds: int
    patients: int


def compare(
    reference: Sequence[Predictions], arm: Sequence[Predictions], metric: Metric, *, seed: int = 0
) -> Comparison:
    """Compare two arms by a metric, with all that chance has in it: patients and trainings.

    The difference is a mean over seeds. Its variance has two sources, which are added: which
    patients are tested (a bootstrap over patients, all seeds' images of a patient together), and
    which seeds are trained (the variance of the seeds' differences by their number). The interval
    is Student's, with Welch's and Satterthwaite's degrees of freedom. The second source holds some
    of the first, so intervals are rather too wide than too narrow. One seed alone has no second
    source: such a comparison tells nothing of other trainings.

    Args:
        reference: one for each seed.
        arm: the same seeds, in the same order, on the same test images.
        metric: of which more is better.
        seed: of the bootstrap.

    Raises:
        UserError: other seeds or other test images, or fewer than two patients.
    """
    _check_pairs(reference, arm)
    return _bootstrapped(
        arm,
        lambda labels, weights: _differences(reference, arm, metric, labels, weights),
        seed,
    )


def estimate(arm: Sequence[Predictions], metric: Metric, *, seed: int = 0) -> Comparison:
    """A metric of one arm, with an interval as in `compare`: a difference from nothing.

    Raises:
        UserError: as `compare`.
    """
    _check_pairs(arm, arm)
    return _bootstrapped(arm, lambda labels, weights: _values(arm, metric, labels, weights), seed)


def _bootstrapped(
    arm: Sequence[Predictions],
    values: Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]],
    seed: int,
) -> Comparison:
    """A mean over seeds; `values` gives each seed's, for weights of the images."""
    labels, _, patients = arm[0]
    groups, members = np.unique(patients, return_inverse=True)
    if len(groups) < 2:
        raise UserError(f"test patients must be at least 2 for an interval, got {len(groups)}")
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), RESAMPLES)
    drawn = np.array(
        [
            np.mean(values(labels, weight[members].astype(float)))
            for weight in weights
            if _has_all_classes(labels, weight[members])
        ]
    )
    each = values(labels, np.ones(len(labels)))
    return _interval(each, float(drawn.var(ddof=1)), len(groups))


def _interval(each: NDArray[np.float64], by_patients: float, patients: int) -> Comparison:
    seeds = len(each)
    by_seeds = float(each.var(ddof=1)) / seeds if seeds > 1 else 0.0
    variance, mean = by_patients + by_seeds, float(each.mean())
    if variance <= 0:  # the same predictions on both sides
        return Comparison(mean, mean, mean, 1.0 if mean == 0 else 0.0, seeds, patients)
    spread = by_patients**2 / (patients - 1) + (by_seeds**2 / (seeds - 1) if seeds > 1 else 0)
    freedom = variance**2 / spread
    error = sqrt(variance)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    p_value = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    return Comparison(mean, mean - reach, mean + reach, p_value, seeds, patients)


def _differences(
    reference: Sequence[Predictions],
    arm: Sequence[Predictions],
    metric: Metric,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    return _values(arm, metric, labels, weights) - _values(reference, metric, labels, weights)


def _values(
    arm: Sequence[Predictions],
    metric: Metric,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    return np.array([metric(labels, one.probabilities, weights) for one in arm])


def _has_all_classes(labels: NDArray[np.int64], weights: NDArray[np.int64]) -> bool:
    return len(np.unique(labels[weights > 0])) == len(np.unique(labels))


def _check_pairs(reference: Sequence[Predictions], arm: Sequence[Predictions]) -> None:
    if len(reference) != len(arm) or not arm:
        raise UserError(
            f"both arms must have the same seeds, got {len(reference)} and {len(arm)} trainings"
        )
    first = reference[0]
    for one in (*reference, *arm):
        if not (
            np.array_equal(one.labels, first.labels)
            and np.array_equal(one.patients, first.patients)
            and one.probabilities.shape == first.probabilities.shape
        ):
            raise UserError("both arms must be tested on the same images, got others")


def mcnemar(reference: Predictions, arm: Predictions) -> float:
    """McNemar's exact test: are both classifiers wrong equally often? A p-value, two-sided.

    Images that one is right on and the other wrong are like tosses of a fair coin where there is
    no difference. It takes images as independent, so with several images a patient it is too sure.

    Args:
        reference: on some test images.
        arm: on the same ones.

    Raises:
        UserError: other test images.

    References:
        McNemar, "Note on the sampling error of the difference between correlated proportions or
        percentages", 1947, in its exact form.
    """
    _check_pairs([reference], [arm])
    theirs, ours = (one.probabilities.argmax(1) == one.labels for one in (reference, arm))
    won, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    if won + lost == 0:
        return 1.0
    return float(stats.binomtest(won, won + lost).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number: sure at a level together, not only one by one.

    References:
        Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    order = np.argsort(p_values, kind="stable")
    corrected, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order.tolist()):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected
