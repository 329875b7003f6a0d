"""Conditional GAN: both networks are told the class.

Sources: Mirza & Osindero 2014 (arXiv 1411.1784); the projection discriminator: Miyato & Koyama 2018
(arXiv 1802.05637). The layers are those of `_convolutional`.
"""

import torch
from torch import Tensor, nn

from ._convolutional import ConvolutionalGenerator, downsampling, draw_discriminator
from ._labels import ClassCodes, Codes, label_embedding
from ._layers import require_counts


class ConditionalGenerator(ConvolutionalGenerator):
    """Images of a class from latent vectors: the label's embedding stands beside the latent vector.

    Args:
        image_size: height and width in pixels: 32, 64, 128 or 256.
        num_classes: how many classes there are.
        latent_dim: length of a latent vector, drawn from N(0, 1), and of a label's embedding.
        image_channels: 1 for grey, 3 for colour.
        base_channels: as in `DCGANGenerator`, and so are the options that are not named here.
        codes: where classes are combinations of attributes, the attributes of each class: one row
            of 0s and 1s a class. Attributes then have an embedding each, and a class the sum of
            its own, so that a rare combination learns from the others.

    Shape:
        latent (N, latent_dim) float, label (N,) int64 in 0 … num_classes - 1;
        images (N, image_channels, image_size, image_size) float32 in [0, 1].

    Raises:
        ConfigError: an option is out of range, or the codes don't fit the classes.
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
        num_classes: int = 3,
        latent_dim: int = 100,
        image_channels: int = 1,
        base_channels: int = 32,
        codes: Codes | None = None,
        widest: int = 4,
        seed_size: int = 4,
        batch_norm: bool = True,
        final_convolution: bool = False,
        init: str = "dcgan",
    ) -> None:
        require_counts(latent_dim=latent_dim)
        super().__init__(
            2 * latent_dim,
            label_embedding(num_classes, latent_dim, codes),
            image_size=image_size,
            image_channels=image_channels,
            base_channels=base_channels,
            widest=widest,
            seed_size=seed_size,
            batch_norm=batch_norm,
            final_convolution=final_convolution,
            init=init,
        )
        self.num_classes = num_classes

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Make images; without labels, the classes take turns."""
        if label is None:
            label = torch.arange(latent.shape[0], device=latent.device) % self.num_classes
        return self.render(torch.cat([latent, self.embedding(label)], dim=1))


class ConditionalDiscriminator(nn.Module):
    """Tell real images of a class from made ones; the logit is the sum of both heads.

    With projection, the second head is ⟨e(label), φ⟩, where φ are the last feature maps, flattened
    (the paper sums them over their pixels), and e an embedding that begins at zero, so that labels
    begin weak; the first is a linear layer of φ. Without, the label stands beside the image as
    constant maps, one for each class (or attribute), 1 for the one given and 0 for the others, and
    the second head is zero.

    Args:
        image_size: height and width in pixels: 32, 64, 128 or 256.
        num_classes: how many classes there are.
        image_channels: 1 for grey, 3 for colour.
        base_channels: as in `DCGANDiscriminator`, and so are the options that are not named here.
        projection: whether labels come in by projection or as maps.
        codes: attributes of each class, as in `ConditionalGenerator`.

    Shape:
        images (N, image_channels, image_size, image_size) float in [0, 1],
        label (N,) int64 in 0 … num_classes - 1;
        score (N,) and label score (N,), positive for real images of that class.

    Raises:
        ConfigError: an option is out of range, or the codes don't fit the classes.
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
        num_classes: int = 3,
        image_channels: int = 1,
        base_channels: int = 32,
        projection: bool = True,
        codes: Codes | None = None,
        widest: int = 4,
        seed_size: int = 4,
        batch_norm: bool = False,
        first_convolution: bool = False,
        minibatch_std: bool = True,
        dropout: float = 0.0,
        init: str = "he",
    ) -> None:
        super().__init__()
        require_counts(image_channels=image_channels)
        self.projection = projection
        maps = ClassCodes(num_classes, codes)
        self.features, width = downsampling(
            image_channels if projection else image_channels + maps.num_attributes,
            image_size=image_size,
            base_channels=base_channels,
            widest=widest,
            seed_size=seed_size,
            batch_norm=batch_norm,
            first_convolution=first_convolution,
            minibatch_std=minibatch_std,
            dropout=dropout,
        )
        length = width * seed_size**2
        self.source = nn.Linear(length, 1)
        self.label = label_embedding(num_classes, length, codes) if projection else maps
        draw_discriminator(self, init)
        if projection:
            for weight in self.label.parameters():
                nn.init.zeros_(weight)

    def forward(self, images: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Score the source, and how the label suits the image."""
        images = images * 2 - 1
        told = self.label(label)
        if not self.projection:
            maps = told[:, :, None, None].expand(-1, -1, images.shape[2], images.shape[3])
            images = torch.cat([images, maps], dim=1)
        features = self.features(images)
        score = self.source(features).squeeze(1)
        if not self.projection:
            return score, torch.zeros_like(score)
        return score, (told * features).sum(1)
