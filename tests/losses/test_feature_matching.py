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


def halves(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of the first half, which is the larger one, and of the rest; of one image, twice."""
    middle = (len(batch) + 1) // 2
    return batch[:middle].mean(0), (batch[middle:] if len(batch) > 1 else batch).mean(0)


@given(real=st.integers(1, 5), fake=st.integers(1, 5), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_is_the_product_of_two_halves_differences(real, fake, seed):
    """In float64 with NumPy, layer by layer; the batches may be of different sizes."""
    first, second = layers(seed, real), layers(seed + 100, fake)
    expected = 0.0
    for a, b in zip(first, second, strict=True):
        one, other = a.double().numpy(), b.double().numpy()
        differences = [r - f for r, f in zip(halves(one), halves(other), strict=True)]
        expected += (differences[0] * differences[1]).mean() / np.square(one).mean() / 2
    found = feature_matching(first, second)
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert found.shape == ()


@pytest.mark.parametrize("spread", [0.0, 1.0, 2.0])
def test_what_varies_as_it_will_costs_nothing(spread):
    """On average 0 for features with the real mean, whatever their variance; not so with another.

    The absolute difference of the means of four would be 0.40, 0.56 and 0.89.
    """
    random = torch.Generator().manual_seed(0)
    real = 1 + torch.randn(4, 100_000, generator=random)
    made = 1 + spread * torch.randn(4, 100_000, generator=random)
    same, moved = (feature_matching([real], [fake]).item() for fake in (made, made + 1))
    # Products of two means of two: of deviation (1 + spread²) / 2, beside a mean square of 2.
    error = (1 + spread**2) / 2 / 2 / 100_000**0.5
    assert abs(same) < 4 * error
    assert moved == pytest.approx(1 / 2, abs=0.02)


def test_only_made_images_get_a_gradient():
    """A half's is what the other half lacks."""
    real, fake = ([f.requires_grad_() for f in layers(seed, 2)] for seed in (1, 2))
    feature_matching(real, fake).backward()
    assert all(f.grad is None for f in real)
    for one, other in zip(real, fake, strict=True):
        lacking = (other - one).detach().flip(0)
        expected = lacking / (2 * one[0].numel() * one.detach().square().mean())
        assert torch.allclose(other.grad, expected, atol=1e-7)


def test_is_computed_in_float32():
    """Sums of many bfloat16 features would lose their digits."""
    real = [torch.ones(2, 1000, dtype=torch.bfloat16)]
    found = feature_matching(real, [torch.full((2, 1000), 1.0078125, dtype=torch.bfloat16)])
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(0.0078125**2)


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
