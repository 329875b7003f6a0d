"""The generator that is shown and saved: a moving average of the one that is trained."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from ._objective import Condition
from ._player import channels_last

NORM_EVERY = 10
"""Steps between looks at the average's own batch statistics; in the first steps, each has one."""


class MovingAverage:
    """An exponential moving average of a generator's weights.

    Early on it follows faster: min(decay, (1 + step) / (10 + step)). Its batch norms hold the
    statistics of the averaged network itself, which the trained one's don't fit: it is run in
    training mode on some of the latents (Izmailov et al. 2018, arXiv 1803.05407, section 3.2).

    Args:
        generator: the one that is trained.
        decay: share of the average that stays in a step; 0 for no average.
    """

    def __init__(self, generator: nn.Module, decay: float) -> None:
        self.network = deepcopy(generator).eval().requires_grad_(False)
        self.decay = decay
        self._norms = any(isinstance(layer, _NormBase) for layer in self.network.modules())

    @torch.no_grad()
    def grow_with(self, generator: nn.Module) -> None:
        """Catch up with a generator that has grown: what is new is as it is there."""
        network: Any = self.network
        network.alpha = generator.alpha
        if network.resolution == generator.resolution:
            return
        before = set(network.state_dict())
        with torch.random.fork_rng(devices=[]):
            while network.resolution < generator.resolution:
                network.grow()
        network.alpha = generator.alpha
        channels_last(network)
        there = generator.state_dict()
        for name, value in network.state_dict().items():
            if name not in before:
                value.copy_(there[name])
        self._norms = any(isinstance(layer, _NormBase) for layer in network.modules())

    @torch.no_grad()
    def update(self, generator: nn.Module, step: int, latent: Tensor, condition: Condition) -> None:
        """Follow the generator's step; `latent` and `condition` are what it was made by."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        averaged: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(averaged, list(generator.parameters()), weight)
        if self.decay == 0:
            buffers = zip(self.network.buffers(), generator.buffers(), strict=True)
            for average, current in buffers:
                average.copy_(current)
        elif self._norms and (step <= NORM_EVERY or step % NORM_EVERY == 0):
            self.network.train()
            self.network(latent, *condition)
            self.network.eval()
