"""A network with what moves it."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ._distributed import average_gradients


class Player:
    """A network, its optimiser, and its loss scaler.

    Args:
        network: on its device.
        optimizer: of the network's parameters.
        clip_norm: largest norm of all gradients together; None leaves them.
        scaled: whether losses are scaled, for float16.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        clip_norm: float | None,
        scaled: bool,
    ) -> None:
        self.network = network
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        device = next(network.parameters()).device
        self.scaler = torch.amp.GradScaler(device.type, enabled=scaled)

    def backward(self, loss: Tensor) -> None:
        """Add a loss's gradients to those that are there."""
        scaled: Tensor = self.scaler.scale(loss)
        scaled.backward()

    def gather(self) -> None:
        """Make the gradients those of all ranks' batches, and clip them."""
        average_gradients(self.network.parameters())
        if self.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip_norm)

    def step(self) -> None:
        """Move the network by the mean gradients of all ranks."""
        self.gather()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, as tensors and plain values."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave.

        Raises:
            ValueError: the optimiser was another one; what was configured now would go unheeded.
        """
        _refuse_other_groups(state["optimizer"]["param_groups"], self.optimizer.param_groups)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])


def _refuse_other_groups(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> None:
    for old, new in zip(before, now, strict=True):
        # A scheduler, which may move any of them, leaves the first learning rate there.
        names = ("initial_lr",) if "initial_lr" in new else tuple(old.keys() & new.keys())
        for name in sorted(set(names) - {"params"}):
            if old.get(name) != new[name]:
                raise ValueError(f"{name} was {old.get(name)} there, got {new[name]}")


def channels_last(network: nn.Module) -> nn.Module:
    """Lay the weights out as convolutions in half precision are fastest."""
    to: Callable[..., nn.Module] = network.to  # older stubs of torch don't know this argument
    return to(memory_format=torch.channels_last)
