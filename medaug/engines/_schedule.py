"""Learning rates over a training."""

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
