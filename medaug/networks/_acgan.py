"""ACGAN: a generator told the class, and a discriminator that names source and class.

Source: Odena, Olah, Shlens 2017 (arXiv 1610.09585), in the layers of `_convolutional`, as in the
AIIN paper (arXiv 2309.12245).
"""

from torch import Tensor, nn

from ..errors import ConfigError
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
        projection: the source score is told the label, too: ⟨e(label), φ⟩ is added to it, as in
            `ConditionalDiscriminator`. On few images this keeps classes diverse where a class head
            alone favours what is easy to classify.

    Shape:
        images (N, image_channels, image_size, image_size) float in [0, 1], label (N,) int64 in
        0 … num_classes - 1, looked at with projection only;
        source score (N,), positive for real; class logits (N, num_classes).

    Raises:
        ConfigError: an option is out of range; in `forward`, projection has no label.
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
        num_classes: int = 3,
        image_channels: int = 1,
        base_channels: int = 32,
        projection: bool = False,
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
        length = width * seed_size**2
        self.source = nn.Linear(length, 1)
        self.classes = nn.Linear(length, num_classes)
        draw_discriminator(self, init)
        self.label = nn.Embedding(num_classes, length) if projection else None
        if self.label is not None:
            nn.init.zeros_(self.label.weight)

    def forward(self, images: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Score the source and the class."""
        features = self.features(images * 2 - 1)
        source = self.source(features).squeeze(1)
        if self.label is not None:
            if label is None:
                raise ConfigError("a discriminator with projection must be given the label")
            source = source + (self.label(label) * features).sum(1)
        return source, self.classes(features)
