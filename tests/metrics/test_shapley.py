"""Shapley weights against cases that can be worked out, and against all orders by regression."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.metrics import shapley_weights

CUBE = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))


def orthonormal(size):
    """Columns of 20 runs with mean 0, length 1 and no correlation at all."""
    drawn = np.random.default_rng(0).normal(size=(20, size))
    return np.linalg.qr(drawn - drawn.mean(axis=0))[0]


def r_squared(columns, target):
    design = np.column_stack([np.ones(len(target)), *columns])
    fitted = design @ np.linalg.lstsq(design, target, rcond=None)[0]
    return 1 - ((target - fitted) ** 2).sum() / ((target - target.mean()) ** 2).sum()


def by_all_orders(components, outcome):
    """Each component's gain in R squared, averaged over all orders, one regression at a time."""
    size = components.shape[1]
    gains = np.zeros(size)
    for order in itertools.permutations(range(size)):
        before = 0.0
        for k in range(size):
            after = r_squared(components[:, order[: k + 1]].T, outcome)
            gains[order[k]] += after - before
            before = after
    return gains / math.factorial(size)


def weights(components, outcome):
    return list(shapley_weights(components, outcome, resamples=50).weights.values())


def test_uncorrelated_components_share_by_squared_effects():
    """Of 3a + 2b + c over all corners of a cube, they have 9, 4 and 1 of 14."""
    np.testing.assert_allclose(weights(CUBE, CUBE @ [3, 2, 1]), np.array([9, 4, 1]) / 14)


def test_a_component_given_twice_is_shared():
    """(x, x, z) and y = x + z: a quarter each, and a half."""
    x, z = orthonormal(2).T
    found = shapley_weights(np.column_stack([x, x, z]), x + z)
    np.testing.assert_allclose(list(found.weights.values()), [0.25, 0.25, 0.5], atol=1e-9)
    assert found.r2 == pytest.approx(1)


def test_what_is_correlated_with_the_cause_gets_some():
    """x2 = (x1 + z) / sqrt 2 explains half of y = x1 alone, and nothing beside x1."""
    x, z = orthonormal(2).T
    found = weights(np.column_stack([x, (x + z) / np.sqrt(2)]), x)
    np.testing.assert_allclose(found, [0.75, 0.25], atol=1e-9)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_a_constant_component_gets_nothing(constant):
    """Whatever rounding leaves of its deviations."""
    x, z = orthonormal(2).T
    found = weights(np.column_stack([x, np.full(20, constant)]), x + z)
    assert found == pytest.approx([1, 0], abs=1e-9)


@given(st.integers(1, 4), st.integers(0, 99), st.floats(0, 3))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_equals_the_mean_over_all_orders(size, seed, noise):
    """Correlated components and a noisy outcome, by one regression for each order and length."""
    random = np.random.default_rng(seed)
    components = random.normal(size=(12, size)) @ random.normal(size=(size, size))
    outcome = components.sum(axis=1) + noise * random.normal(size=12)
    expected = by_all_orders(components, outcome)
    found = shapley_weights(components, outcome, resamples=50)
    assert found.r2 == pytest.approx(expected.sum(), abs=1e-9)
    np.testing.assert_allclose(list(found.weights.values()), expected / expected.sum(), atol=1e-6)
    assert sum(found.weights.values()) == pytest.approx(1)


def test_order_scale_and_shift_do_not_matter():
    """Nor the unit of the outcome, nor its direction."""
    random = np.random.default_rng(1)
    components = random.normal(size=(15, 3)) + random.normal(size=(15, 1))
    outcome = components @ [1, 2, 0] + random.normal(size=15)
    plain = weights(components, outcome)
    moved = weights(components[:, [2, 0, 1]] * [1e3, -1e-3, 5] + [1, 2, 3], 7 - 2 * outcome)
    np.testing.assert_allclose(moved, np.array(plain)[[2, 0, 1]], atol=1e-9)


def test_intervals_narrow_with_runs_and_hold_the_truth():
    """Of two independent components with equal effects, each has one half."""
    random = np.random.default_rng(2)
    widths = []
    for runs in (10, 1000):
        components = random.normal(size=(runs, 2))
        outcome = components.sum(axis=1) + random.normal(size=runs)
        found = shapley_weights(components, outcome, names=["fid", "ssim"])
        assert found.low["fid"] < 0.5 < found.high["fid"]
        widths.append(found.high["fid"] - found.low["fid"])
    assert widths[1] < 0.15 < widths[0]
    assert found.weights["fid"] == pytest.approx(0.5, abs=0.05)
    assert found.high["fid"] == pytest.approx(1 - found.low["ssim"])
    assert found == shapley_weights(components, outcome, names=["fid", "ssim"], seed=0)
    assert found != shapley_weights(components, outcome, names=["fid", "ssim"], seed=1)


def test_twelve_components_are_exact():
    """4,096 regressions: uncorrelated ones have their closed form."""
    components = orthonormal(12)
    effects = np.arange(1.0, 13.0)
    found = weights(components, components @ effects)
    np.testing.assert_allclose(found, effects**2 / (effects**2).sum(), atol=1e-9)


RUNS = np.random.default_rng(3).normal(size=(9, 3))
OUTCOME = RUNS.sum(axis=1)
NAN = np.where(np.arange(27).reshape(9, 3) == 4, np.nan, RUNS)


@pytest.mark.parametrize(
    ("components", "outcome", "options", "message"),
    [
        (RUNS[:4], OUTCOME[:4], {}, "runs must be at least 5 for 3 components, got 4"),
        (RUNS[0], OUTCOME, {}, r"components must be of \(runs, 1 to 12\), got \(3,\)"),
        (RUNS[:, :0], OUTCOME, {}, r"components must be of \(runs, 1 to 12\), got \(9, 0\)"),
        (np.ones((99, 13)), np.arange(99), {}, r"of \(runs, 1 to 12\), got \(99, 13\)"),
        (RUNS, OUTCOME[:8], {}, r"outcome must be of \(9,\), got \(8,\)"),
        (NAN, OUTCOME, {}, "components and outcome must be finite numbers"),
        (RUNS, OUTCOME * np.inf, {}, "components and outcome must be finite numbers"),
        (RUNS, np.full(9, 0.7), {}, "outcome must differ between runs, got the same for all"),
        (np.ones((9, 3)), OUTCOME, {}, "components must say something of outcome"),
        (CUBE[:, :1], CUBE[:, 1], {}, "components must say something of outcome"),
        (RUNS, OUTCOME, {"names": ["fid", "ssim"]}, "names must be 3, .* got fid, ssim"),
        (RUNS, OUTCOME, {"names": ["a", "b", "a"]}, "names must be 3, .* got a, b, a"),
        (RUNS, OUTCOME, {"resamples": 1}, "resamples must be at least 50, got 1"),
    ],
)
def test_what_cannot_be_weighed_is_refused(components, outcome, options, message):
    """Too few runs, too many components, or nothing to share."""
    with pytest.raises(UserError, match=message):
        shapley_weights(components, outcome, **options)
