"""Coverage against hand-made answers, a peer, a plain loop and the theory."""

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
from medaug.metrics import coverage

REAL = torch.tensor([[0.0], [1.0], [2.0], [3.0]])


def peer(real, generated, k):
    """The authors' package, which prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return compute_prdc(real, generated, nearest_k=k)["coverage"]


def plain(real, generated, k):
    """The definition, sample by sample."""
    covered = 0
    for index, sample in enumerate(real):
        others = [math.dist(sample, other) for j, other in enumerate(real) if j != index]
        radius = sorted(others)[k - 1]
        covered += any(math.dist(sample, fake) <= radius for fake in generated)
    return covered / len(real)


@pytest.mark.parametrize(
    ("generated", "expected"),
    [
        ([0.5, 10.0, 11.0], 1 / 2),  # within reach of 0 and of 1
        ([0.0, 1.0, 2.0, 3.0], 1.0),
        ([100.0], 0.0),
        ([4.0], 1 / 4),  # on the rim of 3
        ([1.0], 3 / 4),  # on the rims of 0 and of 2
    ],
)
def test_toy_answers(generated, expected):
    """With k = 1, every ball reaches to the next integer."""
    assert coverage(REAL, torch.tensor(generated)[:, None], k=1) == expected


def test_equal_samples_cover_each_other():
    """All in one point; and real images given out again, some of them twice over."""
    same = torch.full((20, 3), 0.1)
    assert coverage(same, same, k=3) == 1
    assert peer(same.numpy(), same.numpy(), 3) == 0  # where the rim is outside
    drawn = torch.rand(50, 8, generator=torch.Generator().manual_seed(0)).repeat(3, 1)
    assert coverage(drawn, drawn.flip(0)) == 1


def test_as_many_samples_as_balls():
    """One generated sample for 30 of 40 real ones, far from each other: three quarters."""
    real = torch.arange(40.0)[:, None] * 100
    assert coverage(torch.cat([real, real + 1]), real[:30] + 0.5, k=1) == 0.75


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("dimension", [2, 64])
def test_same_as_the_authors_package(k, dimension):
    """On draws without ties, more generated samples than real ones and fewer."""
    rng = np.random.default_rng(k * dimension)
    for count in (300, 90):
        real, generated = rng.normal(size=(200, dimension)), rng.normal(size=(count, dimension))
        generated = 0.8 * generated + 0.1
        assert coverage(real, generated, k=k) == peer(real, generated, k)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=12),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12),
    st.integers(1, 2),
)
def test_same_as_the_definition(real, generated, k):
    """On a grid, where ties are common."""
    found = coverage(torch.tensor(real), torch.tensor(generated), k=k)
    assert found == plain(real, generated, k)


def test_of_fresh_real_samples_as_the_theory_says():
    """1 - prod (N - i) / (M + N - i), in 4 dimensions as in 64, with N and M unequal."""
    rng = np.random.default_rng(0)
    for dimension, n, m in ((4, 400, 400), (64, 400, 400), (8, 500, 250)):
        drawn = [
            coverage(rng.normal(size=(n, dimension)), rng.normal(size=(m, dimension)), k=5)
            for _ in range(8)
        ]
        expected = 1 - math.prod((n - i) / (m + n - i) for i in range(1, 6))
        assert np.mean(drawn) == pytest.approx(expected, abs=0.015)


def test_does_not_depend_on_order_or_place_or_type():
    """Permuted, moved, as an array, in float32: the same."""
    random = torch.Generator().manual_seed(0)
    real = torch.randn(700, 5, generator=random)  # more than are compared at once
    generated = torch.randn(100, 5, generator=random)
    found = coverage(real, generated)
    assert 0 < found < 1
    assert coverage(real.flip(0), generated.flip(0)) == found
    assert coverage(real.numpy(), generated.double().numpy()) == found
    assert coverage(real.double() + 1, generated.double() + 1) == found


@pytest.mark.parametrize(
    ("real", "generated", "k", "message"),
    [
        (torch.rand(5), torch.rand(5, 1), 1, r"real must be vectors of \(N, D\), got \(5,\)"),
        (torch.rand(5, 1), torch.rand(0, 1), 1, r"generated must be vectors .* got \(0, 1\)"),
        (torch.rand(5, 1), torch.rand(5, 2), 1, "equally many features, got 1 and 2"),
        (torch.rand(5, 1), torch.rand(5, 1), 5, "below the number of real samples, 5, got 5"),
        (torch.rand(5, 1), torch.rand(5, 1), 0, "k must be at least 1 .* got 0"),
        (torch.full((5, 1), torch.nan), torch.rand(5, 1), 1, "real must hold finite values"),
        (torch.rand(5, 1), torch.full((5, 1), torch.inf), 1, "generated must hold finite values"),
    ],
)
def test_refuses(real, generated, k, message):
    """With what was given."""
    with pytest.raises(UserError, match=message):
        coverage(real, generated, k=k)
