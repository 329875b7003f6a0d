"""What networks are trained to minimise: adversarial losses and penalties on the discriminator."""

from ._adversarial import AdversarialLoss, HingeLoss, NonSaturatingLoss, RelativisticLoss
from ._penalties import Penalty, R1Penalty, R2Penalty

__all__ = [
    "AdversarialLoss",
    "HingeLoss",
    "NonSaturatingLoss",
    "Penalty",
    "R1Penalty",
    "R2Penalty",
    "RelativisticLoss",
]
