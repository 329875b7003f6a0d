"""HR-GAN-DTCR's two discriminators: one looks at frames, the other at short windows of them.

Both are told what the generator was told, by projection (Miyato & Koyama 2018, arXiv 1802.05637):
⟨e(told), φ⟩ is added to the score of the last maps φ, where e begins at zero.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ConfigError
from ._cine_conditions import MODALITIES, TOLD, ConditionEncoder, Ranges
from ._cine_trunk import PatchDiscriminator, Trunk
from ._growing import LADDER, GrowingNetwork, double, exporting, faded, halve
from ._layers import require_counts


class _CineDiscriminator(GrowingNetwork):
    """What both have: what they are told, and a trunk that grows to some size.

    Beyond that size, frames are reduced to it by averaging, and growth adds nothing.
    """

    def __init__(
        self,
        *,
        channels: Sequence[int],
        image_channels: int,
        modalities: Sequence[str],
        conditions: Ranges | None,
        frames: int,
        whole_size: int,
        harmonics: int,
    ) -> None:
        super().__init__(channels)
        require_counts(image_channels=image_channels, frames=frames)
        if whole_size not in LADDER:
            raise ConfigError(f"whole_size must be one of {LADDER}, got {whole_size}")
        self.image_channels, self.whole_size = image_channels, whole_size
        self.told = ConditionEncoder(
            modalities, conditions, TOLD, phases=frames, harmonics=harmonics
        )
        self.whole = Trunk(self.channels[0], frames * image_channels, TOLD)

    def tell(
        self, modality: Tensor, conditions: Tensor | None, phase: Tensor | None, num: int
    ) -> Tensor:
        """What is told of each of `num` images or windows a sequence."""
        sequences = modality.shape[0]
        if conditions is None:
            size = [sequences, self.told.num_conditions]
            conditions = torch.full(size, torch.nan, device=modality.device)
        if phase is None:
            once: Tensor = self.told(modality, conditions)
            return once.repeat_interleave(num, dim=0)
        told: Tensor = self.told(
            modality.repeat_interleave(num),
            conditions.repeat_interleave(num, dim=0),
            phase.reshape(sequences * num, -1),
        )
        return told

    def check(self, images: Tensor, modality: Tensor, phase: Tensor | None) -> None:
        """Refuse inputs that are of another size or don't belong together."""
        side, shape = self.resolution, list(images.shape)
        if len(shape) != 5 or shape[1] != self.image_channels or shape[3:] != [side, side]:
            raise ConfigError(
                f"images must be (N, {self.image_channels}, T, {side}, {side}), got {shape}"
            )
        if modality.shape[0] != shape[0]:
            raise ConfigError(f"modality must be ({shape[0]},), got {list(modality.shape)}")
        if phase is not None and list(phase.shape) != [shape[0], shape[2]]:
            raise ConfigError(f"phase must be ({shape[0]}, {shape[2]}), got {list(phase.shape)}")

    def reduced(self, images: Tensor) -> Tensor:
        """At most `whole_size` high and wide."""
        if self.resolution > self.whole_size:
            return F.avg_pool2d(images, self.resolution // self.whole_size)
        return images

    def whole_alpha(self) -> float:
        """How far the trunk's newest stage has faded in."""
        return self.alpha if self.resolution <= self.whole_size else 1.0

    def _add(self, resolution: int) -> None:
        if resolution <= self.whole_size:
            step = LADDER.index(resolution)
            self.whole.add(self.channels[step], self.channels[step - 1], resolution)


class FrameDiscriminator(_CineDiscriminator):
    """Tell real frames from made ones, at several scales.

    The whole frame, up to 1024², down to 4 × 4 maps; patches of the frame at half of that size;
    and above 1024² patches of native crops at random places, in the middle in evaluation mode.

    Args:
        resolution: height and width of the frames, in pixels.
        channels: maps at 64², at 128², and so on; they double with each halving below 64², up to
            four times.
        image_channels: 1 for grey, 3 for colour.
        modalities: as the generator's.
        conditions: as the generator's.
        whole_size: the most that the whole frame is looked at, in pixels: a resolution.
        crop_size: of native crops, in pixels, above that.
        num_crops: of a frame.
        patch_channels: maps after the first layer of those that look at patches.
        harmonics: of the phase.

    Attributes:
        resolution, alpha: see `GrowingNetwork`. At alpha 0, scores are those that the network
            before growth gives for the halved frames (of patches, each four times), and those of
            the first crops 0.

    Shape:
        images (N, image_channels, T, resolution, resolution) in [0, 1]; modality (N,) int64;
        conditions (N, K), NaN where one is missing, all of them without; phase (N, T) in cycles,
        unknown without;
        scores, positive for real, one tensor a scale: (N · T, 1), then (N · T, patches) each;
        features, for feature matching: those of each layer, (N · T · crops, maps, height, width).

    Raises:
        ConfigError: an option is out of range; in `forward`, an input.
    """

    def __init__(
        self,
        *,
        resolution: int = 64,
        channels: Sequence[int] = (64, 32, 32, 16, 16, 8, 8),
        image_channels: int = 1,
        modalities: Sequence[str] = MODALITIES,
        conditions: Ranges | None = None,
        whole_size: int = 1024,
        crop_size: int = 256,
        num_crops: int = 2,
        patch_channels: int = 32,
        harmonics: int = 4,
    ) -> None:
        super().__init__(
            channels=channels,
            image_channels=image_channels,
            modalities=modalities,
            conditions=conditions,
            frames=1,
            whole_size=whole_size,
            harmonics=harmonics,
        )
        require_counts(num_crops=num_crops, patch_channels=patch_channels)
        if not 8 <= crop_size <= whole_size or crop_size % 8:
            raise ConfigError(
                f"crop_size must be a multiple of 8 up to {whole_size}, got {crop_size}"
            )
        self.crop_size, self.num_crops = crop_size, num_crops
        self.patch_channels = patch_channels
        self.patches = PatchDiscriminator(image_channels, patch_channels, TOLD)
        # Its place is kept, so that TorchScript knows the network without it.
        self.crops: PatchDiscriminator | None = None
        self.grow_to(resolution)

    def forward(
        self,
        images: Tensor,
        modality: Tensor,
        conditions: Tensor | None = None,
        phase: Tensor | None = None,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Score each frame."""
        if not exporting():
            self.check(images, modality, phase)
        told = self.tell(modality, conditions, phase, images.shape[2])
        frames = images.transpose(1, 2).flatten(0, 1) * 2 - 1
        whole = self.reduced(frames)
        alpha = self.whole_alpha()
        score, features = self.whole(whole, told, alpha)
        half = halve(whole)
        maps, seen = self.patches(half, told)
        features = features + seen
        if alpha < 1:
            before, _ = self.patches(halve(half), told)
            maps = faded(double(before), maps, alpha)
        scores = [score.unsqueeze(1), maps.flatten(1)]
        if self.crops is not None:
            maps, seen = self.crops(self.cut(frames), told.repeat_interleave(self.num_crops, 0))
            if self.alpha < 1:
                before = torch.zeros_like(maps)
                if self.resolution > 2 * self.whole_size:
                    cut = self.cut(halve(frames))
                    before, _ = self.crops(cut, told.repeat_interleave(self.num_crops, 0))
                maps = faded(before, maps, self.alpha)
            scores.append(maps.reshape(frames.shape[0], -1))
            features = features + seen
        return scores, features

    def cut(self, frames: Tensor) -> Tensor:
        """Native crops (B · num_crops, C, crop_size, crop_size), the same places in all frames."""
        room = frames.shape[2] - self.crop_size
        crops: list[Tensor] = []
        for _ in range(self.num_crops):
            top, left = room // 2, room // 2
            if self.training:
                top = int(torch.randint(room + 1, [1]))
                left = int(torch.randint(room + 1, [1]))
            crops.append(frames[:, :, top : top + self.crop_size, left : left + self.crop_size])
        return torch.stack(crops, dim=1).flatten(0, 1)

    def _add(self, resolution: int) -> None:
        super()._add(resolution)
        if resolution > self.whole_size and self.crops is None:
            self.crops = PatchDiscriminator(self.image_channels, self.patch_channels, TOLD)


class ClipDiscriminator(_CineDiscriminator):
    """Tell real windows of consecutive frames from made ones.

    The frames of a window are the channels of one image (as in vid2vid, Wang et al. 2018, arXiv
    1808.06601), of up to 256²: movement shows at low resolution.

    Args:
        resolution: height and width of the frames, in pixels.
        channels: as in `FrameDiscriminator`, and so are the options that are not named here.
        window: frames in a window, at least 2.

    Attributes:
        resolution, alpha: see `GrowingNetwork`; at alpha 0 scores are those of the network before
            growth for the halved frames.

    Shape:
        as in `FrameDiscriminator`, where T is a multiple of `window`; each window is scored:
        scores [(N · T / window, 1)].

    Raises:
        ConfigError: an option is out of range; in `forward`, an input.
    """

    def __init__(
        self,
        *,
        resolution: int = 64,
        channels: Sequence[int] = (64, 32, 32, 16, 16, 8, 8),
        image_channels: int = 1,
        modalities: Sequence[str] = MODALITIES,
        conditions: Ranges | None = None,
        window: int = 4,
        whole_size: int = 256,
        harmonics: int = 4,
    ) -> None:
        if window < 2:
            raise ConfigError(f"window must be at least 2 frames, got {window}")
        super().__init__(
            channels=channels,
            image_channels=image_channels,
            modalities=modalities,
            conditions=conditions,
            frames=window,
            whole_size=whole_size,
            harmonics=harmonics,
        )
        self.window = window
        self.grow_to(resolution)

    def forward(
        self,
        images: Tensor,
        modality: Tensor,
        conditions: Tensor | None = None,
        phase: Tensor | None = None,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Score each window."""
        if not exporting():
            self.check(images, modality, phase)
            if images.shape[2] < 1 or images.shape[2] % self.window:
                raise ConfigError(
                    f"frames must be a multiple of {self.window}, the window, got {images.shape[2]}"
                )
        told = self.tell(modality, conditions, phase, images.shape[2] // self.window)
        windows = images.transpose(1, 2).flatten(0, 2) * 2 - 1
        channels = self.window * self.image_channels
        windows = windows.reshape(-1, channels, images.shape[3], images.shape[4])
        score, features = self.whole(self.reduced(windows), told, self.whole_alpha())
        return [score.unsqueeze(1)], features
