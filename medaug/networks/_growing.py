"""Networks that grow by one doubling of the resolution at a time, and how a doubling fades in.

Source: Karras et al. 2018 (arXiv 1710.10196), section 2.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigError
from ._layers import require_counts

# documented, but left out of the stubs
is_scripting: Callable[[], bool] = torch.jit.is_scripting  # type: ignore[attr-defined]

LADDER = (64, 128, 256, 512, 1024, 2048, 4096)
"""Height and width of images, in pixels, from the base on."""

WIDEST = 4
"""The maps of 16² and below are so many times as many as those of 64²."""


def widths_below(channels: int) -> list[int]:
    """How many maps there are of 64², of 32², and so on down to 4², with `channels` of 64²."""
    return [channels * min(WIDEST, 2**level) for level in range(5)]


class GrowingNetwork(nn.Module):
    """A network for images of one resolution, to which the next can be added.

    Neither attribute is part of the state dict, in which each resolution has names of its own: the
    state of a smaller network fits into a grown one, without whose newest stage it comes.

    Args:
        channels: feature maps at 64², 128², and so on; it ends where growth does.

    Attributes:
        resolution: height and width of the images, in pixels.
        alpha: how far the newest stage has faded in, from 0 (the network is the one before) to 1.

    Raises:
        ConfigError: there are no channels, too many, or one below 1.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        if not 1 <= len(channels) <= len(LADDER):
            raise ConfigError(
                f"channels must be 1 to {len(LADDER)} numbers, one for each of {LADDER}, "
                f"got {len(channels)}"
            )
        require_counts(**{f"channels at {r}²": c for r, c in zip(LADDER, channels, strict=False)})
        self.channels = list(channels)
        self.resolution = LADDER[0]
        self.alpha = 1.0

    def grow(self) -> list[nn.Parameter]:
        """Double the resolution; the new stage is drawn by torch's generator, and `alpha` is 0.

        Returns:
            The new parameters, for the optimiser; there may be none.

        Raises:
            ConfigError: the last resolution has been reached.
        """
        resolution = 2 * self.resolution
        require_resolution(resolution, len(self.channels))
        before = set(self.parameters())
        device = next(iter(before)).device
        self._add(resolution)
        self.to(device).train(self.training)
        if not any(parameter.requires_grad for parameter in before):
            self.requires_grad_(False)  # a moving average
        self.resolution, self.alpha = resolution, 0.0
        return [parameter for parameter in self.parameters() if parameter not in before]

    def grow_to(self, resolution: int) -> None:
        """Grow as often as it takes, all faded in.

        Raises:
            ConfigError: the resolution is not in the ladder, or there are no channels for it.
        """
        require_resolution(resolution, len(self.channels))
        while self.resolution < resolution:
            self.grow()
        self.alpha = 1.0

    def _add(self, resolution: int) -> None:
        """Make the stage of a resolution."""
        raise NotImplementedError


def require_resolution(resolution: int, steps: int = len(LADDER)) -> None:
    """Refuse what isn't one of the first `steps` of the ladder.

    Raises:
        ConfigError: it isn't.
    """
    if resolution not in LADDER[:steps]:
        raise ConfigError(f"resolution must be one of {LADDER[:steps]}, got {resolution}")


def exporting() -> bool:
    """Whether the call is being recorded: nothing may depend on the values of tensors then."""
    if is_scripting():
        return False
    else:  # noqa: RET505  # TorchScript leaves out this branch, and would compile what follows
        return torch.compiler.is_compiling()


def halve(images: Tensor) -> Tensor:
    """(N, C, H, W) to half the size, each pixel the mean of four."""
    return F.avg_pool2d(images, 2)


def double(images: Tensor) -> Tensor:
    """(N, C, H, W) to twice the size, each pixel four times; `halve` takes it back."""
    return F.interpolate(images, scale_factor=2.0, mode="nearest")


def faded(before: Tensor, after: Tensor, alpha: float) -> Tensor:
    """From one to the other; exactly the one at 0, exactly the other at 1."""
    return torch.lerp(before.to(after.dtype), after, alpha)


def fade_in(images: Tensor, alpha: float) -> Tensor:
    """Real images as a growing generator makes its own: half their size at 0, in full at 1.

    Args:
        images: (..., H, W), sides even.
        alpha: of the generator, in [0, 1].

    Returns:
        `images` blended with themselves, halved and doubled again; of the same shape.
    """
    if alpha >= 1:
        return images
    flat = images.reshape(-1, 1, images.shape[-2], images.shape[-1])
    return faded(double(halve(flat)), flat, alpha).reshape(images.shape)


def zero(layer: nn.Module) -> None:
    """Set all that a layer has learned to 0."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def dense(inputs: int, outputs: int, gain: float = 1.0) -> nn.Linear:
    """A dense layer that keeps the size of signals, times `gain`; its biases are 0."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, 0.0, gain * inputs**-0.5)
    nn.init.zeros_(layer.bias)
    return layer
