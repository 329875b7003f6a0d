"""Adversarial losses: from the discriminator's scores to a number for each of the two players."""

from typing import Protocol

from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError


class AdversarialLoss(Protocol):
    """What an objective needs of an adversarial loss.

    Attributes:
        probabilistic: whether the sigmoid of a score is the probability of being real.
        paired: whether the generator's loss needs the scores of real images too.

    Shape: scores (N,), positive for real; losses are float32 scalars.
    """

    probabilistic: bool
    paired: bool

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss from its scores of real and fake images."""

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """The generator's loss from the scores of its images, and of real ones if `paired`."""


class NonSaturatingLoss:
    """Binary cross-entropy; the generator maximises log D(G(z)).

    Loss_D = −[log D(x) + log(1 − D(G(z)))] and Loss_G = −log D(G(z)), means over the batch, in
    float32 through softplus, so that no logarithm of zero can arise. With label smoothing s,
    log D(x) becomes (1 − s) log D(x) + s log(1 − D(x)), and D is at its best at D(x) = 1 − s where
    there are only real images.
    Sources: Goodfellow et al. 2014 (arXiv 1406.2661), section 3; one-sided smoothing: Salimans et
    al. 2016 (arXiv 1606.03498), section 3.4.

    Args:
        label_smoothing: s, in [0, 0.5): how far the target of real images lies below 1; that of
            fake ones stays 0.

    Raises:
        ConfigError: the smoothing is out of range.
    """

    probabilistic = True
    paired = False

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 0.5:
            raise ConfigError(
                f"label_smoothing must be at least 0 and below 0.5, got {label_smoothing}"
            )
        self.label_smoothing = label_smoothing

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss_D."""
        real, fake = real.float(), fake.float()
        # softplus(x) − softplus(−x) = x
        smoothing = self.label_smoothing * real.mean()
        return F.softplus(-real).mean() + smoothing + F.softplus(fake).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Loss_G."""
        del real
        return F.softplus(-fake.float()).mean()


class HingeLoss:
    """Only scores on the wrong side of a margin of 1 teach the discriminator.

    Loss_D = max(0, 1 − D(x)) + max(0, 1 + D(G(z))) and Loss_G = −D(G(z)), means over the batch, in
    float32. Sources: Lim & Ye 2017 (arXiv 1705.02894); Miyato et al. 2018 (arXiv 1802.05957),
    eqs. 16 and 17.
    """

    probabilistic = False
    paired = False

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss_D."""
        return F.relu(1 - real.float()).mean() + F.relu(1 + fake.float()).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Loss_G."""
        del real
        return -fake.float().mean()


class RelativisticLoss:
    """Each fake image is judged beside a real one: only the difference of their scores counts.

    Loss_D = −log σ(D(x) − D(G(z))) and Loss_G = −log σ(D(G(z)) − D(x)), means over pairs, in
    float32; the i-th real image is paired with the i-th fake one. It needs R1 and R2 beside it to
    converge. Sources: Huang et al. 2024 (R3GAN, arXiv 2501.05441), eqs. 2 and 3; Jolicoeur-
    Martineau 2018 (arXiv 1807.00734). Written from the papers alone.
    """

    probabilistic = False
    paired = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss_D."""
        return F.softplus(fake.float() - real.float()).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Loss_G.

        Raises:
            ConfigError: there are no scores of real images.
        """
        if real is None:
            raise ConfigError("real must be the scores of the paired real images, got None")
        return F.softplus(real.float() - fake.float()).mean()
