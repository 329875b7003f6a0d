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

    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        """The penalty, a scalar, of the scoring function at real and generated images."""


class _SquaredGradient:
    """Half of gamma times the squared gradient of the score, multiplied by `every`."""

    name: str

    def __init__(self, gamma: float, every: int = 16) -> None:
        if gamma < 0 or every < 1:
            raise ConfigError(
                f"{self.name.upper()} needs gamma of at least 0 and every of at least 1, "
                f"got {gamma} and {every}"
            )
        self.gamma = gamma
        self.every = every

    def _at(self, images: Tensor, score: Callable[[Tensor], Tensor]) -> Tensor:
        with torch.autocast(images.device.type, enabled=False):
            images = images.detach().float().requires_grad_()
            (gradient,) = torch.autograd.grad(score(images).sum(), images, create_graph=True)
        squared_norm: Tensor = gradient.flatten(1).square().sum(1).mean()
        return squared_norm * (self.gamma / 2 * self.every)


class R1Penalty(_SquaredGradient):
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

    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        """The penalty of `score` at `real`; float32, unless `score` itself computes lower."""
        del fake
        return self._at(real, score)


class R2Penalty(_SquaredGradient):
    """Half of gamma times the squared gradient of the score at generated images.

    R2 = γ/2 · E‖∇ D(G(z))‖², otherwise as `R1Penalty`; the generator gets no gradient from it.
    Source: Mescheder et al. 2018 (arXiv 1801.04406), eq. 10.

    Args:
        gamma: weight γ, at least 0, for images in [0, 1].
        every: apply it each so many steps.

    Raises:
        ConfigError: gamma is negative or `every` is below 1.
    """

    name = "r2"

    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        """The penalty of `score` at `fake`; float32, unless `score` itself computes lower."""
        del real
        return self._at(fake, score)
