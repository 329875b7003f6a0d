"""DCGAN: images from noise alone, in the layers of `_convolutional`.

Source: Radford, Metz, Chintala 2016 (arXiv 1511.06434).

With keyword arguments alone, these are also

- the textbook's: ``base_channels=64, widest=8`` for both, and for the discriminator
  ``batch_norm=True, minibatch_std=False, init="dcgan"``;
- the AIIN author's (their public code of 2022): ``image_size=128, base_channels=128, widest=1,
  seed_size=8`` for both; for the generator ``batch_norm=False, final_convolution=True,
  init="glorot"``; for the discriminator ``first_convolution=True, minibatch_std=False,
  dropout=0.4, init="dcgan"``. Two faults of that code are not made again: images in [0, 1] set
  against a tanh in ±1, and ±1 written as 8-bit numbers. Here both networks meet in ±1.
"""

from torch import Tensor, nn

from ._convolutional import ConvolutionalGenerator, downsampling, draw_discriminator
from ._layers import require_counts


class DCGANGenerator(ConvolutionalGenerator):
    """Images from latent vectors.

    Args:
        image_size: height and width in pixels: 32, 64, 128 or 256.
        latent_dim: length of a latent vector, drawn from N(0, 1).
        image_channels: 1 for grey, 3 for colour.
        base_channels: feature maps before the last layer; they double with each halving of the
            size.
        widest: how many times `base_channels` the smallest maps have at most.
        seed_size: side, in pixels, of the maps that the dense layer makes: 4, 8 or 16.
        batch_norm: after each layer but the last.
        final_convolution: the last layer doesn't double the maps, but keeps their size (4 × 4,
            stride 1); one more transposed convolution before it does.
        init: "dcgan" (`init_weights`) or "glorot" (Keras's default).

    Shape:
        latent (N, latent_dim) float, label ignored;
        images (N, image_channels, image_size, image_size) float32 in [0, 1].

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
        latent_dim: int = 100,
        image_channels: int = 1,
        base_channels: int = 32,
        widest: int = 4,
        seed_size: int = 4,
        batch_norm: bool = True,
        final_convolution: bool = False,
        init: str = "dcgan",
    ) -> None:
        require_counts(latent_dim=latent_dim)
        super().__init__(
            latent_dim,
            image_size=image_size,
            image_channels=image_channels,
            base_channels=base_channels,
            widest=widest,
            seed_size=seed_size,
            batch_norm=batch_norm,
            final_convolution=final_convolution,
            init=init,
        )

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Make images; a label changes nothing."""
        del label
        return self.render(latent)


class DCGANDiscriminator(nn.Module):
    """Tell real images from made ones.

    Args:
        image_size: height and width in pixels: 32, 64, 128 or 256.
        image_channels: 1 for grey, 3 for colour.
        base_channels: feature maps after the first layer; they double with each halving of the
            size.
        widest: how many times `base_channels` the smallest maps have at most.
        seed_size: side, in pixels, of the last maps: 4, 8 or 16.
        batch_norm: after each layer but the first and the one of `minibatch_std`.
        first_convolution: a layer before the others keeps the size (4 × 4, stride 1).
        minibatch_std: `MinibatchStd` and a convolution that reads it, after the halvings.
        dropout: probability that a feature is dropped before the heads, in [0, 1).
        init: "he" (`init_he_weights`) or "dcgan" (`init_weights`, linear layers too).

    Shape:
        images (N, image_channels, image_size, image_size) float in [0, 1];
        a tuple of one: the score (N,), a logit, positive for real.

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
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
        draw_discriminator(self, init)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Score the source."""
        return (self.source(self.features(images * 2 - 1)).squeeze(1),)
