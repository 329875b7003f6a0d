"""The objective of HR-GAN-DTCR."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..losses import TemporalConsistencyLoss, ValidatedWeight, feature_matching
from ..networks import fade_in
from ._growth import Growth
from ._objective import Condition, Losses, Objective

LEVEL_EVERY = 16
"""Steps between looks at the real level where the loss doesn't need it."""


class Judged(NamedTuple):
    """Sequences, and what the discriminators say of them.

    Attributes:
        images: (N, C, T, H, W).
        frames: scores of frames, one tensor a scale.
        clips: scores of windows.
        features: of all layers.
    """

    images: Tensor
    frames: list[Tensor]
    clips: list[Tensor]
    features: list[Tensor]


class CineObjective(Objective):
    """Frames and windows that pass for real, features as real ones have, and steady sequences.

    L_D = A_D(frames) + c · A_D(clips) and L_G = A_G(frames) + c · A_G(clips) + m · FM + DTCR, where
    A is the adversarial loss, averaged over scales, FM is `medaug.losses.feature_matching` and DTCR
    `medaug.losses.TemporalConsistencyLoss`. Real images fade in as the generator's do. The networks
    are a `medaug.networks.CineGenerator` and a `CineDiscriminator`, told the same.

    Logged beside L_G's parts: ``dtcr_fake`` and ``dtcr_real``, the levels without λ (the real one
    every 16th step where it isn't needed), and ``lambda``.

    Args:
        temporal: DTCR; None for none.
        schedule: λ by step; None leaves `temporal.weight`.
        growth: of the training; None if it doesn't grow.
        matching: m; 0 leaves features alone.
        clip_weight: c.
        temporal_sequences: how many sequences of a micro-batch DTCR looks at; None for all.
        adversarial, image_key: see `Objective`.

    Raises:
        ConfigError: a weight is below 0, or no sequence is looked at.
    """

    paired = True

    def __init__(
        self,
        *,
        temporal: TemporalConsistencyLoss | None = None,
        schedule: Callable[[int], float] | None = None,
        growth: Growth | None = None,
        matching: float = 10.0,
        clip_weight: float = 1.0,
        temporal_sequences: int | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if min(matching, clip_weight) < 0 or temporal_sequences == 0:
            raise ConfigError(
                "matching and clip_weight must be at least 0, temporal_sequences at least 1, "
                f"got {matching}, {clip_weight} and {temporal_sequences}"
            )
        self.temporal = temporal
        self.schedule = schedule
        self.growth = growth
        self.matching = matching
        self.clip_weight = clip_weight
        self.temporal_sequences = temporal_sequences

    def prepare_batch(self, batch: Mapping[str, Any]) -> tuple[Tensor, Condition]:
        """Real sequences as far as they have faded in; modality, conditions and phases."""
        alpha = self.growth.alpha(self.step) if self.growth is not None else 1.0
        told = tuple(batch[name] for name in ("modality", "conditions", "phase"))
        return fade_in(batch[self.image_key], alpha), told

    def discriminate(
        self, discriminator: nn.Module, images: Tensor, condition: Condition
    ) -> Judged:
        """Scores and features of both discriminators, beside what they saw."""
        frames, clips, features = discriminator(images, *condition)
        return Judged(images, frames, clips, features)

    def score(self, output: Judged) -> Tensor:
        """(N,): the mean of a sequence's scores, of each scale, then of all scales."""
        num = len(output.images)
        scales = [score.float().reshape(num, -1).mean(1) for score in _scales(output)]
        return torch.stack(scales).mean(0)

    def discriminator_loss(self, real: Judged, fake: Judged, condition: Condition) -> Losses:
        """L_D."""
        del condition
        loss = self.adversarial.discriminator
        frames = _mean(loss, real.frames, fake.frames)
        clips = _mean(loss, real.clips, fake.clips)
        total = frames + self.clip_weight * clips
        return Losses(total, total, {"d_frames": frames, "d_clips": clips})

    def generator_loss(
        self, fake: Judged, condition: Condition, real: Judged | None = None
    ) -> Losses:
        """L_G.

        Raises:
            ConfigError: there are no real sequences beside.
        """
        del condition
        if real is None:
            raise ConfigError("real must be what is said of real sequences, got None")
        loss = self.adversarial.generator
        frames, clips = _mean(loss, fake.frames, real.frames), _mean(loss, fake.clips, real.clips)
        adversarial = frames + self.clip_weight * clips
        parts = {"g_frames": frames, "g_clips": clips}
        total = adversarial
        if self.matching:
            parts["matching"] = feature_matching(real.features, fake.features)
            total = total + self.matching * parts["matching"]
        if self.temporal is not None:
            parts |= self._steadiness(self.temporal, fake.images, real.images)
            total = total + parts["dtcr"]
        return Losses(total, adversarial, parts)

    def state_dict(self) -> dict[str, Any]:
        """λ, where validation moves it."""
        schedule = self.schedule
        return {"lambda": schedule.value} if isinstance(schedule, ValidatedWeight) else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        if isinstance(self.schedule, ValidatedWeight):
            self.schedule.value = state["lambda"]

    def _steadiness(
        self, temporal: TemporalConsistencyLoss, fake: Tensor, real: Tensor
    ) -> dict[str, Tensor]:
        if self.schedule is not None:
            temporal.weight = self.schedule(self.step)
        some = slice(self.temporal_sequences)
        made = temporal.level(fake[some], step=self.step)
        found = {"dtcr_fake": made, "lambda": torch.tensor(temporal.weight, device=made.device)}
        if temporal.target == "real" or self.step % LEVEL_EVERY == 0:
            with torch.no_grad():
                found["dtcr_real"] = temporal.level(real[some], step=self.step)
        return found | {"dtcr": temporal.of(made, found.get("dtcr_real"))}


def _scales(output: Judged) -> list[Tensor]:
    return [*output.frames, *output.clips]


def _mean(
    loss: Callable[[Tensor, Tensor], Tensor], ones: Sequence[Tensor], others: Sequence[Tensor]
) -> Tensor:
    """A loss of two lists of scores, averaged over scales."""
    return torch.stack([loss(one, other) for one, other in zip(ones, others, strict=True)]).mean()
