"""The learning rate over a training."""

import pytest
import torch

from medaug.engines import LinearDecay
from medaug.errors import ConfigError


def rates(max_epochs: int, start: float) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.8)
    schedule = LinearDecay(optimizer, max_epochs, start=start)
    found = []
    for _ in range(max_epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return [*found, optimizer.param_groups[0]["lr"]]


def test_the_second_half_falls_evenly_to_zero() -> None:
    """Eight epochs; the ninth, which doesn't come, would have none."""
    assert rates(8, 0.5) == pytest.approx([0.8, 0.8, 0.8, 0.8, 0.8, 0.6, 0.4, 0.2, 0.0])


def test_it_may_fall_from_the_beginning() -> None:
    """Start 0."""
    assert rates(4, 0.0) == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0])


@pytest.mark.parametrize(("max_epochs", "start"), [(0, 0.5), (4, 1.0), (4, -0.1)])
def test_what_it_needs(max_epochs: int, start: float) -> None:
    """In one line."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.8)
    with pytest.raises(ConfigError, match=r"LinearDecay needs max_epochs of at least 1"):
        LinearDecay(optimizer, max_epochs, start=start)
