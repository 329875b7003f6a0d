"""The Fréchet distance where its value is known."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from .frechet import frechet_distance


def test_equal_sets_are_at_distance_zero() -> None:
    """Up to rounding."""
    x = np.random.default_rng(0).normal(size=(30, 50))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)


def test_a_shift_is_its_squared_length() -> None:
    """The covariances are the same."""
    x = np.random.default_rng(0).normal(size=(30, 50))
    assert frechet_distance(x, x + 2) == pytest.approx(50 * 4)


def test_it_is_the_textbooks_formula() -> None:
    """With SciPy's root of the product of covariances, of full rank."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(200, 5)), rng.normal(1, 2, size=(300, 5))
    s, t = np.cov(x.T), np.cov(y.T)
    expected = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert frechet_distance(x, y) == pytest.approx(expected)
