"""The ACGAN's networks: their layers, how they are drawn, what the label does."""

import pytest
import torch
from torch import nn

from medaug.errors import ConfigError
from medaug.networks import (
    ACGANDiscriminator,
    ACGANGenerator,
    ConditionalGenerator,
    MinibatchStd,
    init_he_weights,
    init_weights,
)


def plain_generator() -> nn.ModuleDict:
    """The default generator's layers for 64 × 64, one by one."""
    return nn.ModuleDict(
        {
            "embedding": nn.Embedding(3, 100),
            "project": nn.Linear(200, 128 * 16, bias=False),
            "upsample": nn.Sequential(
                nn.BatchNorm2d(128),
                nn.ReLU(),
                nn.ConvTranspose2d(128, 128, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(128),
                nn.ReLU(),
                nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(64),
                nn.ReLU(),
                nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(32),
                nn.ReLU(),
                nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1),
                nn.Tanh(),
            ),
        }
    )


def plain_discriminator() -> nn.ModuleDict:
    """The default discriminator's layers for 64 × 64, one by one."""
    return nn.ModuleDict(
        {
            "features": nn.Sequential(
                nn.Conv2d(1, 32, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(32, 64, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(64, 128, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(128, 128, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
                MinibatchStd(),
                nn.Conv2d(129, 128, 3, padding=1),
                nn.LeakyReLU(0.2),
                nn.Flatten(),
            ),
            "source": nn.Linear(128 * 16, 1),
            "classes": nn.Linear(128 * 16, 3),
        }
    )


def assert_same_weights(network: nn.Module, plain: nn.Module) -> None:
    found, expected = network.state_dict(), plain.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_generator_has_the_layers_that_results_were_measured_with() -> None:
    """From one seed the same names and weights, and the same images."""
    torch.manual_seed(5)
    plain = plain_generator()
    init_weights(plain)
    torch.manual_seed(5)
    generator = ACGANGenerator()
    assert_same_weights(generator, plain)
    latent, label = torch.randn(6, 100), torch.arange(6) % 3
    vectors = torch.cat([latent, plain["embedding"](label)], dim=1)
    images = plain["upsample"](plain["project"](vectors).view(6, 128, 4, 4))
    assert torch.equal(generator(latent, label), (images + 1) / 2)


def test_discriminator_has_the_layers_that_results_were_measured_with() -> None:
    """From one seed the same names and weights, and the same scores."""
    torch.manual_seed(5)
    plain = plain_discriminator()
    init_he_weights(plain, 0.2)
    torch.manual_seed(5)
    discriminator = ACGANDiscriminator()
    assert_same_weights(discriminator, plain)
    images = torch.rand(4, 1, 64, 64)
    features = plain["features"](images * 2 - 1)
    source, classes = discriminator(images)
    assert torch.equal(source, plain["source"](features)[:, 0])
    assert torch.equal(classes, plain["classes"](features))


def test_generator_is_a_conditional_one() -> None:
    """So that what is written for the one works for the other."""
    assert issubclass(ACGANGenerator, ConditionalGenerator)


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
    turns = torch.tensor([0, 1, 2, 0, 1])
    assert torch.equal(generator(latent), generator(latent, turns))
    scripted = torch.jit.script(generator)
    assert torch.allclose(scripted(latent), generator(latent), atol=1e-6)


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


def test_projection_adds_what_the_label_says() -> None:
    """⟨e(label), φ⟩ on the source score, nothing at first; the class logits are not told."""
    torch.manual_seed(0)
    discriminator = ACGANDiscriminator(image_size=32, base_channels=4, projection=True)
    images, label = torch.rand(5, 1, 32, 32), torch.tensor([0, 1, 2, 0, 1])
    before, classes = discriminator(images, label)
    torch.nn.init.normal_(discriminator.label.weight)
    after, same = discriminator(images, label)
    features = discriminator.features(images * 2 - 1)
    expected = (discriminator.label.weight[label] * features).sum(1).tolist()
    assert (after - before).tolist() == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert torch.equal(classes, same)


def test_projection_without_a_label_is_refused() -> None:
    """In one line."""
    discriminator = ACGANDiscriminator(image_size=32, base_channels=4, projection=True)
    with pytest.raises(ConfigError, match="must be given the label"):
        discriminator(torch.rand(2, 1, 32, 32))
