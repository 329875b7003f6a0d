"""Losses against their formulas in float64."""

import math

import pytest
import torch

from medaug.errors import ConfigError
from medaug.losses import NonSaturatingLoss, R1Penalty


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_non_saturating_loss_is_the_binary_cross_entropy() -> None:
    """Loss_D = −[log D(x) + log(1 − D(G(z)))], Loss_G = −log D(G(z)), written out."""
    real, fake = [0.3, -1.2, 4.0], [-0.7, 2.5, 0.0]
    loss = NonSaturatingLoss()
    expected_d = (
        -sum(
            math.log(sigmoid(r)) + math.log(1 - sigmoid(f)) for r, f in zip(real, fake, strict=True)
        )
        / 3
    )
    expected_g = -sum(math.log(sigmoid(f)) for f in fake) / 3
    d = loss.discriminator(torch.tensor(real), torch.tensor(fake))
    assert d.item() == pytest.approx(expected_d, rel=1e-6)
    assert loss.generator(torch.tensor(fake)).item() == pytest.approx(expected_g, rel=1e-6)


def test_losses_stay_finite_for_certain_scores() -> None:
    """Where log(1 − D) would be the logarithm of zero."""
    sure = torch.tensor([200.0])
    assert NonSaturatingLoss().discriminator(-sure, sure).item() == pytest.approx(400)


def test_r1_of_a_known_function() -> None:
    """For a score of a·Σx² the gradient is 2ax: the penalty is γ/2 · every · mean‖2ax‖²."""
    images = torch.rand(5, 1, 4, 4)
    penalty = R1Penalty(gamma=0.4, every=3)
    value = penalty(lambda x: 1.5 * x.square().sum((1, 2, 3)), images)
    expected = 0.4 / 2 * 3 * (3 * images).square().sum((1, 2, 3)).mean()
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)


def test_r1_reaches_the_discriminators_weights() -> None:
    """The penalty can be minimised: its gradient with respect to a weight is not zero."""
    weight = torch.tensor(2.0, requires_grad=True)
    R1Penalty(gamma=1.0)(lambda x: weight * x.sum((1, 2, 3)), torch.rand(2, 1, 3, 3)).backward()
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx(16 * 9 * 2.0, rel=1e-5)


def test_r1_refuses_a_negative_weight() -> None:
    """The error names both values."""
    with pytest.raises(
        ConfigError, match="gamma of at least 0 and every of at least 1, got -1 and 0"
    ):
        R1Penalty(gamma=-1, every=0)
