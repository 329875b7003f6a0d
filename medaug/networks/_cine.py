"""HR-GAN-DTCR's generator: cine sequences of the heart from 64² to 4096²."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..errors import ConfigError
from ._cine_conditions import MODALITIES, TOLD, ConditionEncoder, Ranges, waves
from ._cine_noise import frame_keys
from ._cine_stages import LEAK, Stage
from ._growing import (
    LADDER,
    GrowingNetwork,
    dense,
    double,
    exporting,
    faded,
    is_scripting,
    require_resolution,
    widths_below,
)
from ._layers import SPREAD, require_counts

SEED_SIZE = 4
AT_ONCE = 2**19
"""Pixels of images that are made at once without gradients."""


class CineGenerator(GrowingNetwork):
    """Cine sequences from latent vectors, a modality, named conditions, and phases of the heart.

    A latent vector is an anatomy. From it come the coefficients of a Fourier series in the phase of
    the cardiac cycle, whose values are the motion codes of the frames: a path that closes, whatever
    the number of frames. Both together are a frame's style, which makes the first maps, 4 × 4, and
    steers the convolutions of all stages (as in StyleGAN-V, Skorokhodov et al. 2022, arXiv
    2112.14683, but periodic). Every frame has noise of its own, as an image has that a scanner
    made, which hangs on the latent vector and the phase alone. Frames don't depend on each other:
    without gradients they are made a few at a time, and the largest in bands of rows.

    Modality and conditions come in at the points ``input`` (anatomy and motion) and ``64``, ``128``
    … (the style of that stage). See `UpBlock` for what a stage does.

    Args:
        resolution: height and width, in pixels: one of 64, 128, … 4096 that has channels.
        channels: maps at 64², at 128², and so on: as far as the network can grow.
        latent_dim: length of a latent vector, drawn from N(0, 1).
        image_channels: 1 for grey, 3 for colour.
        modalities: their names.
        conditions: names of continuous conditions, each with its lowest and highest value in its
            own unit, such as ``{"ejection_fraction": (10, 80)}``, or with None for any value, near
            ±1 at best.
        num_frames: of a cycle, where no phases are given.
        harmonics: of the motion; 1 is a sine.
        style_dim: length of a style.
        checkpoint_from: stages from this resolution on compute their forward pass a second time in
            the backward pass, instead of keeping all maps.

    Attributes:
        resolution, alpha: see `GrowingNetwork`; `grow()` doubles the resolution.
        image_size: height and width of the images: the resolution, until `reduce_to` says less.

    Shape:
        latent (N, latent_dim); modality (N,) int64, an index into `modalities`, which take turns
        without; conditions (N, K) in the order of their names, NaN where one is missing, all of
        them without; phase (N, T) in cycles, 0 the first frame of a cycle, by default k/T;
        images (N, image_channels, T, image_size, image_size) float32 in [0, 1].

    Raises:
        ConfigError: an option is out of range; in `forward`, a modality, a condition or the phases.
    """

    def __init__(
        self,
        *,
        resolution: int = 64,
        channels: Sequence[int] = (128, 64, 32, 32, 16, 8, 8),
        latent_dim: int = 128,
        image_channels: int = 1,
        modalities: Sequence[str] = MODALITIES,
        conditions: Ranges | None = None,
        num_frames: int = 20,
        harmonics: int = 4,
        style_dim: int = 128,
        checkpoint_from: int = 512,
    ) -> None:
        super().__init__(channels)
        require_counts(
            latent_dim=latent_dim,
            image_channels=image_channels,
            num_frames=num_frames,
            harmonics=harmonics,
            style_dim=style_dim,
        )
        self.num_frames, self.harmonics = num_frames, harmonics
        self.image_channels, self.style_dim = image_channels, style_dim
        self.checkpoint_from = checkpoint_from
        self.injected = True
        self.at_once = AT_ONCE
        self.reduction = 1
        self.activation = nn.LeakyReLU(LEAK)
        self.told = ConditionEncoder(modalities, conditions, TOLD)
        self.latent = dense(latent_dim, style_dim)
        self.inject = nn.Linear(TOLD, style_dim, bias=False)
        nn.init.normal_(self.inject.weight, 0.0, SPREAD)
        self.anatomy = dense(style_dim, style_dim, 1.4)
        self.coefficients = dense(style_dim, 2 * harmonics * style_dim)
        self.motion = dense(style_dim, style_dim, 0.25)
        widths = widths_below(self.channels[0])[::-1]
        self.seed = dense(style_dim, widths[0] * SEED_SIZE**2, 1.4)
        self.seed_shape = (widths[0], SEED_SIZE, SEED_SIZE)
        self.stages = nn.ModuleDict({"64": self._stage(widths, 64)})
        self.grow_to(resolution)

    def forward(
        self,
        latent: Tensor,
        modality: Tensor | None = None,
        conditions: Tensor | None = None,
        phase: Tensor | None = None,
    ) -> Tensor:
        """Make sequences."""
        if phase is None:
            phase = torch.arange(self.num_frames, device=latent.device) / self.num_frames
            phase = phase.expand(latent.shape[0], -1)
        style, told = self.styles(latent, modality, conditions, phase)
        key = frame_keys(latent, phase)
        num, length = style.shape[0], style.shape[1]
        images = self.render(style.flatten(0, 1), told.flatten(0, 1), key.flatten())
        shape = [num, length, self.image_channels, self.image_size, self.image_size]
        return images.view(shape).transpose(1, 2)

    @torch.no_grad()
    def stream(
        self,
        latent: Tensor,
        modality: Tensor | None = None,
        conditions: Tensor | None = None,
        *,
        num_frames: int | None = None,
        chunk: int = 1,
    ) -> Iterator[Tensor]:
        """Make one cycle, a few frames at a time: memory doesn't grow with their number.

        Args:
            latent: as in the network's call, and so are the next two.
            modality: an index for each sequence.
            conditions: values for each sequence.
            num_frames: of the cycle.
            chunk: how many frames come at once.

        Yields:
            (N, image_channels, up to `chunk`, image_size, image_size), in the order of the phases.

        Raises:
            ConfigError: there are no frames, or an input is out of range.
        """
        length = self.num_frames if num_frames is None else num_frames
        require_counts(num_frames=length, chunk=chunk)
        phase = torch.arange(length, device=latent.device) / length
        for part in phase.split(chunk):
            yield self(latent, modality, conditions, part.expand(len(latent), -1))

    @property
    def image_size(self) -> int:
        """Height and width of the images."""
        return self.resolution // self.reduction

    def reduce_to(self, image_size: int) -> None:
        """Give images of a lower resolution: those of its own, averaged over areas.

        They are better than those of the image head of that stage, which learns no more once the
        next stage has faded in, while what it looks at goes on changing.

        Raises:
            ConfigError: the size is not in the ladder, or above the resolution.
        """
        require_resolution(image_size, LADDER.index(self.resolution) + 1)
        self.reduction = self.resolution // image_size

    def tell(
        self,
        modality: str | None = None,
        conditions: Mapping[str, float] | None = None,
        *,
        num: int = 1,
    ) -> tuple[Tensor, Tensor]:
        """What the network takes for `num` sequences of a modality with some conditions.

        Args:
            modality: its name; by default the first.
            conditions: values by name, in their own units; those not named are missing.
            num: how many sequences.

        Returns:
            modality (num,) and conditions (num, K).

        Raises:
            ConfigError: a name is unknown, or a value out of its range.
        """
        require_counts(num=num)
        return self.told.encode(modality, conditions, num)

    def inject_at(self, *points: str) -> None:
        """Let modality and conditions in at these points alone: ``input``, ``64``, ``128`` ….

        Raises:
            ConfigError: there is no such point.
        """
        known = ("input", *self.stages)
        for point in points:
            if point not in known:
                raise ConfigError(f"points must be of {known}, got {point!r}")
        self.injected = "input" in points
        for name, stage in self.stages.items():
            if isinstance(stage, Stage):
                stage.injected = name in points

    def styles(
        self,
        latent: Tensor,
        modality: Tensor | None,
        conditions: Tensor | None,
        phase: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Styles of frames, (N, T, style_dim), and what they are told, (N, T, `TOLD`)."""
        num = latent.shape[0]
        if modality is None:
            modality = torch.arange(num, device=latent.device) % self.told.num_modalities
        if conditions is None:
            conditions = torch.full(
                [num, self.told.num_conditions], torch.nan, device=latent.device
            )
        if not exporting():
            self.check(latent, modality, phase)
        told = self.told(modality, conditions)
        anatomy = self.latent(latent)
        if self.injected:
            anatomy = anatomy + self.inject(told)
        anatomy = self.anatomy(self.activation(anatomy))
        series = self.coefficients(anatomy).view(num, 2 * self.harmonics, self.style_dim)
        code = waves(phase, self.harmonics).to(series.dtype) @ series
        style = anatomy.unsqueeze(1) + self.motion(self.activation(code))
        return style, told.unsqueeze(1).expand(-1, phase.shape[1], -1)

    def check(self, latent: Tensor, modality: Tensor, phase: Tensor) -> None:
        """Refuse inputs that don't belong together."""
        num, size = latent.shape[0], self.latent.in_features
        if latent.ndim != 2 or latent.shape[1] != size:
            raise ConfigError(f"latent must be (N, {size}), got {list(latent.shape)}")
        if modality.ndim != 1 or modality.shape[0] != num:
            raise ConfigError(f"modality must be ({num},), got {list(modality.shape)}")
        if phase.ndim != 2 or phase.shape[0] != num or phase.shape[1] < 1:
            raise ConfigError(
                f"phase must be ({num}, frames), at least one frame, got {list(phase.shape)}"
            )

    def render(self, style: Tensor, told: Tensor, key: Tensor) -> Tensor:
        """Frames (B, C, H, W) of styles (B, style_dim), without gradients a few at a time."""
        num = style.shape[0]
        if torch.is_grad_enabled() or exporting():
            return self.frames(style, told, key)
        chunk = max(1, self.at_once // (self.resolution * self.resolution))
        if chunk >= num:
            return self.frames(style, told, key)
        size = [num, self.image_channels, self.image_size, self.image_size]
        images = torch.empty(size, device=style.device)
        for first in range(0, num, chunk):
            last = first + chunk
            images[first:last] = self.frames(style[first:last], told[first:last], key[first:last])
        return images

    def frames(self, style: Tensor, told: Tensor, key: Tensor) -> Tensor:
        """Frames of styles, all at once."""
        x: Tensor = self.activation(self.seed(style))
        x = x.view(-1, self.seed_shape[0], self.seed_shape[1], self.seed_shape[2])
        # On processors, convolutions of few maps are twice as fast so.
        x = x.contiguous(memory_format=torch.channels_last)
        before = x
        last = len(self.stages) - 1
        for number, stage in enumerate(self.stages.values()):
            newest = number == last
            if is_scripting():
                x = stage(x, style, told, key, newest)
            else:
                x = self._through(stage, x, style, told, key, newest)
            if number == last - 1 and self.alpha < 1:
                # What a ModuleDict holds has no type of its own.
                before = stage.to_image(x)  # type: ignore[operator]
        if last > 0 and self.alpha < 1:
            x = faded(double(before), x, self.alpha)
        return x if self.reduction == 1 else F.avg_pool2d(x, self.reduction)

    def _through(self, stage: Any, *given: Any) -> Tensor:
        late = self.training and stage.resolution >= self.checkpoint_from
        if late and torch.is_grad_enabled() and not exporting():
            made: Tensor = checkpoint(stage, *given, use_reentrant=False, preserve_rng_state=False)
        else:
            made = stage(*given)
        return made

    def _stage(self, widths: list[int], resolution: int) -> Stage:
        return Stage(
            widths,
            style_dim=self.style_dim,
            told_dim=TOLD,
            image_channels=self.image_channels,
            resolution=resolution,
        )

    def _add(self, resolution: int) -> None:
        step = len(self.stages)
        widths = [self.channels[step - 1], self.channels[step]]
        self.stages[str(resolution)] = self._stage(widths, resolution)
