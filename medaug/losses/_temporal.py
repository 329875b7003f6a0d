"""DTCR, the temporal consistency of HR-GAN-DTCR: consecutive frames look alike to VGG16."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, UserError
from ..features import VGG16_LAYERS, VGG16Maps, find_weights

TARGETS = ("zero", "real")
SCHEDULES = ("linear", "validated")


class TemporalConsistencyLoss:
    """DTCR: λ times the sum, over consecutive frames, of the distance of their VGG16 features.

    DTCR = λ Σ_t mean‖VGG(p_t) − VGG(p_{t+1})‖², where p are the same randomly placed patches of
    all frames of a sequence, and the mean is over features, patches and sequences. It is 0 for a
    sequence that stands still, which a heart doesn't; therefore also ``target="real"``:
    λ |D(made) − D(real)|, where D is the sum above. Both are the same forwards and backwards in
    time. Computed in float32 whatever the training around it has set: consecutive frames differ
    by little. Source: HR-GAN-DTCR.

    Args:
        layer: whose features, ``relu1_1`` to ``relu5_3``.
        target: what the distance is driven to: ``zero`` as published, or that of ``real`` ones.
        weight: λ; a schedule may set the attribute.
        patch_size: height and width of a patch, in pixels; smaller frames are taken whole.
        num_patches: of a sequence.
        feature_scale: features are divided by it: their size differs between trainings of VGG16.
        seed: of the places of patches, together with the step; the same on all ranks.
        weights: a state dict of torchvision's VGG16 or of its ``features``; by default
            `medaug.features.find_weights` looks for it.

    Attributes:
        weight: λ.

    Raises:
        ConfigError: an option is out of range.
        CheckpointError: the weights are missing, damaged, or of another network.
    """

    def __init__(
        self,
        *,
        layer: str = "relu3_3",
        target: str = "zero",
        weight: float = 0.1,
        patch_size: int = 64,
        num_patches: int = 1,
        feature_scale: float = 1.0,
        seed: int = 0,
        weights: str | Path | None = None,
    ) -> None:
        for name, value, known in (("layer", layer, VGG16_LAYERS), ("target", target, TARGETS)):
            if value not in known:
                raise ConfigError(f"{name} must be one of {known}, got {value!r}")
        self.least = 2 ** (int(layer[4]) - 1)
        if patch_size < self.least or num_patches < 1 or weight < 0 or not feature_scale > 0:
            raise ConfigError(
                f"patch_size must be at least {self.least}, num_patches at least 1, weight at "
                "least 0, feature_scale above 0, got "
                f"{patch_size}, {num_patches}, {weight} and {feature_scale}"
            )
        self.layer, self.target, self.weight = layer, target, weight
        self.patch_size, self.num_patches, self.seed = patch_size, num_patches, seed
        self.feature_scale = feature_scale
        self._network = VGG16Maps(layer, find_weights("vgg16", weights))

    def __call__(self, fake: Tensor, real: Tensor | None = None, *, step: int = 0) -> Tensor:
        """The loss of made sequences.

        Args:
            fake: (N, C, T, H, W) in [0, 1], C of 1 or 3, T at least 2.
            real: as many real frames as `fake` has, (M, C, T, H, W), for the target ``real``.
            step: of the training; says, with the seed, where the patches are.

        Returns:
            A scalar, float32.

        Raises:
            ConfigError: there are no real sequences where the target is ``real``.
            UserError: the sequences have another form.
        """
        made = self.level(fake, step=step)
        if self.target == "zero" or real is None:
            return self.of(made)
        if real.shape[2:] != fake.shape[2:]:
            raise UserError(
                "real sequences must have the frames and the size of the made ones, "
                f"{tuple(fake.shape[2:])}, got {tuple(real.shape[2:])}"
            )
        with torch.no_grad():
            level = self.level(real, step=step)
        return self.of(made, level)

    def of(self, made: Tensor, real: Tensor | None = None) -> Tensor:
        """The loss from levels that are known already.

        Args:
            made: D of made sequences; see `level`.
            real: D of real ones, for the target ``real``.

        Raises:
            ConfigError: there is no `real` where the target is ``real``.
        """
        if self.target == "zero":
            return self.weight * made
        if real is None:
            raise ConfigError("real must be real sequences for the target 'real', got None")
        return self.weight * (made - real).abs()

    def level(self, sequences: Tensor, *, step: int = 0) -> Tensor:
        """D, a scalar: what λ multiplies; a log shows that of real sequences beside.

        Args:
            sequences: (N, C, T, H, W) in [0, 1], C of 1 or 3, T at least 2.
            step: as in the call.

        Raises:
            UserError: the sequences have another form.
        """
        total: Tensor = self.distances(sequences, step=step).sum(1).mean()
        return total

    def distances(self, sequences: Tensor, *, step: int = 0) -> Tensor:
        """The mean squared difference of features of each frame and the next: (N, T − 1).

        Args:
            sequences: as in `level`.
            step: as in the call.

        Raises:
            UserError: the sequences have another form.
        """
        self._check(sequences)
        num, _, length = sequences.shape[:3]
        with torch.autocast(sequences.device.type, enabled=False):
            patches = self._patches(sequences, step)
            features = self._features(patches.flatten(0, 2)).unflatten(0, patches.shape[:3])
            change = features[:, :, 1:] - features[:, :, :-1]
            means = change.square().flatten(3).mean(3).mean(1)
        distances: Tensor = means.view(num, length - 1)
        return distances

    def _check(self, sequences: Tensor) -> None:
        shape = tuple(sequences.shape)
        if len(shape) != 5 or shape[1] not in (1, 3) or not sequences.is_floating_point():
            raise UserError(
                "sequences must be floats of (N, C, T, H, W), C of 1 or 3, "
                f"got {sequences.dtype} of {shape}"
            )
        if shape[2] < 2:
            raise UserError(f"frames must be at least 2, got {shape[2]}")
        if min(shape[3:]) < self.least:
            raise UserError(f"sides must be at least {self.least} pixels, got {shape[3:]}")

    def corners(self, num: int, height: int, width: int, *, step: int = 0) -> list[list[int]]:
        """Upper rows and left columns of the patches: [[row, column], ...], `num_patches` each.

        Args:
            num: how many sequences.
            height: of the frames.
            width: of the frames.
            step: as in the call.
        """
        random = np.random.default_rng([self.seed, step])
        room = [max(0, side - self.patch_size) + 1 for side in (height, width)]
        drawn: list[list[int]] = random.integers(room, size=(num * self.num_patches, 2)).tolist()
        return drawn

    def _patches(self, sequences: Tensor, step: int) -> Tensor:
        """(N, num_patches, T, C, h, w)."""
        height, width = sequences.shape[3:]
        frames = sequences.transpose(1, 2)
        corners = self.corners(len(frames), height, width, step=step)
        size = self.patch_size
        cut = [
            frames[index // self.num_patches, ..., row : row + size, column : column + size]
            for index, (row, column) in enumerate(corners)
        ]
        patches: Tensor = torch.stack(cut).unflatten(0, (len(frames), self.num_patches))
        return patches

    def _features(self, images: Tensor) -> Tensor:
        exact = images.dtype if images.dtype == torch.float64 else torch.float32
        network = self._network.to(images.device, exact)
        features: Tensor = network(images.to(exact))
        return features / self.feature_scale


class LinearWeight:
    """λ that grows evenly over a training.

    Args:
        steps: how many it takes.
        start: λ at step 0.
        end: λ from `steps` on.

    Raises:
        ConfigError: there are no steps, or a λ is below 0.
    """

    def __init__(self, *, steps: int, start: float = 0.1, end: float = 0.5) -> None:
        if steps < 1 or min(start, end) < 0:
            raise ConfigError(
                "steps must be at least 1, start and end at least 0, "
                f"got {steps}, {start} and {end}"
            )
        self.steps, self.start, self.end = steps, start, end

    def __call__(self, step: int) -> float:
        """λ at a step, from 0."""
        return self.start + (self.end - self.start) * min(max(step, 0) / self.steps, 1.0)


class ValidatedWeight:
    """λ that validation moves: up where made sequences flicker, down where they stand still.

    Args:
        start: λ at first, the lowest.
        end: the highest.
        increment: of a move.
        tolerance: how far from 1 the ratio is left alone.

    Attributes:
        value: λ now; a checkpoint has to keep it.

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(
        self,
        *,
        start: float = 0.1,
        end: float = 0.5,
        increment: float = 0.05,
        tolerance: float = 0.1,
    ) -> None:
        if not 0 <= start < end or increment <= 0 or tolerance < 0:
            raise ConfigError(
                "start must be at least 0 and below end, increment above 0, tolerance at least 0, "
                f"got {start}, {end}, {increment} and {tolerance}"
            )
        self.start, self.end = start, end
        self.increment, self.tolerance = increment, tolerance
        self.value = start

    def __call__(self, step: int) -> float:
        """λ now, whatever the step."""
        del step
        return self.value

    def update(self, ratio: float) -> None:
        """Take over a validation: the inter-frame distance of made sequences ÷ that of real ones.

        Raises:
            ConfigError: the ratio is no number from 0 on.
        """
        if not 0 <= ratio < np.inf:
            raise ConfigError(f"ratio must be a number of at least 0, got {ratio}")
        if abs(ratio - 1) > self.tolerance:
            moved = self.value + (self.increment if ratio > 1 else -self.increment)
            self.value = min(max(moved, self.start), self.end)


def weight_schedule(
    kind: str,
    *,
    steps: int,
    start: float = 0.1,
    end: float = 0.5,
    sequences: int = 1,
    target: str = "zero",
) -> LinearWeight | ValidatedWeight:
    """λ over a training, by a word.

    Args:
        kind: ``linear`` or ``validated``.
        steps: of the training.
        start: λ at first; the lowest where validation moves it.
        end: λ at last; the highest where validation moves it.
        sequences: how many there are to validate by.
        target: of the loss. A λ that falls where sequences stand still suits ``zero`` alone.

    Raises:
        ConfigError: the word is unknown, a number is out of range, there is nothing to validate
            by, or the target needs no validation.
    """
    if kind not in SCHEDULES:
        raise ConfigError(f"--dtcr_schedule must be one of {SCHEDULES}, got {kind!r}")
    if kind == "linear":
        return LinearWeight(steps=steps, start=start, end=end)
    if not sequences:
        raise ConfigError(
            "--dtcr_schedule validated must have sequences to validate by, got none: too few "
            "patients, or a share of 0 (--data#validation)"
        )
    if target != "zero":
        raise ConfigError(
            "--dtcr_schedule validated must have --dtcr_target zero, whose pull it balances, "
            f"got {target!r}"
        )
    return ValidatedWeight(start=start, end=end)
