"""What a reader study has found: means, agreement, and how often real and synthetic were told."""

from collections.abc import Mapping, Sequence
from math import isnan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...errors import UserError
from ...evaluation import Estimate
from ...metrics import centred_interval
from ._agreement import krippendorff_alpha, resampled_alpha
from ._answers import CONSISTENCY, HIGHEST, LOWEST, REALISM, Answers, Key

Array = NDArray[np.float64]
RESAMPLES = 1_000
TAIL = 0.975
LEAST = 0.9
"""Share of the resamples that must have an alpha for it to have an interval."""


class Rated(NamedTuple):
    """One question's ratings, 1 to 5, each with a 95 % interval.

    Attributes:
        real: mean of real cases.
        synthetic: mean of synthetic ones.
        difference: real less synthetic.
        alpha: Krippendorff's, ordinal, of all cases; NaN where undefined, as with one reader.
    """

    real: Estimate
    synthetic: Estimate
    difference: Estimate
    alpha: Estimate


class Told(NamedTuple):
    """How often cases were taken for what they are, each with a 95 % interval; 0.5 is guessing.

    Attributes:
        all: share of all cases.
        real: share of the real ones.
        synthetic: share of the synthetic ones.
        alpha: Krippendorff's, nominal, of the guesses; NaN where undefined.
        by_reader: share of all cases, by the reader's code.
    """

    all: Estimate
    real: Estimate
    synthetic: Estimate
    alpha: Estimate
    by_reader: Mapping[str, Estimate]


class Found(NamedTuple):
    """The study's result.

    Attributes:
        readers: codes.
        real: number of real cases.
        synthetic: number of synthetic ones.
        ratings: by "realism" and "consistency".
        told: how often real and synthetic were told apart.
        seconds: median time for a case.
    """

    readers: tuple[str, ...]
    real: int
    synthetic: int
    ratings: Mapping[str, Rated]
    told: Told
    seconds: float


def judge(key: Key, answers: Answers, *, seed: int = 0) -> Found:
    """Means, agreement and recognition, with 95 % intervals.

    A mean's variance has two sources, which are added: which cases were shown (the variance of the
    cases' means over readers, readers kept together) and who read (that of the readers' means). The
    interval is Student's with Welch's and Satterthwaite's degrees of freedom, rather too wide than
    too narrow, since the second source holds some of the first. One reader alone has only the
    first, and tells nothing of others. A share's interval is Clopper's and Pearson's for as many
    independent answers as have that variance (Korn and Graubard 1998). Alpha's is a bootstrap over
    cases: it is about these readers.

    Args:
        key: what the cases are.
        answers: of all readers.
        seed: of the bootstrap.

    Raises:
        UserError: the answers are of another number of cases.
    """
    if answers.realism.shape[1] != len(key.sources):
        raise UserError(
            f"answers must be of {len(key.sources)} cases, got {answers.realism.shape[1]}"
        )
    real = key.real
    return Found(
        readers=answers.readers,
        real=int(real.sum()),
        synthetic=int((~real).sum()),
        ratings={
            name: _rated(values, real, seed)
            for name, values in ((REALISM, answers.realism), (CONSISTENCY, answers.consistency))
        },
        told=_told(answers, real, seed),
        seconds=float(np.median(answers.seconds)),
    )


def _rated(values: Array, real: NDArray[np.bool_], seed: int) -> Rated:
    width = float(HIGHEST - LOWEST)
    shown, made = values[:, real], values[:, ~real]
    return Rated(
        real=_interval(shown.mean(1), [shown], (LOWEST, HIGHEST)),
        synthetic=_interval(made.mean(1), [made], (LOWEST, HIGHEST)),
        difference=_interval(shown.mean(1) - made.mean(1), [shown, made], (-width, width)),
        alpha=_agreement(values, "ordinal", seed),
    )


def _told(answers: Answers, real: NDArray[np.bool_], seed: int) -> Told:
    right = (answers.called_real == real).astype(np.float64)
    return Told(
        all=share(right),
        real=share(right[:, real]),
        synthetic=share(right[:, ~real]),
        alpha=_agreement(answers.called_real.astype(np.float64), "nominal", seed),
        by_reader={
            reader: share(row[None]) for reader, row in zip(answers.readers, right, strict=True)
        },
    )


def _sources(each: Array, parts: Sequence[Array]) -> list[tuple[float, int]]:
    """Variances of a mean, and their degrees of freedom: by cases of each part, and by readers."""
    found = [(float(part.mean(0).var(ddof=1)) / part.shape[1], part.shape[1] - 1) for part in parts]
    if len(each) > 1:
        found.append((float(each.var(ddof=1)) / len(each), len(each) - 1))
    return found


def _interval(each: Array, parts: Sequence[Array], bounds: tuple[float, float]) -> Estimate:
    """A mean over readers; `parts` are the (R, N) ratings that it is made of."""
    value, sources = float(each.mean()), _sources(each, parts)
    variance = sum(one for one, _ in sources)
    if variance <= 0:  # all said the same
        return Estimate(value, value, value)
    freedom = variance**2 / sum(one**2 / free for one, free in sources)
    reach = float(stats.t.ppf(TAIL, freedom)) * sqrt(variance)
    low, high = bounds
    return Estimate(value, max(low, value - reach), min(high, value + reach))


def share(right: Array) -> Estimate:
    """The share of ones in (R, N) zeros and ones, with its interval."""
    readers, cases = right.shape
    value = float(right.mean())
    variance = sum(one for one, _ in _sources(right.mean(1), [right]))
    # how many independent answers would have this variance; where all are right or none is, or one
    # reader was asked, no more than there are cases
    independent = float(cases)
    if readers > 1 and 0 < value < 1:
        most = float(readers * cases)
        independent = min(most, value * (1 - value) / variance) if variance > 0 else most
    ones, zeros = value * independent, (1 - value) * independent
    low = float(stats.beta.ppf(1 - TAIL, ones, zeros + 1)) if ones > 0 else 0.0
    high = float(stats.beta.ppf(TAIL, ones + 1, zeros)) if zeros > 0 else 1.0
    return Estimate(value, low, high)


def _agreement(values: Array, level: str, seed: int) -> Estimate:
    value = krippendorff_alpha(values, level=level)
    if isnan(value):
        return Estimate(value)
    cases = values.shape[1]
    random = np.random.default_rng(seed)
    weights = random.multinomial(cases, np.full(cases, 1 / cases), RESAMPLES).astype(np.float64)
    drawn = resampled_alpha(values, weights, level=level)
    known = drawn[~np.isnan(drawn)]
    if len(known) < LEAST * RESAMPLES:  # nearly all ratings are the same
        return Estimate(value)
    low, high = centred_interval(value, known, bounds=(-1.0, 1.0))
    return Estimate(value, low, high)
