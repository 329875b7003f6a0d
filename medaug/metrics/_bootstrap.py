"""Intervals by drawing the images anew."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from ..errors import UserError
from ._vectors import Array, Vectors

_ENDS = (0.025, 0.975)
_LEAST = 40  # so that 2.5 % is one
Bounds = tuple[float, float]
ANY: Bounds = (-math.inf, math.inf)


class Interval(NamedTuple):
    """A 95 % interval.

    Attributes:
        low: its lower end.
        high: its upper end.
    """

    low: float
    high: float


def bootstrap(
    statistic: Callable[..., Any],
    *samples: Vectors,
    resamples: int = 200,
    seed: int = 0,
    bounds: Bounds = ANY,
) -> Interval:
    """The 95 % interval of a figure over images: of resamples, centred on the figure itself.

    The rows of each sample are drawn anew with replacement, independently of the other samples. See
    `centred_interval` for why and how the resamples are moved. Figures that look for neighbours
    within one set, as recall or authenticity, take a row drawn twice for a copy: resample what each
    image adds to them instead (`prdc_by_image`). For the Fréchet distance, `frechet_resamples` is
    the faster.

    Args:
        statistic: takes as many samples as there are, gives a number.
        samples: (N, ...) each, tensors or arrays, each of its own N, at least 2.
        resamples: how many, at least 40.
        seed: of the draws.
        bounds: of what the figure can be, as (0, 1) for a share.

    Raises:
        UserError: no samples, fewer than 2 rows in one, or too few resamples.
    """
    counts = [len(sample) for sample in samples]
    if not counts or min(counts) < 2:
        raise UserError(f"samples must be one or more of at least 2 rows each, got {counts}")
    _check_resamples(resamples)
    random = np.random.default_rng(seed)
    found = [
        float(statistic(*(_drawn(sample, random) for sample in samples))) for _ in range(resamples)
    ]
    return centred_interval(float(statistic(*samples)), np.array(found), bounds=bounds)


def centred_interval(value: float, resamples: Array, *, bounds: Bounds = ANY) -> Interval:
    """The middle 95 % of resamples, moved so that their median is the figure itself.

    Resamples hold images twice: fewer different ones than the sample. Figures that depend on n, the
    Fréchet distance above all, are biased by that: its plain percentiles lie wholly above the
    figure that they belong to. The spread is kept, the bias of resampling taken out. The bias that
    the figure itself has at this n is not: for that there is the floor, real against real.

    Args:
        value: of the samples themselves.
        resamples: (R,) values of resamples, at least 40. Infinite ones, or an infinite value, are
            left where they are.
        bounds: of what the figure can be; the ends are kept within.

    Raises:
        UserError: too few resamples, or NaN among them.
    """
    found = np.asarray(resamples, dtype=np.float64)
    _check_resamples(len(found))
    if math.isnan(value) or np.isnan(found).any():
        raise UserError("the statistic must be a number on every resample, got NaN")
    # of values that occur: between infinite ones, none can be made up
    low, middle, high = np.quantile(found, (_ENDS[0], 0.5, _ENDS[1]), method="inverted_cdf")
    shift = value - middle if math.isfinite(value) and math.isfinite(middle) else 0.0
    low, high = np.clip((low + shift, high + shift), *bounds)
    return Interval(float(low), float(high))


def _drawn(sample: Vectors, random: np.random.Generator) -> Vectors:
    rows = random.integers(len(sample), size=len(sample))
    if isinstance(sample, torch.Tensor):
        return sample[torch.from_numpy(rows).to(sample.device)]
    return sample[rows]


def _check_resamples(count: int) -> None:
    if count < _LEAST:
        raise UserError(f"resamples must be at least {_LEAST}, got {count}")
