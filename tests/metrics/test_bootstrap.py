"""Intervals: as wide as theory says, centred, and the same for a seed."""

import math

import numpy as np
import pytest
import torch

from medaug.errors import UserError
from medaug.metrics import (
    bootstrap,
    centred_interval,
    frechet,
    frechet_resamples,
    mifid,
    prdc_by_image,
)

from .vectors import features


def test_of_a_mean_as_the_theory_says():
    """Mean ± 1.96 standard errors; of a difference of two, with both."""
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=400), rng.normal(5, 2, size=100)
    low, high = bootstrap(np.mean, one, resamples=2000)
    half = 1.96 * one.std() / 20
    assert (low, high) == pytest.approx((one.mean() - half, one.mean() + half), abs=0.015)
    low, high = bootstrap(lambda a, b: b.mean() - a.mean(), one, two, resamples=2000)
    assert high - low == pytest.approx(2 * 1.96 * math.hypot(1 / 20, 2 / 10), rel=0.15)


def test_holds_the_true_mean_as_often_as_it_says():
    """19 times of 20."""
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        low, high = bootstrap(np.mean, rng.exponential(size=60), seed=seed)
        hits += low <= 1 <= high
    assert 0.89 <= hits / 200 <= 0.98


def test_frechet_interval_is_about_the_distance():
    """Plain percentiles lie wholly above it; the interval holds the mean of fresh draws."""
    draws = [frechet(features(40, 60, seed=s), features(40, 60, seed=s + 99)) for s in range(20)]
    real, synthetic = features(40, 60, seed=0), features(40, 60, seed=99)
    resamples = frechet_resamples(real, synthetic)
    assert np.quantile(resamples, 0.025) > draws[0]
    low, high = centred_interval(draws[0], resamples)
    assert low < draws[0] < high
    assert low < np.mean(draws) < high
    same = bootstrap(frechet, real, synthetic, resamples=100)
    assert same == pytest.approx((low, high))


def test_shares_stay_within_their_bounds():
    """And a share that no resample changes is a point."""
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(60, 8)), 2 * rng.normal(size=(60, 8))
    precision = prdc_by_image(real, synthetic).precision
    interval = bootstrap(np.mean, precision, bounds=(0, 1))
    assert 0 <= interval.low < precision.mean() < interval.high <= 1
    assert bootstrap(np.mean, np.ones(30), bounds=(0, 1)) == (1, 1)
    assert centred_interval(0.5, np.linspace(0, 9, 100), bounds=(0, 1)) == (0, 1)


def test_infinite_figures():
    """Copies have an infinite MiFID in each resample: nothing to be moved."""
    train = features(50, 20)
    assert bootstrap(lambda rows: mifid(train, rows), train, resamples=40) == (math.inf, math.inf)
    assert centred_interval(1.0, np.r_[np.full(90, 1.0), np.full(10, math.inf)]).high == math.inf


def test_the_seed_decides():
    """Tensors and arrays are drawn alike, images as well as vectors."""
    sample = features(50, 3)
    found = bootstrap(lambda rows: rows.mean(), sample, seed=4)
    assert bootstrap(lambda rows: rows.mean(), torch.from_numpy(sample), seed=4) == pytest.approx(
        found
    )
    assert bootstrap(lambda rows: rows.mean(), sample, seed=5) != found
    images = torch.from_numpy(sample).reshape(50, 1, 3, 1)
    assert bootstrap(torch.mean, images, seed=4) == pytest.approx(found)


@pytest.mark.parametrize(
    ("samples", "resamples", "message"),
    [
        ((), 200, r"samples must be one or more of at least 2 rows each, got \[\]"),
        ((np.ones(5), np.ones(1)), 200, r"of at least 2 rows each, got \[5, 1\]"),
        ((np.ones(5),), 39, "resamples must be at least 40, got 39"),
    ],
)
def test_refuses(samples, resamples, message):
    """With what was given."""
    with pytest.raises(UserError, match=message):
        bootstrap(np.mean, *samples, resamples=resamples)


def test_refuses_nan():
    """Of the statistic or of a resample."""
    with pytest.raises(UserError, match="must be a number on every resample, got NaN"):
        bootstrap(np.mean, np.array([1.0, math.nan]))
    with pytest.raises(UserError, match="got NaN"):
        centred_interval(1.0, np.full(50, math.nan))
