"""Feature matching against sums by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import ConfigError
from medaug.losses import feature_matching


def layers(seed: int, num: int) -> list[torch.Tensor]:
    """Two layers' features of a batch."""
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(num, *shape, generator=random) for shape in ((3, 4, 4), (5,))]


@given(real=st.integers(1, 4), fake=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_is_the_mean_difference_of_the_means(real, fake, seed):
    """In float64 with NumPy, layer by layer; the batches may be of different sizes."""
    first, second = layers(seed, real), layers(seed + 100, fake)
    expected = np.mean(
        [
            np.abs(a.double().numpy().mean(0) - b.double().numpy().mean(0)).mean()
            for a, b in zip(first, second, strict=True)
        ]
    )
    found = feature_matching(first, second)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    assert found.shape == ()


def test_order_within_a_batch_counts_for_nothing():
    """Means are compared, not pairs."""
    features = layers(0, 4)
    assert feature_matching(features, [f.roll(1, 0) for f in features]).item() < 1e-6
    pairs = [torch.tensor([[1.0], [3.0]])], [torch.tensor([[3.0], [1.0]])]
    assert feature_matching(*pairs).item() == 0


def test_only_made_images_get_a_gradient():
    """Of the absolute difference: ± 1 / (layers · features · batch)."""
    real, fake = ([f.requires_grad_() for f in layers(seed, 2)] for seed in (1, 2))
    feature_matching(real, fake).backward()
    assert all(f.grad is None for f in real)
    for one, other in zip(real, fake, strict=True):
        size = 1 / (2 * one[0].numel() * 2)
        expected = (other.mean(0) - one.mean(0)).sign() * size
        assert torch.allclose(other.grad, expected.expand_as(other))


def test_is_computed_in_float32():
    """Sums of many bfloat16 features would lose their digits."""
    real = [torch.ones(2, 1000, dtype=torch.bfloat16)]
    found = feature_matching(real, [torch.full((2, 1000), 1.0078125, dtype=torch.bfloat16)])
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(0.0078125)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        ([], [], "at least one, got 0 of real images and 0 of made"),
        (layers(0, 2), layers(0, 2)[:1], "got 2 of real images and 1 of made"),
        (layers(0, 2)[:1], layers(0, 2)[1:], r"one shape, got \(3, 4, 4\) of real .* \(5,\) of"),
    ],
)
def test_refuses_other_layers(real, fake, message):
    """The error says what came."""
    with pytest.raises(ConfigError, match=message):
        feature_matching(real, fake)
