"""The inception score against its toy answers and torchmetrics'."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.metrics import inception_score


def softmax(logits):
    return torch.tensor(logits).softmax(dim=1).numpy()


def test_toy_answers():
    """1 where all are alike, sure or unsure; K where K classes come equally often, for sure."""
    assert inception_score(np.full((9, 5), 0.2)) == pytest.approx(1)
    assert inception_score(np.tile([0.7, 0.2, 0.1], (9, 1))) == pytest.approx(1)
    assert inception_score(np.eye(3)[[1, 1, 1]]) == 1
    assert inception_score(np.tile(np.eye(14), (5, 1))) == pytest.approx(14)
    assert inception_score(np.eye(2)[[0, 0, 0, 1]]) == pytest.approx(4 / 3**0.75)  # exp(entropy)
    assert inception_score(np.ones((4, 1))) == 1


def test_same_as_torchmetrics():
    """In one split, with a classifier that is given."""
    image = pytest.importorskip("torchmetrics.image.inception")
    logits = 3 * torch.randn(60, 14, generator=torch.Generator().manual_seed(0)).double()

    class Given(torch.nn.Module):
        def forward(self, images):
            return images

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that all features are kept; that one split has no spread
        theirs = image.InceptionScore(feature=Given(), splits=1)
        theirs.inception = Given()
        theirs.update(logits)
        expected, _ = theirs.compute()
    assert inception_score(logits.softmax(dim=1)) == pytest.approx(float(expected), rel=1e-6)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 1000))
def test_between_one_and_the_number_of_classes(n, classes, seed):
    """And the same in another order of images and of classes."""
    rows = softmax(np.random.default_rng(seed).normal(size=(n, classes)) * 4)
    found = inception_score(rows)
    assert 1 <= found <= classes * (1 + 1e-12)
    assert inception_score(rows[::-1, ::-1]) == pytest.approx(found)


def test_half_precision_is_made_to_add_up():
    """bfloat16 softmax misses 1 by thousandths: refused beyond one, and else divided by its sum."""
    rows = np.array([[0.7, 0.3], [0.2, 0.8]])
    assert inception_score(rows * 1.0009) == pytest.approx(inception_score(rows))


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([[2.0, -1.0], [0.5, 0.5]], "got a lowest value of -1 and sums from 1 to 1"),
        ([[2.0, 1.0], [0.5, 0.5]], "got a lowest value of 0.5 and sums from 1 to 3"),
    ],
)
def test_refuses_logits(probabilities, message):
    """They aren't in [0, 1], or don't add up."""
    with pytest.raises(UserError, match=f"probabilities must be 0 or above .* {message}"):
        inception_score(torch.tensor(probabilities))
