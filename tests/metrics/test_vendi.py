"""The Vendi score against its toy answers and the definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh
from scipy.special import entr

from medaug.errors import UserError
from medaug.metrics import vendi

from .vectors import features, rotation


def test_toy_answers():
    """As many as there are different ones, at right angles; between for ones at 60 degrees."""
    assert vendi(np.ones((7, 3))) == pytest.approx(1)
    assert vendi(np.eye(5)) == pytest.approx(5)
    assert vendi(np.eye(9, 20)) == pytest.approx(9)
    assert vendi(np.eye(2, 4)[[0, 0, 0, 1, 1, 1]]) == pytest.approx(2)
    sixty = np.array([[1, 0], [0.5, math.sqrt(0.75)]])
    assert vendi(sixty) == pytest.approx(1.75477, abs=1e-5)
    assert vendi(np.array([[0.0, 3.0]])) == pytest.approx(1)


@pytest.mark.parametrize(("n", "width"), [(20, 50), (50, 20), (30, 30)])
def test_same_as_the_definition(n, width):
    """Of the whole kernel, though the smaller product is used."""
    vectors = features(n, width)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    values = eigh(units @ units.T / n, eigvals_only=True).clip(min=0)
    assert vendi(vectors) == pytest.approx(math.exp(entr(values).sum()))


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(1, 25), st.integers(1, 25), st.integers(0, 1000))
def test_invariant(n, width, seed):
    """The same permuted, rotated, and with each vector at another length; 1 to the smaller size."""
    vectors = np.random.default_rng(seed).normal(size=(n, width))
    found = vendi(vectors)
    assert 1 - 1e-9 <= found <= min(n, width) + 1e-9
    lengths = np.random.default_rng(seed).uniform(0.1, 9, size=(n, 1))
    assert vendi(vectors[::-1]) == pytest.approx(found)
    assert vendi(vectors @ rotation(width, seed) * lengths) == pytest.approx(found)
    assert vendi(np.vstack([vectors, vectors])) == pytest.approx(found)


def test_a_collapsed_set_has_less():
    """Every image twenty times over, a little changed."""
    real = np.random.default_rng(0).normal(size=(200, 64))
    collapsed = real[:10].repeat(20, axis=0) + 0.01 * real
    assert vendi(collapsed) < 11 < vendi(real)


def test_refuses_what_has_no_direction():
    """How many there are is said."""
    vectors = np.random.default_rng(0).normal(size=(1200, 3))
    vectors[4:6] = 0
    with pytest.raises(UserError, match=r"vectors must have lengths above 0 .* 2 of 1,200 without"):
        vendi(vectors)
