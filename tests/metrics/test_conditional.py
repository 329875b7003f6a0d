"""Agreement of asked-for and predicted classes, with its interval."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from medaug.errors import UserError
from medaug.metrics import conditional_check, coverage, wilson_interval

ASKED = [0, 0, 0, 0, 2, 2, 2, 5]
PREDICTED = [0, 0, 0, 1, 2, 2, 0, 5]
RANDOM = torch.Generator().manual_seed(0)
REAL, GENERATED = torch.randn(30, 4, generator=RANDOM), torch.randn(20, 4, generator=RANDOM) + 1


@pytest.mark.parametrize("form", [list, np.array, torch.tensor])
def test_shares_by_hand(form):
    """Six of eight: three of four, two of three, one of one; no class that wasn't asked for."""
    found = conditional_check(form(ASKED), form(PREDICTED), REAL, GENERATED, k=3)
    assert found.agreement == 0.75
    assert found.by_class == {0: 0.75, 2: pytest.approx(2 / 3), 5: 1.0}
    assert found.low < 0.75 < found.high
    assert (found.low, found.high) == wilson_interval(6, 8)
    assert 0 < found.coverage < 1
    assert found.coverage == coverage(REAL, GENERATED, k=3)


def test_perfect_and_perfectly_wrong():
    """1 and 0, with an interval that isn't a point."""
    right = conditional_check([0, 1] * 10, [0, 1] * 10, REAL, REAL)
    assert (right.agreement, right.high, right.coverage) == (1.0, 1.0, 1.0)
    assert right.low == pytest.approx(1 / (1 + 1.959964**2 / 20))
    wrong = conditional_check([0, 1] * 10, [1, 0] * 10, REAL, REAL)
    assert (wrong.agreement, wrong.low) == (0.0, 0.0)
    assert wrong.high == pytest.approx(1 - right.low)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 20_000), st.floats(0, 1))
def test_interval_is_that_of_scipy(trials, share):
    """Wilson's, without a correction."""
    successes = round(share * trials)
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx(tuple(expected), abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "predicted", "message"),
    [
        ([0, 1], [0], "equally many classes, at least one, got 2 and 1"),
        (torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), "got 0 and 0"),
        ([0.5], [0], r"asked must be integers of \(M,\), got torch.float32"),
        ([0], [[0]], r"predicted must be integers of \(M,\), got torch.int64 of \(1, 1\)"),
    ],
)
def test_refuses(asked, predicted, message):
    """With what was given."""
    with pytest.raises(UserError, match=message):
        conditional_check(asked, predicted, REAL, GENERATED)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 3), (4, 3), (0, 0)])
def test_interval_refuses(successes, trials):
    """What is no share."""
    with pytest.raises(UserError, match=f"got {successes} of {trials}"):
        wilson_interval(successes, trials)
