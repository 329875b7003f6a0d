"""ACGAN: a generator told the class, and a discriminator that names source and class.

Source: Odena, Olah, Shlens 2017 (arXiv 1610.09585), in the layers of `_convolutional`, as in the
AIIN paper (arXiv 2309.12245).
"""

from torch import Tensor, nn

from ._conditional import ConditionalGenerator
from ._convolutional import downsampling, draw_discriminator
from ._layers import require_counts


class ACGANGenerator(ConditionalGenerator):
    """Images of a class from latent vectors; a `ConditionalGenerator` by another name."""


class ACGANDiscriminator(nn.Module):
    """Tell real images from made ones, and name their class.

    Args:
        image_size: height and width in pixels: 32, 64, 128 or 256.
        num_classes: how many classes there are.
        image_channels: 1 for grey, 3 for colour.
        base_channels: as in `DCGANDiscriminator`, and so are the options that are not named here.

    Shape:
        images (N, image_channels, image_size, image_size) float in [0, 1];
        source score (N,), a logit, positive for real; class logits (N, num_classes).

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
        num_classes: int = 3,
        image_channels: int = 1,
        base_channels: int = 32,
        widest: int = 4,
        seed_size: int = 4,
        batch_norm: bool = False,
        first_convolution: bool = False,
        minibatch_std: bool = True,
        dropout: float = 0.0,
        init: str = "he",
    ) -> None:
        super().__init__()
        require_counts(num_classes=num_classes)
        self.features, width = downsampling(
            image_channels,
            image_size=image_size,
            base_channels=base_channels,
            widest=widest,
            seed_size=seed_size,
            batch_norm=batch_norm,
            first_convolution=first_convolution,
            minibatch_std=minibatch_std,
            dropout=dropout,
        )
        self.source = nn.Linear(width * seed_size**2, 1)
        self.classes = nn.Linear(width * seed_size**2, num_classes)
        draw_discriminator(self, init)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Score the source and the class."""
        features = self.features(images * 2 - 1)
        return self.source(features).squeeze(1), self.classes(features)
