"""Learning rates over a training."""

from math import cos, pi

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from ..errors import ConfigError


class LinearDecay(LRScheduler):
    """Constant at first, then linear towards zero, which the epoch after the last would have.

    So that the trained generator and its moving average meet at the end. Source: the schedule of
    pix2pix and CycleGAN (Zhu et al. 2017, arXiv 1703.10593, section 4).

    Args:
        optimizer: its learning rates are those of the beginning.
        max_epochs: of the training.
        start: share of the training after which the decay begins, in [0, 1).

    Raises:
        ConfigError: `start` is out of range, or there is no epoch.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, max_epochs: int, *, start: float = 0.5
    ) -> None:
        if max_epochs < 1 or not 0 <= start < 1:
            raise ConfigError(
                "LinearDecay needs max_epochs of at least 1 and start in [0, 1), got "
                f"{max_epochs} and {start}"
            )
        self.max_epochs = max_epochs
        self.start = start
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """The learning rates of the epoch that comes."""
        left = (self.max_epochs - self.last_epoch) / (self.max_epochs * (1 - self.start))
        return [float(rate) * max(0.0, min(1.0, left)) for rate in self.base_lrs]


class WarmupCosine(LRScheduler):
    """Linear up to the optimiser's learning rate, then half a cosine towards zero.

    Step it after each iteration. Sources: the cosine without restarts of Loshchilov and Hutter 2017
    (arXiv 1608.03983, section 3); the warm-up of Vaswani et al. 2017 (arXiv 1706.03762, 5.3).

    Args:
        optimizer: its learning rates are those of the summit.
        total: iterations of the training.
        warmup: share of them that goes up, in [0, 1).

    Raises:
        ConfigError: `warmup` is out of range, or there is no iteration.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, total: int, *, warmup: float = 0.1
    ) -> None:
        if total < 1 or not 0 <= warmup < 1:
            raise ConfigError(
                "WarmupCosine needs a total of at least 1 and warmup in [0, 1), got "
                f"{total} and {warmup}"
            )
        self.total = total
        self.ascent = int(total * warmup)
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """The learning rates of the iteration that comes."""
        done = self.last_epoch  # the base class counts steps by this name
        if done < self.ascent:
            share = (done + 1) / (self.ascent + 1)
        else:
            share = (1 + cos(pi * min(1.0, (done - self.ascent) / (self.total - self.ascent)))) / 2
        return [float(rate) * share for rate in self.base_lrs]
