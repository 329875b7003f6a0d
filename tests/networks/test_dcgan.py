"""DCGAN: the textbook's networks, the AIIN author's, and ours, layer by layer."""

import pytest
import torch
from torch import nn

from medaug.networks import DCGANDiscriminator, DCGANGenerator

TEXTBOOK = {"image_size": 64, "base_channels": 64, "widest": 8}
AUTHOR = {"image_size": 128, "base_channels": 128, "widest": 1, "seed_size": 8}


def num_weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def convolution(before: int, after: int, bias: bool = True) -> int:
    """Weights of a 4 × 4 convolution, of either direction."""
    return before * after * 16 + after * bias


def normed(before: int, after: int) -> int:
    """The same with batch norm behind it, in place of the bias."""
    return convolution(before, after, bias=False) + 2 * after


def kinds(network: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in network.modules() if not list(layer.children())]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_textbooks_networks(channels: int) -> None:
    """512 to 64 maps; no batch norm before the generator's and after the discriminator's images."""
    generator = DCGANGenerator(**TEXTBOOK, image_channels=channels)
    assert num_weights(generator) == (
        100 * 512 * 16
        + 2 * 512
        + normed(512, 256)
        + normed(256, 128)
        + normed(128, 64)
        + convolution(64, channels)
    )
    stage = ["BatchNorm2d", "ReLU", "ConvTranspose2d"]
    assert kinds(generator) == ["Linear", *4 * stage, "Tanh"]
    discriminator = DCGANDiscriminator(
        **TEXTBOOK, image_channels=channels, batch_norm=True, minibatch_std=False, init="dcgan"
    )
    assert num_weights(discriminator) == (
        convolution(channels, 64)
        + normed(64, 128)
        + normed(128, 256)
        + normed(256, 512)
        + (512 * 16 + 1)
    )
    stage = ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert kinds(discriminator) == ["Conv2d", "LeakyReLU", *3 * stage, "Flatten", "Linear"]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_aiin_authors_networks(channels: int) -> None:
    """128 maps throughout, a dense layer of 8·8·128, no batch norm, dropout before the head."""
    generator = DCGANGenerator(
        **AUTHOR,
        image_channels=channels,
        batch_norm=False,
        final_convolution=True,
        init="glorot",
    )
    dense = 100 * 8 * 8 * 128 + 8 * 8 * 128
    assert num_weights(generator) == (
        dense + 4 * convolution(128, 128) + convolution(128, channels)
    )
    stage = ["ReLU", "ConvTranspose2d"]
    assert kinds(generator) == ["Linear", *4 * stage, "ReLU", "ZeroPad2d", "Conv2d", "Tanh"]
    assert generator(torch.randn(1, 100)).shape == (1, channels, 128, 128)
    discriminator = DCGANDiscriminator(
        **AUTHOR,
        image_channels=channels,
        first_convolution=True,
        minibatch_std=False,
        dropout=0.4,
        init="dcgan",
    )
    assert num_weights(discriminator) == (
        convolution(channels, 128) + 4 * convolution(128, 128) + (8 * 8 * 128 + 1)
    )
    stage = ["Conv2d", "LeakyReLU"]
    assert kinds(discriminator) == ["ZeroPad2d", *5 * stage, "Flatten", "Dropout", "Linear"]
    leaks = [x.negative_slope for x in discriminator.modules() if isinstance(x, nn.LeakyReLU)]
    assert leaks == [0.2] * 5


def test_convolution_of_stride_one_is_padded_as_keras_does() -> None:
    """One pixel left and above, two right and below, for 4 × 4: out[0] sees in[0] by tap 1."""
    features = DCGANDiscriminator(first_convolution=True, image_size=32, base_channels=1).features
    image = torch.zeros(1, 1, 32, 32)
    image[0, 0, 0, 31] = 1
    found = features[:2](image) - features[:2](torch.zeros(1, 1, 32, 32))
    taps = features[1].weight[0, 0]
    assert found.shape == (1, 1, 32, 32)
    # Row 0 is tap 1 of output row 0 and tap 0 of row 1; column 31 is tap 1 of column 31.
    assert torch.allclose(found[0, 0, :2, 29:], taps[:2, 1:].flip(0, 1), atol=1e-6)
    assert found[0, 0, 2:].abs().max() < 1e-6


def test_dropout_is_off_in_evaluation_and_on_in_training() -> None:
    """Two fifths of the features that the head sees are zero while training."""
    torch.manual_seed(0)
    features = DCGANDiscriminator(dropout=0.4).features
    images = torch.rand(2, 1, 64, 64)
    assert features(images).eq(0).float().mean().item() == pytest.approx(0.4, abs=0.05)
    assert not features.eval()(images).eq(0).any()


def test_the_label_changes_nothing() -> None:
    """The call is that of every generator."""
    generator = DCGANGenerator(image_size=32).eval()
    latent = torch.randn(3, 100)
    assert torch.equal(generator(latent), generator(latent, torch.tensor([2, 0, 1])))


def test_default_is_the_acgan_without_its_label_and_classes() -> None:
    """The layers that results were measured with: He, minibatch std, 32 to 128 maps."""
    generator, discriminator = DCGANGenerator(), DCGANDiscriminator()
    assert num_weights(generator) == (
        100 * 128 * 16
        + 2 * 128
        + normed(128, 128)
        + normed(128, 64)
        + normed(64, 32)
        + convolution(32, 1)
    )
    assert num_weights(discriminator) == (
        convolution(1, 32)
        + convolution(32, 64)
        + convolution(64, 128)
        + convolution(128, 128)
        + (129 * 128 * 9 + 128)
        + (128 * 16 + 1)
    )
