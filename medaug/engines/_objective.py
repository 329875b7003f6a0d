"""Objectives: the mathematics of a GAN, apart from the engine that carries it out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

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

    Attributes:
        adversarial: the adversarial loss; binary cross-entropy by default.
        image_key: key of the images in a batch, (N, C, H, W) in [0, 1].
        label_key: key of the class labels in a batch, (N,) int64.
        step: the iteration under way, from 1; set by the engine.
    """

    def __init__(
        self,
        *,
        adversarial: AdversarialLoss | None = None,
        image_key: str = "image",
        label_key: str = "label",
    ) -> None:
        self.adversarial: AdversarialLoss = adversarial or NonSaturatingLoss()
        self.image_key = image_key
        self.label_key = label_key
        self.step = 0

    @property
    def probabilistic(self) -> bool:
        """Whether the sigmoid of a score is the probability of being real."""
        return self.adversarial.probabilistic

    @property
    def paired(self) -> bool:
        """Whether the generator's loss needs the discriminator's output for real images."""
        return self.adversarial.paired

    def prepare_batch(self, batch: Mapping[str, Any]) -> tuple[Tensor, Condition]:
        """Real images, and their own labels to make the fake ones by: the batch's class mix."""
        return batch[self.image_key], (batch[self.label_key],)

    def weight(self, ramp: int) -> float:
        """0 at the first step, growing evenly to 1 within `ramp` steps; 1 without a ramp."""
        return min(1.0, self.step / ramp) if ramp else 1.0

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint has to keep of it, as tensors and plain values; usually nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        del state

    @abstractmethod
    def discriminate(self, discriminator: nn.Module, images: Tensor, condition: Condition) -> Any:
        """Run the discriminator, all of its heads."""

    @abstractmethod
    def score(self, output: Any) -> Tensor:
        """The real-or-fake scores, (N,), in a discriminator's output."""

    @abstractmethod
    def discriminator_loss(self, real: Any, fake: Any, condition: Condition) -> Losses:
        """The discriminator's loss from its outputs for real and fake images."""

    @abstractmethod
    def generator_loss(self, fake: Any, condition: Condition, real: Any = None) -> Losses:
        """The generator's loss from the discriminator's output for fake images.

        `real`, its output for real ones without gradients, is there if `paired`.
        """


class _ScoredObjective(Objective):
    """The adversarial loss of one score, and nothing else."""

    def discriminator_loss(self, real: Any, fake: Any, condition: Condition) -> Losses:
        """Loss_D."""
        del condition
        loss = self.adversarial.discriminator(self.score(real), self.score(fake))
        return Losses(loss, loss, {})

    def generator_loss(self, fake: Any, condition: Condition, real: Any = None) -> Losses:
        """Loss_G."""
        del condition
        loss = self.adversarial.generator(
            self.score(fake), self.score(real) if real is not None else None
        )
        return Losses(loss, loss, {})


class DCGANObjective(_ScoredObjective):
    """Real or made, and nothing else: labels are not looked at.

    Source: Radford et al. 2016 (arXiv 1511.06434), with Goodfellow et al. 2014 (arXiv 1406.2661),
    section 3, for the losses: Loss_D = −[log D(x) + log(1 − D(G(z)))], Loss_G = −log D(G(z)).
    """

    def prepare_batch(self, batch: Mapping[str, Any]) -> tuple[Tensor, Condition]:
        """Real images; the generator is told nothing."""
        return batch[self.image_key], ()

    def discriminate(
        self, discriminator: nn.Module, images: Tensor, condition: Condition
    ) -> Tensor:
        """The score of a discriminator that returns it as the first of a tuple."""
        del condition
        score: Tensor = discriminator(images)[0]
        return score.float()

    def score(self, output: Tensor) -> Tensor:
        """The score."""
        return output


class ConditionalObjective(_ScoredObjective):
    """Is this a real image of this class: both networks are told the label.

    Sources: Mirza & Osindero 2014 (arXiv 1411.1784), eq. 2; for a discriminator that scores image
    and label apart, Miyato & Koyama 2018 (arXiv 1802.05637), eq. 3.

    Args:
        ramp: steps within which what the label adds to the score grows from nothing to all of it,
            against collapse on few images (Shahbazi et al. 2022, arXiv 2201.06578); 0 for at once.
        adversarial, image_key, label_key: see `Objective`.
    """

    def __init__(self, *, ramp: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.ramp = ramp

    def discriminate(
        self, discriminator: nn.Module, images: Tensor, condition: Condition
    ) -> Tensor:
        """The score of the image, and what its label adds to it."""
        (label,) = condition
        image_score, label_score = discriminator(images, label)
        score: Tensor = image_score.float() + self.weight(self.ramp) * label_score.float()
        return score

    def score(self, output: Tensor) -> Tensor:
        """The score."""
        return output
