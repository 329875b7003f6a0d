"""Penalties on the discriminator, which the engine applies every few steps."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from ..errors import ConfigError


class Penalty(Protocol):
    """What the engine needs of a penalty.

    Attributes:
        name: under which its value is logged.
        every: it is applied when the step number is a multiple of this.
    """

    name: str
    every: int

    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
        """The penalty, a scalar, of the scoring function at the real images."""


class R1Penalty:
    """Half of gamma times the squared gradient of the score at real images.

    R1 = γ/2 · E‖∇ D(x)‖², summed over pixels of images in [0, 1] and averaged over the batch;
    multiplied by `every` when applied lazily, so that γ keeps its meaning.
    Sources: Mescheder et al. 2018 (arXiv 1801.04406), eq. 9; lazy form: Karras et al. 2020
    (arXiv 1912.04958), appendix B.

    Args:
        gamma: weight γ, at least 0. For images in [0, 1] the gradients are twice those for images
            in [−1, 1], so γ here is a quarter of what papers print.
        every: apply it each so many steps.

    Raises:
        ConfigError: gamma is negative or `every` is below 1.
    """

    name = "r1"

    def __init__(self, gamma: float, every: int = 16) -> None:
        if gamma < 0 or every < 1:
            raise ConfigError(
                f"R1 needs gamma of at least 0 and every of at least 1, got {gamma} and {every}"
            )
        self.gamma = gamma
        self.every = every

    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
        """The penalty of `score` at `real`, in float32."""
        with torch.autocast(real.device.type, enabled=False):
            images = real.detach().float().requires_grad_()
            (gradient,) = torch.autograd.grad(score(images).sum(), images, create_graph=True)
        squared_norm: Tensor = gradient.flatten(1).square().sum(1).mean()
        return squared_norm * (self.gamma / 2 * self.every)
