"""What networks are trained to minimise: adversarial losses and penalties on the discriminator."""

from ._adversarial import AdversarialLoss, NonSaturatingLoss
from ._penalties import Penalty, R1Penalty

__all__ = ["AdversarialLoss", "NonSaturatingLoss", "Penalty", "R1Penalty"]
