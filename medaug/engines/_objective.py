"""Objectives: the mathematics of a GAN, apart from the engine that carries it out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..losses import AdversarialLoss, NonSaturatingLoss

Condition = tuple[Tensor, ...]
"""What the generator is told beside the latent vectors, as its further positional arguments."""


class Losses(NamedTuple):
    """One player's loss.

    Attributes:
        total: the scalar to minimise.
        adversarial: its adversarial part alone, a scalar.
        parts: further named scalars to log.
    """

    total: Tensor
    adversarial: Tensor
    parts: dict[str, Tensor]


class Objective(ABC):
    """What two networks play for. The engine calls it; a new GAN is a new subclass.

    `real` and `fake` are what the discriminator returned for a batch of each; only the objective
    knows what that is.
    """

    @abstractmethod
    def prepare_batch(self, batch: Mapping[str, Any]) -> tuple[Tensor, Condition]:
        """Take the real images, and the condition to make as many fake ones by, from a batch."""

    @abstractmethod
    def discriminate(self, discriminator: nn.Module, images: Tensor, condition: Condition) -> Any:
        """Run the discriminator, all of its heads."""

    @abstractmethod
    def score(self, output: Any) -> Tensor:
        """The real-or-fake logits, (N,), in a discriminator's output."""

    @abstractmethod
    def discriminator_loss(self, real: Any, fake: Any, condition: Condition) -> Losses:
        """The discriminator's loss from its outputs for real and fake images."""

    @abstractmethod
    def generator_loss(self, fake: Any, condition: Condition) -> Losses:
        """The generator's loss from the discriminator's output for fake images."""


class ACGANObjective(Objective):
    """Source and class: both players want images that show their class.

    L_D = L_S + w · L_C and L_G = −L_S(fake) + w · L_C(fake), where L_S is the adversarial loss and
    L_C the cross-entropy of the class head. Source: Odena et al. 2017 (arXiv 1610.09585),
    eqs. 2 and 3, there with w = 1; a small weight keeps the generator from drifting towards
    samples that are easy to classify.

    Args:
        class_weight: w.
        adversarial: the adversarial loss; binary cross-entropy by default.
        image_key: key of the images in a batch, (N, C, H, W) in [0, 1].
        label_key: key of the class labels in a batch, (N,) int64.
    """

    def __init__(
        self,
        *,
        class_weight: float = 0.1,
        adversarial: AdversarialLoss | None = None,
        image_key: str = "image",
        label_key: str = "label",
    ) -> None:
        self.class_weight = class_weight
        self.adversarial: AdversarialLoss = adversarial or NonSaturatingLoss()
        self.image_key = image_key
        self.label_key = label_key

    def prepare_batch(self, batch: Mapping[str, Any]) -> tuple[Tensor, Condition]:
        """Images, and their own labels for the fake ones: the data's (balanced) class mix."""
        return batch[self.image_key], (batch[self.label_key],)

    def discriminate(
        self, discriminator: nn.Module, images: Tensor, condition: Condition
    ) -> tuple[Tensor, Tensor]:
        """Source score and class logits; the discriminator is not told the label."""
        del condition
        source, classes = discriminator(images)
        return source.float(), classes.float()

    def score(self, output: tuple[Tensor, Tensor]) -> Tensor:
        """The source score."""
        return output[0]

    def discriminator_loss(
        self, real: tuple[Tensor, Tensor], fake: tuple[Tensor, Tensor], condition: Condition
    ) -> Losses:
        """L_D: the class head learns on real and fake images."""
        (label,) = condition
        adversarial = self.adversarial.discriminator(real[0], fake[0])
        classes = F.cross_entropy(real[1], label) + F.cross_entropy(fake[1], label)
        parts = {"d_class_loss": classes, "class_accuracy_real": _accuracy(real[1], label)}
        return Losses(adversarial + self.class_weight * classes, adversarial, parts)

    def generator_loss(self, fake: tuple[Tensor, Tensor], condition: Condition) -> Losses:
        """L_G."""
        (label,) = condition
        adversarial = self.adversarial.generator(fake[0])
        classes = F.cross_entropy(fake[1], label)
        parts = {"g_class_loss": classes, "class_accuracy_fake": _accuracy(fake[1], label)}
        return Losses(adversarial + self.class_weight * classes, adversarial, parts)


def _accuracy(logits: Tensor, label: Tensor) -> Tensor:
    return (logits.argmax(1) == label).to(torch.float32).mean()
