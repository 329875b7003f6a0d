"""Adversarial losses against their formulas, written out in float64."""

import math
from collections.abc import Callable

import pytest
import torch

from medaug.errors import ConfigError
from medaug.losses import AdversarialLoss, HingeLoss, NonSaturatingLoss, RelativisticLoss

REAL, FAKE = [0.3, -1.2, 4.0], [-0.7, 2.5, 0.0]
Formula = Callable[[float, float], float]


def log_sigmoid(x: float) -> float:
    return math.log(1 / (1 + math.exp(-x)))


def cross_entropy(real: float, fake: float) -> float:
    return -log_sigmoid(real) - math.log(1 - 1 / (1 + math.exp(-fake)))


def non_saturating(real: float, fake: float) -> float:
    del real
    return -log_sigmoid(fake)


def smoothed(real: float, fake: float) -> float:
    """Targets 0.9 and 0."""
    return cross_entropy(real, fake) + 0.1 * log_sigmoid(real) - 0.1 * log_sigmoid(-real)


def hinge(real: float, fake: float) -> float:
    return max(0, 1 - real) + max(0, 1 + fake)


def wasserstein(real: float, fake: float) -> float:
    del real
    return -fake


CASES: list[tuple[AdversarialLoss, Formula, Formula]] = [
    (NonSaturatingLoss(), cross_entropy, non_saturating),
    (NonSaturatingLoss(label_smoothing=0.1), smoothed, non_saturating),
    (HingeLoss(), hinge, wasserstein),
    (
        RelativisticLoss(),
        lambda real, fake: -log_sigmoid(real - fake),
        lambda real, fake: -log_sigmoid(fake - real),
    ),
]
IDS = ["cross-entropy", "smoothed", "hinge", "relativistic"]


def mean(formula: Formula) -> float:
    return sum(map(formula, REAL, FAKE)) / len(REAL)


@pytest.mark.parametrize(("loss", "of_d", "of_g"), CASES, ids=IDS)
def test_losses_are_their_formulas(loss: AdversarialLoss, of_d: Formula, of_g: Formula) -> None:
    """Means over the batch."""
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    assert loss.discriminator(real, fake).item() == pytest.approx(mean(of_d), rel=1e-6)
    assert loss.generator(fake, real).item() == pytest.approx(mean(of_g), rel=1e-6)


@pytest.mark.parametrize("loss", [case[0] for case in CASES], ids=IDS)
def test_losses_are_float32_and_finite_for_certain_scores(loss: AdversarialLoss) -> None:
    """Where log(1 − D) would be the logarithm of zero, and scores come in bfloat16."""
    sure = torch.tensor([200.0], dtype=torch.bfloat16, requires_grad=True)
    for value in (loss.discriminator(-sure, sure), loss.generator(-sure, sure)):
        assert value.dtype == torch.float32
        assert 150 < value.item() < 450
        value.backward()
    assert sure.grad is not None
    assert sure.grad.isfinite().all()


def test_smoothed_discriminator_aims_at_one_minus_s() -> None:
    """At D(x) = 1 − s the real scores get no gradient; fake ones do as ever."""
    real = torch.tensor([math.log(0.8 / 0.2)], dtype=torch.float64, requires_grad=True)
    fake = torch.tensor([0.4], requires_grad=True)
    NonSaturatingLoss(label_smoothing=0.2).discriminator(real, fake).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert real.grad.item() == pytest.approx(0, abs=1e-7)
    assert fake.grad.item() == pytest.approx(1 / (1 + math.exp(-0.4)), rel=1e-6)


def test_hinge_leaves_scores_beyond_the_margin_alone() -> None:
    """Real above 1, fake below −1: no loss and no gradient; inside, slope 1."""
    real = torch.tensor([1.5, 0.5], requires_grad=True)
    fake = torch.tensor([-1.5, -0.5], requires_grad=True)
    HingeLoss().discriminator(real, fake).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert real.grad.tolist() == [0, -0.5]
    assert fake.grad.tolist() == [0, 0.5]


def test_relativistic_loss_sees_only_differences() -> None:
    """A constant added to all scores changes nothing; equal scores give log 2."""
    loss, real, fake = RelativisticLoss(), torch.tensor(REAL), torch.tensor(FAKE)
    moved = loss.discriminator(real + 7, fake + 7)
    assert moved.item() == pytest.approx(loss.discriminator(real, fake).item(), rel=1e-5)
    assert loss.generator(real, real).item() == pytest.approx(math.log(2), rel=1e-6)
    # Pairs matter: this is not a loss of the two means.
    other = loss.discriminator(real, fake.flip(0)).item()
    assert other != pytest.approx(mean(CASES[3][1]), rel=0.01)


def test_relativistic_generator_needs_real_scores() -> None:
    """It says so, where the engine forgot them."""
    with pytest.raises(ConfigError, match="real must be the scores of the paired real images"):
        RelativisticLoss().generator(torch.zeros(2))


@pytest.mark.parametrize("loss", [NonSaturatingLoss(), HingeLoss()], ids=["bce", "hinge"])
def test_other_generators_ignore_real_scores(loss: AdversarialLoss) -> None:
    """So that an engine may pass them always."""
    fake = torch.tensor(FAKE)
    assert torch.equal(loss.generator(fake), loss.generator(fake, torch.tensor(REAL)))


def test_losses_say_what_the_engine_needs_to_know() -> None:
    """Whether a sigmoid of a score is a probability, and whether pairs are needed."""
    kinds = {type(loss): (loss.probabilistic, loss.paired) for loss, _, _ in CASES}
    assert kinds == {
        NonSaturatingLoss: (True, False),
        HingeLoss: (False, False),
        RelativisticLoss: (False, True),
    }


@pytest.mark.parametrize("smoothing", [-0.1, 0.5, float("nan")])
def test_refuses_a_smoothing_out_of_range(smoothing: float) -> None:
    """At a half, real images would be no more real than not."""
    with pytest.raises(ConfigError, match=f"at least 0 and below 0.5, got {smoothing}"):
        NonSaturatingLoss(label_smoothing=smoothing)
