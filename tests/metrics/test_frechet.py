"""Fréchet distance against closed forms, a plain reference, SciPy and the peers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from medaug.errors import UserError
from medaug.metrics import FrechetStatistics, _roots, frechet, frechet_resamples
from medaug.metrics import frechet_statistics as statistics

from ..references.frechet import frechet_distance as reference
from .vectors import features, rotation

SIZES = [(40, 30, 64), (64, 40, 64), (30, 300, 64), (300, 30, 64), (300, 200, 64), (2, 2, 9)]
"""Vectors of each side and features: below as many, one side above, both above."""


@pytest.mark.parametrize(("n", "m", "width"), SIZES)
def test_same_as_the_plain_reference(n, m, width):
    """By every route, to 1e-10."""
    real, synthetic = features(n, width), features(m, width, seed=1, shift=0.1, spread=1.3)
    expected = reference(real, synthetic)
    assert expected > 0.1
    assert frechet(real, synthetic) == pytest.approx(expected, rel=1e-10)
    assert frechet(synthetic, real) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "m"), [(32, 32), (32, 200), (200, 32), (200, 200)])
def test_routes_agree(n, m, monkeypatch):
    """Vectors, ready statistics, and the eigenvalues that large products take."""
    real, synthetic = features(n, 64), features(m, 64, seed=1, shift=0.1)
    expected = frechet(real, synthetic)
    assert frechet(statistics(real), synthetic) == pytest.approx(expected, rel=1e-9)
    monkeypatch.setattr(_roots, "_SMALL", 0)
    ready = statistics(real)
    before = ready.covariance.copy()
    for _ in range(2):
        assert frechet(ready, synthetic) == pytest.approx(expected, rel=1e-6)
    assert frechet(real, synthetic) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_equal(ready.covariance, before)


def test_large_products_take_eigenvalues():
    """Above 1,024 of both, four times as fast."""
    real, synthetic = features(1050, 1040), features(1030, 1040, seed=1, shift=0.05)
    assert frechet(real, synthetic) == pytest.approx(reference(real, synthetic), rel=1e-6)


@pytest.mark.parametrize(("n", "m", "width"), SIZES)
def test_equal_sets_and_moved_ones(n, m, width):
    """0, and the squared length of the way."""
    real = features(max(n, m), width)
    traces = 2 * np.trace(np.cov(real.T))
    assert frechet(real, real) == pytest.approx(0, abs=1e-11 * traces)
    assert frechet(real, real + 0.5) == pytest.approx(width / 4)
    assert frechet(statistics(real), real[::-1]) == pytest.approx(0, abs=1e-7 * traces)


def test_known_normal_distributions():
    """In one dimension (m1 - m2)² + (s1 - s2)²; for diagonals, the sum of it."""
    exact = np.array([-1.0, 0.0, 1.0])[:, None]  # mean 0, variance 1
    assert frechet(exact, exact * 3) == pytest.approx(4)
    assert frechet(exact, exact * 3 + 5) == pytest.approx(29)
    axes = np.vstack([np.eye(4), -np.eye(4)]) * np.sqrt(7 / 2)  # covariance 1
    one, two = np.array([1, 2, 3, 4.0]), np.array([4, 0, 1, 2.5])
    assert frechet(axes * one, axes * two) == pytest.approx(np.square(one - two).sum())


def test_scaled_copies_are_exact_where_the_peers_are_not():
    """Y = 2 X at n < d: |m|² + tr S, to 1e-11; torch-fidelity's roots of noise are 1e-4 off."""
    metric_fid = pytest.importorskip("torch_fidelity.metric_fid")
    real = features(60, 256)
    expected = np.square(real.mean(0)).sum() + np.trace(np.cov(real.T))
    theirs = metric_fid.fid_statistics_to_metric(
        *(metric_fid.fid_features_to_statistics(torch.from_numpy(x)) for x in (real, 2 * real)),
        False,
    )["frechet_inception_distance"]
    ours = abs(frechet(real, 2 * real) - expected)
    assert ours < 1e-11 * expected
    assert ours < abs(theirs - expected)


def test_textbook_formula():
    """With SciPy's root of the product, of full rank."""
    real, synthetic = features(300, 12), features(200, 12, seed=1, shift=0.2, spread=2)
    s, t = np.cov(real.T), np.cov(synthetic.T)
    expected = np.square(real.mean(0) - synthetic.mean(0)).sum()
    expected += np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert frechet(real, synthetic) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "width", "rel"), [(400, 64, 1e-9), (100, 128, 1e-4)])
def test_same_as_the_peers(n, width, rel):
    """torch-fidelity's and torchmetrics', of full rank and, as good as they are, without."""
    metric_fid = pytest.importorskip("torch_fidelity.metric_fid")
    torchmetrics = pytest.importorskip("torchmetrics.image.fid")
    pair = [torch.from_numpy(features(n, width, seed=s, shift=0.1 * s)) for s in (0, 1)]
    found = frechet(*pair)
    theirs = metric_fid.fid_statistics_to_metric(
        *(metric_fid.fid_features_to_statistics(x) for x in pair), False
    )["frechet_inception_distance"]
    moments = [moment for x in pair for moment in (x.mean(0), x.T.cov())]
    assert found == pytest.approx(theirs, rel=rel)
    assert found == pytest.approx(float(torchmetrics._compute_fid(*moments)), rel=rel)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("dead", [slice(0, 1), slice(3, 9)])
def test_features_that_never_change_add_nothing(dead, large, monkeypatch):
    """Nor ones that are sums of others: covariances without full rank, from many vectors."""
    if large:
        monkeypatch.setattr(_roots, "_SMALL", 0)
    real, synthetic = features(200, 20), features(150, 20, seed=1, shift=0.1)
    expected = frechet(np.delete(real, dead, 1), np.delete(synthetic, dead, 1))
    for vectors in (real, synthetic):
        vectors[:, dead] = 7
    assert frechet(real, synthetic) == pytest.approx(expected, rel=1e-6 if large else 1e-8)
    twice = [np.hstack([x, x]) / np.sqrt(2) for x in (real, synthetic)]
    assert frechet(*twice) == pytest.approx(expected, rel=1e-6 if large else 1e-8)
    same = np.full((30, 20), 7.0)
    assert frechet(same, same + 1) == pytest.approx(20)
    assert frechet(same, synthetic) == pytest.approx(reference(same, synthetic))


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    st.integers(2, 40),
    st.integers(2, 40),
    st.integers(1, 24),
    st.integers(0, 1000),
    st.floats(0.1, 10),
)
def test_invariant(n, m, width, seed, scale):
    """Symmetric; the same rotated, moved and permuted; the scale's square for scaled vectors."""
    real, synthetic = features(n, width, seed=seed), features(m, width, seed=seed + 1, shift=0.3)
    found = frechet(real, synthetic)
    turn = rotation(width, seed) * scale
    near = pytest.approx(found, rel=1e-7, abs=1e-9)
    assert frechet(synthetic, real) == near
    assert frechet(real @ turn + 3, synthetic @ turn + 3) / scale**2 == near
    assert frechet(real[::-1], np.roll(synthetic, 1, axis=0)) == near
    assert found >= 0


def test_small_samples_are_biased():
    """As the documentation says: halves of one distribution, farther apart the fewer they are."""
    found = [frechet(features(n, 64), features(n, 64, seed=1)) for n in (20, 60, 400)]
    assert found[0] > 2 * found[1] > 4 * found[2] > 0


@pytest.mark.parametrize("n", [30, 300])
@pytest.mark.parametrize("m", [24, 200])
def test_resamples_are_those_of_drawn_vectors(n, m):
    """The short way by products, and the long way, drawn alike."""
    real, synthetic = features(n, 40) + 100, features(m, 40, seed=1) + 100
    found = frechet_resamples(real, synthetic, resamples=5, seed=3)
    random = np.random.default_rng(3)
    expected = [
        reference(real[random.integers(n, size=n)], synthetic[random.integers(m, size=m)])
        for _ in range(5)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_resamples_follow_the_seed():
    """Each differs from the others; another seed gives others."""
    real, synthetic = features(20, 40), features(20, 40, seed=1)
    found = frechet_resamples(real, synthetic, resamples=20)
    assert len(set(found)) == 20
    np.testing.assert_equal(found, frechet_resamples(real, synthetic, resamples=20, seed=0))
    assert not set(found) & set(frechet_resamples(real, synthetic, resamples=20, seed=1))
    assert np.median(found) > frechet(real, synthetic)  # fewer different images


def test_resamples_of_one_image_given_twice():
    """All that a draw can hold is one point."""
    np.testing.assert_allclose(
        frechet_resamples(np.ones((2, 5)), np.zeros((3, 5)), resamples=4), 5.0
    )


def test_statistics_are_the_moments():
    """Mean, covariance with n - 1, and how many."""
    real = features(50, 7)
    found = statistics(real)
    np.testing.assert_allclose(found.mean, real.mean(0))
    np.testing.assert_allclose(found.covariance, np.cov(real.T))
    assert found.count == 50


def test_refuses():
    """Statistics that don't fit together, other features, and no resample."""
    real = features(50, 7)
    found = statistics(real)
    with pytest.raises(UserError, match="equally many features, got 7 and 6"):
        frechet(found, real[:, :6])
    with pytest.raises(UserError, match=r"of \(D, D\) .* got \(6,\), \(7, 7\) and 50"):
        frechet(found._replace(mean=found.mean[:6]), real)
    with pytest.raises(UserError, match=r"count of at least 2, got \(7,\), \(7, 7\) and 1"):
        frechet(found._replace(count=1), real)
    with pytest.raises(UserError, match="the real covariance must hold finite values"):
        frechet(FrechetStatistics(found.mean, found.covariance * np.nan, 50), real)
    with pytest.raises(UserError, match="resamples must be at least 1, got 0"):
        frechet_resamples(real, real, resamples=0)


def test_resamples_are_drawn_by_whole_groups_within_strata():
    """Frames of a sequence together; of each kind as many as there were."""
    rows = np.repeat(np.arange(12.0), 3)[:, None] * np.ones(2)  # three equal frames each
    rows[:, 1] += np.tile([0.0, 0.1, 0.2], 12)
    plain = frechet_resamples(rows, rows + 5, resamples=60, group=3, strata=(9, 3))
    random = np.random.default_rng(0)
    expected = []
    for _ in range(60):
        sides = []
        for side in (rows, rows + 5):
            drawn = [random.integers(9, size=9), 9 + random.integers(3, size=3)]
            sides.append(side.reshape(12, 3, 2)[np.concatenate(drawn)].reshape(36, 2))
        expected.append(reference(*sides))
    np.testing.assert_allclose(plain, expected, atol=1e-9)


def test_resamples_of_groups_spread_more_than_those_of_rows():
    """Ten frames that are all but one another's copies are no ten hearts."""
    random = np.random.default_rng(0)
    pair = [random.normal(shift, 1, (20, 1, 3)).repeat(10, 1).reshape(200, 3) for shift in (0, 1)]
    widths = [
        np.ptp(np.quantile(frechet_resamples(*pair, group=group), (0.025, 0.975)))
        for group in (1, 10)
    ]
    assert widths[1] > 2 * widths[0]


@pytest.mark.parametrize("options", [{"group": 0}, {"group": 3}, {"group": 2, "strata": (1, 2)}])
def test_groups_must_fit(options):
    """In one line."""
    real = features(8, 4)
    with pytest.raises(UserError, match=r"group must divide the 8 and 8|strata must add up to 4"):
        frechet_resamples(real, real, **options)
