"""ACGAN: a generator told the class, and a discriminator that names source and class.

Source: Odena, Olah, Shlens 2017 (arXiv 1610.09585), in DCGAN's layers (arXiv 1511.06434), as in the
AIIN paper (arXiv 2309.12245). Ours differs from them in three ways that keep it alive on a thousand
images: no batch norm and no dropout in the discriminator, and a minibatch standard deviation there.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ._layers import SEED_SIZE, MinibatchStd, init_he_weights, init_weights, num_doublings

LEAK = 0.2
"""Slope of the discriminator's leaky ReLUs below zero, as in DCGAN."""


class ACGANGenerator(nn.Module):
    """Images of a class from latent vectors.

    The class label's embedding stands beside the latent vector; a dense layer makes 4 × 4 feature
    maps, and transposed convolutions double them up to `image_size`.

    Args:
        image_size: height and width in pixels: 32, 64, 128 or 256.
        num_classes: how many classes there are.
        latent_dim: length of a latent vector, drawn from N(0, 1).
        image_channels: 1 for grey, 3 for colour.
        base_channels: feature maps before the last layer; they double with each halving of the
            size, up to four times this number.

    Shape:
        latent (N, latent_dim) float, label (N,) int64 in 0 … num_classes - 1;
        images (N, image_channels, image_size, image_size) float in [0, 1].

    Raises:
        ConfigError: the image size is not one of those above, or a count is below 1.
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
        num_classes: int = 3,
        latent_dim: int = 100,
        image_channels: int = 1,
        base_channels: int = 32,
    ) -> None:
        super().__init__()
        doublings = num_doublings(image_size)
        for name, count in (("num_classes", num_classes), ("latent_dim", latent_dim)):
            if count < 1:
                raise ConfigError(f"{name} must be at least 1, got {count}")
        self.num_classes = num_classes
        widths = [min(4, 2**level) * base_channels for level in reversed(range(doublings))]
        self.embedding = nn.Embedding(num_classes, latent_dim)
        self.project = nn.Linear(2 * latent_dim, widths[0] * SEED_SIZE**2, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0]), nn.ReLU()]
        for before, after in pairwise(widths):
            layers += [
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        layers += [
            nn.ConvTranspose2d(widths[-1], image_channels, 4, stride=2, padding=1),
            nn.Tanh(),
        ]
        self.upsample = nn.Sequential(*layers)
        self.seed_shape = (widths[0], SEED_SIZE, SEED_SIZE)
        init_weights(self)

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Make images; without labels, the classes take turns."""
        if label is None:
            label = torch.arange(latent.shape[0], device=latent.device) % self.num_classes
        seed = self.project(torch.cat([latent, self.embedding(label)], dim=1))
        seed = seed.view(-1, self.seed_shape[0], self.seed_shape[1], self.seed_shape[2])
        images: Tensor = self.upsample(seed)
        return (images.float() + 1) / 2


class ACGANDiscriminator(nn.Module):
    """Tell real images from made ones, and name their class.

    Args:
        image_size: height and width in pixels: 32, 64, 128 or 256.
        num_classes: how many classes there are.
        image_channels: 1 for grey, 3 for colour.
        base_channels: feature maps after the first layer; they double with each halving of the
            size, up to four times this number.

    Shape:
        images (N, image_channels, image_size, image_size) float in [0, 1];
        source score (N,), a logit, positive for real; class logits (N, num_classes).

    Raises:
        ConfigError: the image size is not one of those above.
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
        num_classes: int = 3,
        image_channels: int = 1,
        base_channels: int = 32,
    ) -> None:
        super().__init__()
        widths = [min(4, 2**level) * base_channels for level in range(num_doublings(image_size))]
        layers: list[nn.Module] = []
        for before, after in pairwise([image_channels, *widths]):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(LEAK)]
        width = widths[-1]
        layers += [MinibatchStd(), nn.Conv2d(width + 1, width, 3, padding=1), nn.LeakyReLU(LEAK)]
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.source = nn.Linear(width * SEED_SIZE**2, 1)
        self.classes = nn.Linear(width * SEED_SIZE**2, num_classes)
        init_he_weights(self, LEAK)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Score the source and the class."""
        features = self.features(images * 2 - 1)
        return self.source(features).squeeze(1), self.classes(features)
