"""Adversarial losses: from the discriminator's scores to a number for each of the two players."""

from typing import Protocol

from torch import Tensor
from torch.nn import functional as F


class AdversarialLoss(Protocol):
    """What an objective needs of an adversarial loss.

    Shape: scores (N,), logits that are positive for real; losses are scalars.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss from its scores of real and fake images."""

    def generator(self, fake: Tensor) -> Tensor:
        """The generator's loss from the scores of its images."""


class NonSaturatingLoss:
    """Binary cross-entropy; the generator maximises log D(G(z)).

    Loss_D = −[log D(x) + log(1 − D(G(z)))] and Loss_G = −log D(G(z)), means over the batch, in
    float32 through softplus, so that no logarithm of zero can arise.
    Source: Goodfellow et al. 2014 (arXiv 1406.2661), section 3.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss_D."""
        return F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """Loss_G."""
        return F.softplus(-fake.float()).mean()
