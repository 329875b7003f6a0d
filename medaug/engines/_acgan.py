"""The objective of ACGAN."""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ConfigError
from ._objective import Condition, Losses, Objective

Output = tuple[Tensor, Tensor]
"""Source scores (N,) and class logits (N, num_classes)."""


class ACGANObjective(Objective):
    """Source and class: both players want images that show their class.

    L_D = L_S + w · L_C and L_G = −L_S(fake) + w · L_C(fake), where L_S is the adversarial loss and
    L_C the cross-entropy of the class head. Source: Odena et al. 2017 (arXiv 1610.09585),
    eqs. 2 and 3, there with w = 1; a small weight keeps the generator from drifting towards
    samples that are easy to classify.

    Args:
        class_weight: w.
        class_head: what the class head learns on: "both" real and made images, as published, or
            "real" ones only.
        ramp: steps within which w grows from 0; 0 for at once.
        adversarial, image_key, label_key: see `Objective`.

    Raises:
        ConfigError: `class_head` is neither.
    """

    def __init__(
        self,
        *,
        class_weight: float = 0.1,
        class_head: Literal["both", "real"] = "both",
        ramp: int = 0,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if class_head not in ("both", "real"):
            raise ConfigError(f"class_head must be 'both' or 'real', got {class_head!r}")
        self.class_weight = class_weight
        self.class_head = class_head
        self.ramp = ramp

    def discriminate(
        self, discriminator: nn.Module, images: Tensor, condition: Condition
    ) -> Output:
        """Source score and class logits; a discriminator without projection ignores the label."""
        source, classes = discriminator(images, *condition)
        return source.float(), classes.float()

    def score(self, output: Output) -> Tensor:
        """The source score."""
        return output[0]

    def discriminator_loss(self, real: Output, fake: Output, condition: Condition) -> Losses:
        """L_D."""
        (label,) = condition
        adversarial = self.adversarial.discriminator(real[0], fake[0])
        classes = F.cross_entropy(real[1], label)
        if self.class_head == "both":
            classes = classes + F.cross_entropy(fake[1], label)
        parts = {"d_class_loss": classes, "class_accuracy_real": _accuracy(real[1], label)}
        return Losses(adversarial + self._class_weight() * classes, adversarial, parts)

    def generator_loss(
        self, fake: Output, condition: Condition, real: Output | None = None
    ) -> Losses:
        """L_G."""
        (label,) = condition
        adversarial = self.adversarial.generator(fake[0], real[0] if real is not None else None)
        classes = F.cross_entropy(fake[1], label)
        parts = {"g_class_loss": classes, "class_accuracy_fake": _accuracy(fake[1], label)}
        return Losses(adversarial + self._class_weight() * classes, adversarial, parts)

    def _class_weight(self) -> float:
        return self.class_weight * self.weight(self.ramp)


def _accuracy(logits: Tensor, label: Tensor) -> Tensor:
    return (logits.argmax(1) == label).to(torch.float32).mean()
