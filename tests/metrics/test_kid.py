"""The kernel distance against toy answers, the definition and the peers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.metrics import kid

from .vectors import features, rotation


def plain(x, y):
    """The definition, pair by pair."""
    kernel = (x @ y.T / x.shape[1] + 1) ** 3
    value = -2 * kernel.mean()
    for vectors in (x, y):
        pairs = [
            (vectors[i] @ vectors[j] / x.shape[1] + 1) ** 3
            for i in range(len(vectors))
            for j in range(len(vectors))
            if i != j
        ]
        value += np.mean(pairs)
    return value


@pytest.mark.parametrize(
    ("real", "synthetic", "expected"),
    [([0, 0], [1, 1], 7.0), ([0, 1], [0, 1], -3.5), ([0, 0, 0], [1, 1, 1, 1], 7.0)],
)
def test_toy_answers(real, synthetic, expected):
    """One feature: kernels of 1 and 8. Below 0, as an unbiased estimate of 0 must be at times."""
    found = kid(np.array(real)[:, None], np.array(synthetic)[:, None])
    assert found.value == pytest.approx(expected)
    assert math.isnan(found.standard_error) == (len(real) == 2)


@pytest.mark.parametrize(("n", "m"), [(2, 5), (12, 9), (5, 2)])
def test_same_as_the_definition(n, m):
    """With unequal numbers."""
    real, synthetic = features(n, 4), features(m, 4, seed=1, shift=0.3)
    assert kid(real, synthetic).value == pytest.approx(plain(real, synthetic))


def test_more_than_are_compared_at_once():
    """In parts, the same."""
    real, synthetic = features(1203, 3), features(1007, 3, seed=1)
    expected = plain_by_matrices(real, synthetic)
    assert kid(real, synthetic).value == pytest.approx(expected, rel=1e-9)


def plain_by_matrices(x, y):
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    within = sum(
        (kernel(v, v).sum() - np.trace(kernel(v, v))) / (len(v) * (len(v) - 1)) for v in (x, y)
    )
    return within - 2 * kernel(x, y).mean()


def test_same_as_the_peers():
    """torch-fidelity's and torchmetrics', of one subset with all of equally many vectors."""
    metric_kid = pytest.importorskip("torch_fidelity.metric_kid")
    poly_mmd = pytest.importorskip("torchmetrics.image.kid").poly_mmd
    pair = [torch.from_numpy(features(80, 32, seed=s, shift=0.1 * s)) for s in (0, 1)]
    theirs = metric_kid.kid_features_to_metric(
        *pair, kid_subsets=1, kid_subset_size=80, kid_kernel="poly", verbose=False
    )["kernel_inception_distance_mean"]
    assert kid(*pair).value == pytest.approx(theirs, rel=1e-10)
    assert kid(*pair).value == pytest.approx(float(poly_mmd(*pair)), rel=1e-10)


def test_standard_error_is_the_jackknifes():
    """The deviation of the values without each image, one side after the other."""
    real, synthetic = features(15, 6), features(11, 6, seed=1, shift=0.4)
    variance = 0.0
    for vectors, without in (
        (real, lambda i: plain(np.delete(real, i, 0), synthetic)),
        (synthetic, lambda i: plain(real, np.delete(synthetic, i, 0))),
    ):
        count = len(vectors)
        variance += (count - 1) * np.var([without(i) for i in range(count)])
    assert kid(real, synthetic).standard_error == pytest.approx(math.sqrt(variance))


def test_standard_error_is_that_of_fresh_draws():
    """Of sets that differ; of sets that don't, no smaller, and the values lie about 0."""
    for shift, low, high in ((0.3, 0.7, 1.4), (0.0, 0.9, 2.0)):
        found = [
            kid(features(60, 16, seed=s), features(60, 16, seed=s + 1000, shift=shift))
            for s in range(80)
        ]
        deviation = np.std([value for value, _ in found])
        ratio = np.mean([error for _, error in found]) / deviation
        assert low < ratio < high, ratio
    assert abs(np.mean([value for value, _ in found])) < 3 * deviation / math.sqrt(80)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(3, 30), st.integers(3, 30), st.integers(1, 12), st.integers(0, 1000))
def test_invariant(n, m, width, seed):
    """Symmetric; the same rotated and permuted."""
    real, synthetic = features(n, width, seed=seed), features(m, width, seed=seed + 1, shift=0.3)
    found = kid(real, synthetic)
    turn = rotation(width, seed)
    assert kid(synthetic, real) == pytest.approx(found, rel=1e-8, abs=1e-10)
    assert kid(real @ turn, synthetic @ turn) == pytest.approx(found, rel=1e-8, abs=1e-10)
    assert kid(real[::-1], synthetic[::-1]) == pytest.approx(found, rel=1e-8, abs=1e-10)
