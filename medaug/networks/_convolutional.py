"""DCGAN's convolutions, up and down, on which the architectures put their inputs and heads.

Source: Radford et al. 2016 (arXiv 1511.06434). The defaults differ from the paper in three ways
that keep a GAN alive on a thousand images, all in the discriminator: no batch norm, He
initialisation, and a minibatch standard deviation.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from ..errors import ConfigError
from ._layers import (
    MinibatchStd,
    init_glorot_weights,
    init_he_weights,
    init_weights,
    num_doublings,
    require_counts,
)

LEAK = 0.2
"""Slope of the discriminator's leaky ReLUs below zero, as in DCGAN."""


def feature_maps(base_channels: int, widest: int, levels: int) -> list[int]:
    """Feature maps at each level, the largest maps first.

    Raises:
        ConfigError: a number is below 1.
    """
    require_counts(base_channels=base_channels, widest=widest)
    return [min(widest, 2**level) * base_channels for level in range(levels)]


def draw_discriminator(network: nn.Module, init: str) -> None:
    """Initialise a discriminator by name: "he" or "dcgan".

    Raises:
        ConfigError: the name is another.
    """
    ways = {"he": partial(init_he_weights, slope=LEAK), "dcgan": partial(init_weights, dense=True)}
    _draw(network, init, ways)


class ConvolutionalGenerator(nn.Module):
    """From vectors to images: a dense layer makes small maps, transposed convolutions double them.

    Subclasses say what the vectors are, in their `forward`. The options are described in
    `DCGANGenerator`.

    Args:
        inputs: length of a vector.
        embedding: of labels, where there are any; a part of the network that `forward` uses.

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(
        self,
        inputs: int,
        embedding: nn.Module | None = None,
        *,
        image_size: int,
        image_channels: int,
        base_channels: int,
        widest: int,
        seed_size: int,
        batch_norm: bool,
        final_convolution: bool,
        init: str,
    ) -> None:
        super().__init__()
        require_counts(image_channels=image_channels)
        levels = num_doublings(image_size, seed_size) + final_convolution
        widths = feature_maps(base_channels, widest, levels)[::-1]
        if embedding is not None:
            self.embedding = embedding
        self.project = nn.Linear(inputs, widths[0] * seed_size**2, bias=not batch_norm)
        layers = [*_norm(widths[0], batch_norm), nn.ReLU()]
        for before, after in pairwise(widths):
            layers.append(nn.ConvTranspose2d(before, after, 4, 2, 1, bias=not batch_norm))
            layers += [*_norm(after, batch_norm), nn.ReLU()]
        if final_convolution:
            layers += _same_convolution(widths[-1], image_channels)
        else:
            layers.append(nn.ConvTranspose2d(widths[-1], image_channels, 4, 2, 1))
        self.upsample = nn.Sequential(*layers, nn.Tanh())
        self.seed_shape = (widths[0], seed_size, seed_size)
        # Of a dense layer before batch norm the scale is of no account: init_weights leaves it.
        _draw(self, init, {"dcgan": init_weights, "glorot": init_glorot_weights})

    def render(self, vectors: Tensor) -> Tensor:
        """Images (N, C, H, W) float32 in [0, 1] from vectors (N, inputs)."""
        seed = self.project(vectors)
        seed = seed.view(-1, self.seed_shape[0], self.seed_shape[1], self.seed_shape[2])
        images: Tensor = self.upsample(seed)
        return (images.float() + 1) / 2


def downsampling(
    channels: int,
    *,
    image_size: int,
    base_channels: int,
    widest: int,
    seed_size: int,
    batch_norm: bool,
    first_convolution: bool,
    minibatch_std: bool,
    dropout: float,
) -> tuple[nn.Sequential, int]:
    """From images in ±1 to vectors: each convolution halves the maps; the last are flattened.

    `channels` are those of the images and of what stands beside them; the other options are
    described in `DCGANDiscriminator`.

    Returns:
        The layers, and how many maps, each `seed_size` × `seed_size`, the last ones are.

    Raises:
        ConfigError: an option is out of range.
    """
    require_counts(image_channels=channels)
    if not 0 <= dropout < 1:
        raise ConfigError(f"dropout must be at least 0 and below 1, got {dropout}")
    levels = num_doublings(image_size, seed_size) + first_convolution
    widths = feature_maps(base_channels, widest, levels)
    layers: list[nn.Module] = (
        _same_convolution(channels, widths[0])
        if first_convolution
        else [nn.Conv2d(channels, widths[0], 4, 2, 1)]
    )
    layers.append(nn.LeakyReLU(LEAK))
    for before, after in pairwise(widths):
        layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=not batch_norm))
        layers += [*_norm(after, batch_norm), nn.LeakyReLU(LEAK)]
    width = widths[-1]
    if minibatch_std:
        # No batch norm after it: that would take away what the batch has in common.
        layers += [MinibatchStd(), nn.Conv2d(width + 1, width, 3, padding=1), nn.LeakyReLU(LEAK)]
    layers.append(nn.Flatten())
    layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers), width


def _norm(width: int, batch_norm: bool) -> list[nn.Module]:
    return [nn.BatchNorm2d(width)] if batch_norm else []


def _same_convolution(before: int, after: int) -> list[nn.Module]:
    """A 4 × 4 convolution that keeps the size, padded as Keras does: one more right and below."""
    return [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(before, after, 4)]


def _draw(network: nn.Module, init: str, ways: Mapping[str, Callable[[nn.Module], None]]) -> None:
    if init not in ways:
        raise ConfigError(f"init must be one of {tuple(ways)}, got {init!r}")
    ways[init](network)
