"""Precision, recall, density and coverage against hand-made answers, the definition and peers."""

import contextlib
import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc

from medaug.errors import UserError
from medaug.metrics import PRDC, coverage, prdc, prdc_by_image

from .vectors import features, rotation

REAL = np.array([[0.0], [1.0], [2.0], [3.0]])


def plain(real, synthetic, k):
    """The definition, sample by sample."""

    def reach(samples, index):
        others = [math.dist(samples[index], s) for i, s in enumerate(samples) if i != index]
        return sorted(others)[k - 1]

    real_reach = [reach(real, i) for i in range(len(real))]
    synthetic_reach = [reach(synthetic, j) for j in range(len(synthetic))]
    apart = [[math.dist(r, s) for s in synthetic] for r in real]
    n, m = range(len(real)), range(len(synthetic))
    return PRDC(
        precision=np.mean([any(apart[i][j] <= real_reach[i] for i in n) for j in m]),
        recall=np.mean([any(apart[i][j] <= synthetic_reach[j] for j in m) for i in n]),
        density=sum(apart[i][j] <= real_reach[i] for i in n for j in m) / (k * len(synthetic)),
        coverage=np.mean([any(apart[i][j] <= real_reach[i] for j in m) for i in n]),
    )


def authors(real, synthetic, k):
    """The authors' package, which prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return PRDC(**compute_prdc(real, synthetic, nearest_k=k))


def test_toy_answers():
    """Every real reach is 1; of the synthetic ones, 9.5, 1 and 1."""
    synthetic = np.array([[0.5], [10.0], [11.0]])
    found = prdc(REAL, synthetic, k=1)
    assert found == pytest.approx(PRDC(1 / 3, 1.0, 2 / 3, 1 / 2))
    by_image = prdc_by_image(REAL, synthetic, k=1)
    np.testing.assert_equal(by_image.precision, [1, 0, 0])
    np.testing.assert_equal(by_image.recall, [1, 1, 1, 1])
    np.testing.assert_equal(by_image.density, [2, 0, 0])
    np.testing.assert_equal(by_image.coverage, [1, 1, 0, 0])


def test_real_given_out_again():
    """All 1; where all are one point too, at which the authors' package gives 0."""
    real = features(50, 8)
    for given_out in (real, real[::-1]):
        assert prdc(real, given_out)[:2] == (1, 1)
        assert coverage(real, given_out) == 1
    same = np.full((20, 3), 0.1)
    assert prdc(same, same, k=3) == pytest.approx(PRDC(1, 1, 20 / 3, 1))
    assert authors(same, same, 3) == (0, 0, 0, 0)


def test_float32_copies_are_within_reach():
    """Of two equal images, computed in two batches: apart by rounding."""
    real = features(30, 16).repeat(2, axis=0)
    copies = real * (1 + 1e-7 * np.random.default_rng(0).normal(size=real.shape))
    assert prdc(real, copies, k=1)[:2] == (1, 1)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("width", [2, 64])
def test_same_as_the_authors_package(k, width):
    """On draws without ties, more synthetic samples than real ones and fewer."""
    rng = np.random.default_rng(k * width)
    for count in (300, 90):
        real, synthetic = rng.normal(size=(200, width)), 0.8 * rng.normal(size=(count, width))
        assert prdc(real, synthetic, k=k) == pytest.approx(authors(real, synthetic, k))


def test_same_as_torch_fidelity():
    """Precision and recall, which has the synthetic samples first."""
    metric_prc = pytest.importorskip("torch_fidelity.metric_prc")
    rng = np.random.default_rng(0)
    real = torch.from_numpy(rng.normal(size=(150, 32)))
    synthetic = torch.from_numpy(0.9 * rng.normal(size=(99, 32)))
    theirs = metric_prc.prc_features_to_metric(
        synthetic,
        real,
        prc_neighborhood=3,
        prc_batch_size=10000,
        save_cpu_ram=False,
        verbose=False,
    )
    found = prdc(real, synthetic, k=3)
    assert 0 < found.recall < found.precision < 1
    assert found.precision == pytest.approx(theirs["precision"], rel=1e-6)
    assert found.recall == pytest.approx(theirs["recall"], rel=1e-6)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=12),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=12),
    st.integers(1, 2),
    st.integers(0, 1000),
)
def test_same_as_the_definition(real, synthetic, k, seed):
    """On a grid, where ties are common; the same with it moved, turned and blown up."""
    expected = pytest.approx(plain(real, synthetic, k))
    real, synthetic = np.array(real, float), np.array(synthetic, float)
    assert prdc(real, synthetic, k=k) == expected
    turn = 50 * rotation(2, seed)
    assert prdc(real @ turn + 1e3, synthetic @ turn + 1e3, k=k) == expected


def test_more_than_are_compared_at_once():
    """In parts, the same; each image at its place."""
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(1100, 4)), rng.normal(size=(700, 4)) * 0.7 + 0.5
    found = prdc(real, synthetic)
    assert found == pytest.approx(authors(real, synthetic, 5))
    assert coverage(real, synthetic) == found.coverage
    by_image = prdc_by_image(real, synthetic)
    turned = prdc_by_image(real[::-1], synthetic[::-1])
    for one, two in zip(by_image, turned, strict=True):
        np.testing.assert_equal(one, two[::-1])
    assert tuple(values.mean() for values in by_image) == found


def test_roles():
    """One image a class is precise and recalls nothing; noise around recalls and isn't precise."""
    real = features(100, 8)
    alike = real[:1] + 1e-3 * np.random.default_rng(0).normal(size=(50, 8))
    found = prdc(real, alike)
    assert found.precision == 1
    assert found.recall < 0.1 > found.coverage
    noise = np.random.default_rng(0).normal(scale=3, size=(100, 8))
    found = prdc(real, noise)
    assert found.precision < 0.1
    assert found.recall > 0.9


def test_of_fresh_real_samples_as_documented():
    """Not 1: in 4 dimensions nearly, in 64 three quarters."""
    rng = np.random.default_rng(0)
    for width, low, high in ((4, 0.9, 1.0), (64, 0.65, 0.85)):
        found = [prdc(*rng.normal(size=(2, 400, width))) for _ in range(3)]
        means = PRDC(*np.mean(found, axis=0))
        assert low < means.precision < high
        assert low < means.recall < high
        assert means.density == pytest.approx(1, abs=0.1)
        assert means.coverage == pytest.approx(0.969, abs=0.015)


@pytest.mark.parametrize("figure", [prdc, prdc_by_image])
@pytest.mark.parametrize(
    ("n", "m", "k", "message"),
    [
        (5, 9, 5, "below the number of real samples, 5, got 5"),
        (9, 5, 5, "below the number of synthetic samples, 5, got 5"),
        (9, 9, 0, "k must be at least 1 .* got 0"),
    ],
)
def test_refuses(figure, n, m, k, message):
    """Neighbours that aren't there."""
    with pytest.raises(UserError, match=message):
        figure(features(n, 3), features(m, 3), k=k)
