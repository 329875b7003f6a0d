"""R1 and R2 against gradients known beforehand."""

import pytest
import torch
from torch import Tensor

from medaug.errors import ConfigError
from medaug.losses import Penalty, R1Penalty, R2Penalty

REAL = torch.linspace(0, 1, 80).view(5, 1, 4, 4)
FAKE = REAL.square().flip(0)[:3]
BOTH = pytest.mark.parametrize("kind", [R1Penalty, R2Penalty])


@pytest.mark.parametrize(
    ("kind", "images"), [(R1Penalty, REAL), (R2Penalty, FAKE)], ids=["r1", "r2"]
)
def test_penalty_of_a_quadratic_score(kind: type[R1Penalty | R2Penalty], images: Tensor) -> None:
    """For a score of Σ a·x² the gradient is 2ax: the penalty is γ/2 · every · mean‖2ax‖²."""
    slopes = torch.linspace(-1, 2, 16).view(1, 4, 4)
    penalty = kind(gamma=0.4, every=3)
    value = penalty(lambda x: (slopes * x.square()).sum((1, 2, 3)), REAL, FAKE)
    gradients = 2 * slopes.double() * images.double()
    expected = 0.4 / 2 * 3 * gradients.square().sum((1, 2, 3)).mean()
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    assert value.dtype == torch.float32


@BOTH
def test_penalty_reaches_weights_but_not_images(kind: type[R1Penalty | R2Penalty]) -> None:
    """The discriminator can minimise it; the generator, whose images these are, gets nothing."""
    weight = torch.tensor(2.0, requires_grad=True)
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    kind(gamma=1.0, every=2)(lambda x: weight * x.sum((1, 2, 3)), real, fake).backward()
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx(2 * 16 * 2.0, rel=1e-5)
    assert real.grad is None
    assert fake.grad is None


@BOTH
def test_penalty_is_computed_in_float32_under_autocast(kind: type[R1Penalty | R2Penalty]) -> None:
    """Squares of bfloat16 gradients would be off by a percent."""
    linear = torch.nn.Linear(16, 1)
    with torch.autocast("cpu", torch.bfloat16):
        value = kind(gamma=2.0, every=1)(lambda x: linear(x.flatten(1)), REAL, FAKE)
    assert value.item() == pytest.approx(linear.weight.square().sum().item(), rel=1e-6)


def test_penalties_are_logged_under_their_names() -> None:
    """Both may be used at once."""
    penalties: list[Penalty] = [R1Penalty(gamma=1.0), R2Penalty(gamma=1.0, every=1)]
    assert [(penalty.name, penalty.every) for penalty in penalties] == [("r1", 16), ("r2", 1)]


@BOTH
@pytest.mark.parametrize(("gamma", "every"), [(-1, 4), (1.0, 0)])
def test_refuses_numbers_out_of_range(
    kind: type[R1Penalty | R2Penalty], gamma: float, every: int
) -> None:
    """The error names the penalty and both values."""
    text = f"gamma of at least 0 and every of at least 1, got {gamma} and {every}"
    with pytest.raises(ConfigError, match=f"{kind.name.upper()} needs {text}"):
        kind(gamma=gamma, every=every)
