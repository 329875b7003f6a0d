"""The learning rate of transformers: up at first, then down along a cosine."""

from math import cos, pi

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from ..errors import ConfigError


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
