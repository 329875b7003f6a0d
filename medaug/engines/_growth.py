"""Growth: which resolution, fade, batch size and learning rates a training has when."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from ignite import distributed as idist

from ..errors import ConfigError


class Stage(NamedTuple):
    """One stage of a training that grows.

    Attributes:
        resolution: height and width of the images, in pixels.
        images: how many real images, or sequences, all processes see in it; whole epochs.
        fade_images: within how many of them the resolution fades in; 0 for at once.
        batch_size: in each process.
        g_lr: the generator's learning rate.
        d_lr: the discriminator's.
        num_frames: of the window that is cut out of a sequence; None for all of them.
        amp: whether the trainer's autocast, if it has any, is on.
    """

    resolution: int
    images: int
    fade_images: int = 0
    batch_size: int = 4
    g_lr: float = 2e-4
    d_lr: float = 2e-4
    num_frames: int | None = None
    amp: bool = True


class Growth:
    """Stages by images seen; all that is set follows from the iteration, so nothing is saved.

    The networks must grow as `medaug.networks.GrowingNetwork` does. At the beginning of a stage all
    three of a `GanTrainer` are doubled, the average taking the generator's new weights; what the
    optimisers know of the old ones stays. New weights are drawn from the trainer's seed and the
    resolution: on all ranks, and after a resume, they are the same. Then α goes from 0 to 1, with
    each image that was seen before the iteration. Source: Karras et al. 2018 (arXiv 1710.10196),
    section 2.

    Args:
        stages: each a `Stage` or its attributes by name; each resolution is that of the stage
            before, with other settings, or twice that.
        epoch_length: iterations of an epoch, in all stages.

    Attributes:
        stages: as given.
        epoch_length: as given.
        max_epochs: of all stages together.

    Raises:
        ConfigError: a stage is not as said.
    """

    def __init__(self, stages: Sequence[Stage | Mapping[str, Any]], *, epoch_length: int) -> None:
        if not stages or epoch_length < 1:
            raise ConfigError(
                "growth must have at least one stage and an epoch_length of at least 1, "
                f"got {len(stages)} and {epoch_length}"
            )
        self.stages = tuple(_checked(number, given) for number, given in enumerate(stages))
        self.epoch_length = epoch_length
        for number, (before, after) in enumerate(pairwise(self.stages), start=1):
            _require_step(number, before, after)
        if self.stages[0].fade_images:
            raise ConfigError("stage 0 has nothing to fade in: fade_images must be 0")
        self._world = idist.get_world_size()
        # the last epoch of each stage
        self._ends = list(accumulate(self._epochs(stage) for stage in self.stages))
        self.max_epochs = self._ends[-1]

    @property
    def iterations(self) -> int:
        """Of all stages together."""
        return self.max_epochs * self.epoch_length

    def stage(self, epoch: int) -> Stage:
        """What an epoch, counted from 1, belongs to; the last stage goes on for ever."""
        return self.stages[self._number(epoch)]

    def alpha(self, iteration: int) -> float:
        """How far the resolution has faded in at an iteration, counted from 1: in [0, 1]."""
        number = self._number(self._epoch(iteration))
        stage = self.stages[number]
        if not stage.fade_images:
            return 1.0
        before = self._ends[number - 1] * self.epoch_length
        seen = (iteration - 1 - before) * stage.batch_size * self._world
        return min(1.0, seen / stage.fade_images)

    def prepare(self, trainer: Any, iteration: int) -> None:
        """Make a trainer's networks and optimisers what they are at an iteration, from 1.

        Raises:
            ConfigError: a network cannot grow, or has outgrown the stage.
        """
        stage = self.stage(self._epoch(iteration))
        rates = {"generator": stage.g_lr, "discriminator": stage.d_lr}
        for number, (name, player) in enumerate(trainer.players.items()):
            _require_fit(name, player.network, stage.resolution)
            while player.network.resolution < stage.resolution:
                with trainer.drawn_for(2 * player.network.resolution, number):
                    player.grow()
            player.network.alpha = self.alpha(iteration)
            for group in player.optimizer.param_groups:
                group["lr"] = rates[name]
        trainer.ema.grow_with(trainer.generator)
        trainer.use_amp(stage.amp)

    def history(self, iteration: int) -> list[list[Any]]:
        """The stages up to an iteration's own, which may go on for longer, as plain values."""
        number = self._number(self._epoch(iteration))
        begun = [list(stage) for stage in self.stages[: number + 1]]
        begun[-1][Stage._fields.index("images")] = None
        return begun

    def _epoch(self, iteration: int) -> int:
        return (max(iteration, 1) - 1) // self.epoch_length + 1

    def _number(self, epoch: int) -> int:
        return min(bisect_left(self._ends, epoch), len(self.stages) - 1)

    def _epochs(self, stage: Stage) -> int:
        return math.ceil(stage.images / (self.epoch_length * stage.batch_size * self._world))


def _checked(number: int, given: Stage | Mapping[str, Any]) -> Stage:
    values = given._asdict() if isinstance(given, Stage) else dict(given)
    unknown = sorted(values.keys() - set(Stage._fields))
    lacking = sorted({"resolution", "images"} - values.keys())
    if unknown or lacking:
        raise ConfigError(
            f"stage {number} must have resolution, images and, if need be, "
            f"{', '.join(Stage._fields[2:])}, got {', '.join(values)}"
        )
    stage = Stage(**values)
    for name, least in (("resolution", 1), ("images", 1), ("fade_images", 0), ("batch_size", 1)):
        if getattr(stage, name) < least:
            raise ConfigError(
                f"{name} of stage {number} must be at least {least}, got {getattr(stage, name)}"
            )
    if min(stage.g_lr, stage.d_lr) <= 0:
        raise ConfigError(
            f"g_lr and d_lr of stage {number} must be above 0, got {stage.g_lr} and {stage.d_lr}"
        )
    if stage.num_frames is not None and stage.num_frames < 1:
        raise ConfigError(
            f"num_frames of stage {number} must be at least 1, got {stage.num_frames}"
        )
    return stage


def _require_step(number: int, before: Stage, after: Stage) -> None:
    if after.resolution not in (before.resolution, 2 * before.resolution):
        raise ConfigError(
            f"resolution of stage {number} must be {before.resolution} or twice that, "
            f"got {after.resolution}"
        )
    if after.resolution == before.resolution and after.fade_images:
        raise ConfigError(
            f"stage {number} has the resolution of the one before: fade_images must be 0, "
            f"got {after.fade_images}"
        )


def _require_fit(name: str, network: Any, resolution: int) -> None:
    if not callable(getattr(network, "grow", None)):
        raise ConfigError(f"{name} must be a network that grows, got {type(network).__name__}")
    if network.resolution > resolution:
        raise ConfigError(
            f"{name} must be of at most {resolution} × {resolution} pixels at this stage, "
            f"got {network.resolution}"
        )
