"""Layers and initialisation that several architectures share."""

from math import log2

import torch
from torch import Tensor, nn

from ..errors import ConfigError

SIZES = (32, 64, 128, 256)
SEED_SIZE = 4
"""Side, in pixels, of the feature map that generators start from and discriminators end at."""


def num_doublings(image_size: int) -> int:
    """How many times `SEED_SIZE` doubles to reach `image_size`.

    Raises:
        ConfigError: the size is not one of `SIZES`.
    """
    if image_size not in SIZES:
        raise ConfigError(f"image_size must be one of {SIZES}, got {image_size}")
    return int(log2(image_size // SEED_SIZE))


def init_weights(network: nn.Module) -> None:
    """Draw weights as DCGAN does: convolutions from N(0, 0.02), batch norm from N(1, 0.02).

    Source: Radford et al. 2016 (arXiv 1511.06434), section 4; the batch-norm part from their code.
    Embeddings are drawn from N(0, 0.02) too, so that labels begin weak: from PyTorch's N(0, 1),
    as strong as the latent vector, each class collapsed onto one image (docs/results).
    Linear layers keep PyTorch's own initialisation.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Embedding):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)


def init_he_weights(network: nn.Module, slope: float) -> None:
    """Draw convolutions so that signals keep their size through leaky ReLUs without batch norm.

    Source: He et al. 2015 (arXiv 1502.01852), eq. 15. Biases are zero.

    Args:
        network: its convolutions are drawn anew.
        slope: of the leaky ReLUs below zero.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, slope)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class MinibatchStd(nn.Module):
    """Append one channel that tells how much the images of the batch differ.

    The mean over channels and pixels of the standard deviation over the batch, so that a
    discriminator sees a collapsed batch. Source: Karras et al. 2018 (arXiv 1710.10196), section 3,
    with the whole batch as one group.

    Shape: (N, C, H, W) to (N, C + 1, H, W).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Append the channel."""
        deviation = (x.float().var(dim=0, unbiased=False) + 1e-8).sqrt().mean().to(x.dtype)
        return torch.cat([x, deviation.expand(x.shape[0], 1, x.shape[2], x.shape[3])], dim=1)
