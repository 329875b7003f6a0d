"""The ACGAN's networks: shapes, ranges, conditioning, export."""

import pytest
import torch

from medaug.errors import ConfigError
from medaug.networks import ACGANDiscriminator, ACGANGenerator, MinibatchStd


@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_shapes_and_range_at_every_size(size: int) -> None:
    """Images have the asked-for size and lie in [0, 1]; the discriminator has both heads."""
    torch.manual_seed(0)
    generator = ACGANGenerator(image_size=size, num_classes=4, latent_dim=7, base_channels=4)
    discriminator = ACGANDiscriminator(image_size=size, num_classes=4, base_channels=4)
    images = generator(torch.randn(3, 7), torch.tensor([0, 1, 3]))
    source, classes = discriminator(images)
    assert images.shape == (3, 1, size, size)
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert source.shape == (3,)
    assert classes.shape == (3, 4)


def test_label_and_latent_both_change_the_image() -> None:
    """Neither half of the input is ignored by a fresh network."""
    torch.manual_seed(0)
    generator = ACGANGenerator(image_size=32).eval()
    latent = torch.randn(2, 100)
    base = generator(latent, torch.tensor([0, 0]))
    assert not torch.allclose(base, generator(latent, torch.tensor([1, 1])))
    assert not torch.allclose(base[0], base[1])


def test_classes_take_turns_without_labels() -> None:
    """What MONAI's verifier calls with one argument is the same as labels 0, 1, 2, 0, …."""
    torch.manual_seed(0)
    generator = ACGANGenerator(image_size=32).eval()
    latent = torch.randn(5, 100)
    assert torch.equal(generator(latent), generator(latent, torch.tensor([0, 1, 2, 0, 1])))


def test_scripted_generator_equals_eager() -> None:
    """TorchScript gives the same images, with labels and without."""
    torch.manual_seed(0)
    generator = ACGANGenerator(image_size=32).eval()
    scripted = torch.jit.script(generator)
    latent, label = torch.randn(3, 100), torch.tensor([2, 0, 1])
    assert torch.allclose(scripted(latent, label), generator(latent, label), atol=1e-6)
    assert torch.allclose(scripted(latent), generator(latent), atol=1e-6)


def test_minibatch_std_against_its_formula() -> None:
    """The added channel is the mean of standard deviations, zero for a collapsed batch."""
    x = torch.rand(4, 3, 2, 2, dtype=torch.float64)
    added = MinibatchStd()(x)[:, 3:]
    expected = sum(
        x[:, c, i, j].std(unbiased=False) for c in range(3) for i in range(2) for j in range(2)
    ) / torch.tensor(12)
    assert torch.allclose(added, expected.expand(4, 1, 2, 2), atol=1e-6)
    collapsed = MinibatchStd()(x[:1].expand(4, -1, -1, -1))[:, 3:]
    assert collapsed.abs().max() < 1e-3


@pytest.mark.parametrize("network", [ACGANGenerator, ACGANDiscriminator])
def test_refuses_a_size_off_the_ladder(network: type) -> None:
    """The error names what is allowed and what was given."""
    with pytest.raises(
        ConfigError, match=r"image_size must be one of \(32, 64, 128, 256\), got 48"
    ):
        network(image_size=48)


def test_refuses_an_empty_latent() -> None:
    """A latent vector has at least one number."""
    with pytest.raises(ConfigError, match="latent_dim must be at least 1, got 0"):
        ACGANGenerator(latent_dim=0)


def test_labels_begin_weak() -> None:
    """In a fresh generator the latent vector decides, so that no class starts as one image."""
    torch.manual_seed(0)
    generator = ACGANGenerator(image_size=32).eval()
    latent, label = torch.randn(60, 100), torch.arange(60) % 3
    change_of_label = generator(latent, label) - generator(latent, label.roll(1))
    change_of_latent = generator(latent, label) - generator(latent.roll(3, 0), label)
    assert change_of_label.std() < 0.2 * change_of_latent.std()


def test_scores_of_a_fresh_discriminator_differ_between_images() -> None:
    """Signals neither vanish nor explode on their way through the layers without batch norm."""
    torch.manual_seed(0)
    discriminator = ACGANDiscriminator(image_size=128)
    features = discriminator.features(torch.rand(16, 1, 128, 128) * 2 - 1)
    assert 0.1 < features.std().item() < 10
