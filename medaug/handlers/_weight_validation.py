"""λ moved by validation: how much the generator's sequences change from frame to frame."""

from typing import Any

import torch
from ignite.engine import Engine
from torch import Tensor
from torch.utils.data import Dataset

from ..engines import epochs, on_first_rank
from ..losses import TemporalConsistencyLoss, ValidatedWeight
from ..networks import fade_in

MOST = 32
"""Sequences that are looked at."""
RATIO = "frame_distance_ratio"
"""Among the trainer's figures: made by real; 1 is as steady as real hearts."""
TOLD = ("modality", "conditions", "phase")
"""What a generator is told, in its order."""
TINY = 1e-12


class WeightValidation:
    """Let validation move the weight of the temporal consistency loss.

    Every `interval` epochs, and at the end, the averaged generator makes a sequence for each of up
    to 32 real ones, of the same modality, conditions and phases. The mean distance of consecutive
    frames of the made ones by that of the real ones, in the loss's own patches and features, goes
    to `ValidatedWeight.update`, and into ``engine.state.metrics`` as `RATIO`. Latents are always
    the same. Of several processes the first looks, and the others are told. What λ has become is in
    the checkpoint (`medaug.engines.CineObjective`), which is written after all handlers.

    Args:
        schedule: what is moved.
        temporal: the loss.
        validation: items as of `medaug.data.CinePyramid`, at the resolution of an epoch's stage,
            which `set_epoch` tells it.
        interval: in epochs.
        seed: of the latents and patches.
    """

    def __init__(
        self,
        schedule: ValidatedWeight,
        temporal: TemporalConsistencyLoss,
        validation: Dataset[dict[str, Any]],
        *,
        interval: int,
        seed: int = 0,
    ) -> None:
        self.schedule, self.temporal = schedule, temporal
        self.validation: Any = validation
        self.interval, self.seed = interval, seed

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer` of sequences, before what writes its figures down."""
        engine.add_event_handler(epochs(self.interval), self._update)

    def _update(self, engine: Any) -> None:
        ratio = on_first_rank(lambda: self._ratio(engine))
        self.schedule.update(ratio)
        engine.state.metrics[RATIO] = ratio

    @torch.no_grad()
    def _ratio(self, engine: Any) -> float:
        generator = engine.ema_generator
        device = next(generator.parameters()).device
        self.validation.set_epoch(engine.state.epoch)
        count = min(MOST, len(self.validation))
        drawn = torch.Generator().manual_seed(self.seed)
        latents = torch.randn(count, engine.latent_dim, generator=drawn)
        levels = torch.zeros(2, dtype=torch.float64)
        for index, latent in enumerate(latents.split(1)):
            item = self.validation[index]
            told = [torch.as_tensor(item[name])[None].to(device) for name in TOLD]
            made = generator(latent.to(device), *told).float()
            real = fade_in(item["image"][None], generator.alpha).to(device)
            levels += torch.stack([self._level(part, index) for part in (made, real)])
        return float(levels[0] / levels[1].clamp(min=TINY))

    def _level(self, sequences: Tensor, index: int) -> Tensor:
        """The same patches of both."""
        return self.temporal.distances(sequences, step=index).mean().double().cpu()
