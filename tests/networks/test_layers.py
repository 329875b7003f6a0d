"""Layers and initialisation that architectures share."""

import pytest
import torch
from torch import Tensor, nn

from medaug.networks import (
    ConditionalGenerator,
    DCGANDiscriminator,
    DCGANGenerator,
    MinibatchStd,
    init_he_weights,
    init_weights,
)


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


def assert_drawn(weight: Tensor, mean: float, deviation: float) -> None:
    """Within four standard errors of N(mean, deviation)."""
    n = weight.numel()
    assert weight.mean().item() == pytest.approx(mean, abs=4 * deviation / n**0.5)
    assert weight.std().item() == pytest.approx(deviation, rel=4 / (2 * n) ** 0.5)


def test_init_weights_draws_as_dcgan_does() -> None:
    """N(0, 0.02) for convolutions and embeddings, N(1, 0.02) and 0 for batch norm."""
    torch.manual_seed(0)
    network = nn.ModuleList(
        [
            nn.Conv2d(8, 16, 4),
            nn.ConvTranspose2d(8, 16, 4),
            nn.Embedding(9, 99),
            nn.BatchNorm2d(999),
            nn.Linear(99, 9),
        ]
    )
    nn.init.ones_(network[3].bias)
    dense = network[4].weight.clone()
    init_weights(network)
    for layer in network[:3]:
        assert_drawn(layer.weight, 0, 0.02)
    assert_drawn(network[3].weight, 1, 0.02)
    assert not network[3].bias.any()
    assert torch.equal(network[4].weight, dense)
    init_weights(network, dense=True)
    assert_drawn(network[4].weight, 0, 0.02)


def test_he_weights_have_the_papers_deviation() -> None:
    """√(2 / ((1 + slope²) · fan-in)), biases zero; embeddings as in `init_weights`."""
    torch.manual_seed(0)
    network = nn.ModuleList([nn.Conv2d(32, 64, 4), nn.Embedding(9, 99)])
    init_he_weights(network, 0.2)
    assert_drawn(network[0].weight, 0, (2 / (1.04 * 32 * 16)) ** 0.5)
    assert not network[0].bias.any()
    assert_drawn(network[1].weight, 0, 0.02)


def test_glorot_weights_have_kerass_limits() -> None:
    """Uniform within ±√(6 / (fan-in + fan-out)), biases zero."""
    torch.manual_seed(0)
    generator = DCGANGenerator(widest=1, batch_norm=False, final_convolution=True, init="glorot")
    dense, first = generator.project, generator.upsample[1]
    last = generator.upsample[-2]
    fans = {dense: 100 + 512, first: 2 * 32 * 16, last: 33 * 16}
    for layer, fan in fans.items():
        limit = (6 / fan) ** 0.5
        assert 0.95 * limit < layer.weight.abs().max().item() <= limit
        assert layer.weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.05)
        assert not layer.bias.any()


def test_a_discriminator_drawn_as_dcgan_has_its_head_drawn_too() -> None:
    """The paper draws all weights from N(0, 0.02)."""
    torch.manual_seed(0)
    discriminator = DCGANDiscriminator(init="dcgan")
    assert_drawn(discriminator.source.weight, 0, 0.02)
    assert_drawn(discriminator.features[2].weight, 0, 0.02)


@pytest.mark.parametrize("codes", [None, [[0] * 40, [1] * 40]], ids=["embedding", "codes"])
@pytest.mark.parametrize("init", ["dcgan", "glorot"])
def test_labels_are_drawn_weak_in_every_way(codes: list[list[int]] | None, init: str) -> None:
    """N(0, 0.02) in the generator, whichever way the rest is drawn."""
    torch.manual_seed(0)
    num_classes = 40 if codes is None else 2
    generator = ConditionalGenerator(num_classes=num_classes, codes=codes, init=init)
    assert generator.embedding.weight.shape == (40, 100)
    assert_drawn(generator.embedding.weight, 0, 0.02)
