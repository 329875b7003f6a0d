"""Layers and initialisation that several architectures share."""

from math import log2

import torch
from torch import Tensor, nn

from ..errors import ConfigError

SIZES = (32, 64, 128, 256)
SEED_SIZES = (4, 8, 16)
SPREAD = 0.02
"""Standard deviation of DCGAN's weights, and of every label embedding here."""


def num_doublings(image_size: int, seed_size: int = 4) -> int:
    """How many times `seed_size` doubles to reach `image_size`.

    Raises:
        ConfigError: the image size is not one of `SIZES`, or the other not one of `SEED_SIZES`.
    """
    if image_size not in SIZES:
        raise ConfigError(f"image_size must be one of {SIZES}, got {image_size}")
    if seed_size not in SEED_SIZES:
        raise ConfigError(f"seed_size must be one of {SEED_SIZES}, got {seed_size}")
    return int(log2(image_size // seed_size))


def require_counts(**counts: int) -> None:
    """Check numbers of things.

    Raises:
        ConfigError: one is below 1.
    """
    for name, count in counts.items():
        if count < 1:
            raise ConfigError(f"{name} must be at least 1, got {count}")


def init_weights(network: nn.Module, *, dense: bool = False) -> None:
    """Draw weights as DCGAN does: convolutions from N(0, 0.02), batch norm from N(1, 0.02).

    Source: Radford et al. 2016 (arXiv 1511.06434), section 4; the batch-norm part from their code.
    Embeddings are drawn from N(0, 0.02) too, so that labels begin weak: from PyTorch's N(0, 1),
    as strong as the latent vector, each class collapsed onto one image (docs/results).

    Args:
        network: its layers are drawn anew.
        dense: draw linear layers from N(0, 0.02) too; otherwise they keep PyTorch's own.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Embedding) or (
            dense and isinstance(layer, nn.Linear)
        ):
            nn.init.normal_(layer.weight, 0.0, SPREAD)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, SPREAD)
            nn.init.zeros_(layer.bias)


def init_he_weights(network: nn.Module, slope: float) -> None:
    """Draw convolutions so that signals keep their size through leaky ReLUs without batch norm.

    Source: He et al. 2015 (arXiv 1502.01852), eq. 15. Biases are zero; embeddings are drawn as in
    `init_weights`, and other layers left alone.

    Args:
        network: its convolutions and embeddings are drawn anew.
        slope: of the leaky ReLUs below zero.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, slope)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, 0.0, SPREAD)


def init_glorot_weights(network: nn.Module) -> None:
    """Draw convolutions and linear layers as Keras does by default.

    Source: Glorot & Bengio 2010 (AISTATS), eq. 16. Biases are zero; embeddings are drawn as in
    `init_weights`.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, 0.0, SPREAD)


class MinibatchStd(nn.Module):
    """Append one channel that tells how much the images of the batch differ.

    The mean over channels and pixels of the standard deviation over the batch, so that a
    discriminator sees a collapsed batch. Source: Karras et al. 2018 (arXiv 1710.10196), section 3,
    with the whole batch as one group.

    Shape: (N, C, H, W) to (N, C + 1, H, W).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Append the channel."""
        wide = x.float()
        # On the CPU three times as fast as Tensor.var over the first dimension.
        variance = (wide - wide.mean(dim=0)).square().mean(dim=0)
        deviation = (variance + 1e-8).sqrt().mean().to(x.dtype)
        return torch.cat([x, deviation.expand(x.shape[0], 1, x.shape[2], x.shape[3])], dim=1)
