"""HR-GAN-DTCR's discriminators as one network, which grows as a whole."""

from typing import NamedTuple

from torch import Tensor, nn

from ..errors import ConfigError
from ._cine_discriminators import ClipDiscriminator, FrameDiscriminator


class CineScores(NamedTuple):
    """What is said of sequences.

    Attributes:
        frames: of frames, one tensor a scale; see `FrameDiscriminator`.
        clips: of windows of frames; see `ClipDiscriminator`.
        features: of all layers of both.
    """

    frames: list[Tensor]
    clips: list[Tensor]
    features: list[Tensor]


class CineDiscriminator(nn.Module):
    """A discriminator of frames, and one of short windows of them.

    Args:
        frames: looks at frames.
        clips: looks at windows.

    Attributes:
        resolution, alpha: of both; `grow()` doubles the resolution of both.

    Shape: as theirs.

    Raises:
        ConfigError: they are of different resolutions, or are told different things.
    """

    def __init__(self, frames: FrameDiscriminator, clips: ClipDiscriminator) -> None:
        super().__init__()
        for what, one, other in (
            ("resolution", frames.resolution, clips.resolution),
            ("modalities", frames.told.modalities, clips.told.modalities),
            ("conditions", frames.told.names, clips.told.names),
        ):
            if one != other:
                raise ConfigError(
                    f"{what} of the two discriminators must be the same, got {one} and {other}"
                )
        self.frames = frames
        self.clips = clips

    @property
    def resolution(self) -> int:
        """Height and width of the images, in pixels."""
        return self.frames.resolution

    @property
    def alpha(self) -> float:
        """How far the newest stage has faded in."""
        return self.frames.alpha

    @alpha.setter
    def alpha(self, value: float) -> None:
        self.frames.alpha = self.clips.alpha = value

    def grow(self) -> list[nn.Parameter]:
        """Double the resolution; `alpha` is 0. The new parameters, those of frames first.

        Raises:
            ConfigError: the last resolution has been reached.
        """
        return self.frames.grow() + self.clips.grow()

    def forward(
        self,
        images: Tensor,
        modality: Tensor,
        conditions: Tensor | None = None,
        phase: Tensor | None = None,
    ) -> CineScores:
        """Judge (N, C, T, resolution, resolution)."""
        frames, seen = self.frames(images, modality, conditions, phase)
        clips, also = self.clips(images, modality, conditions, phase)
        return CineScores(frames, clips, seen + also)
