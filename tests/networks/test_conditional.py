"""The conditional GAN's networks: how labels come in."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import ConfigError
from medaug.networks import ConditionalDiscriminator, ConditionalGenerator

CODES = [[0, 0], [0, 1], [1, 0], [1, 1]]
LABEL = torch.tensor([3, 0, 2, 1, 2])


@pytest.mark.parametrize("codes", [None, CODES], ids=["classes", "codes"])
def test_projection_is_the_stated_formula(codes: list[list[int]] | None) -> None:
    """⟨e(y), φ⟩ beside a linear layer of φ, in float64 by NumPy."""
    torch.manual_seed(0)
    discriminator = ConditionalDiscriminator(
        image_size=32, num_classes=4, base_channels=4, codes=codes
    )
    torch.nn.init.normal_(discriminator.label.weight)
    images = torch.rand(5, 1, 32, 32)
    score, label_score = discriminator(images, LABEL)
    # The layer before the last flattens the maps (N, width, 4, 4).
    maps = discriminator.features[:-1](images * 2 - 1).detach().double().numpy()
    vectors = discriminator.label.weight.detach().double().numpy()
    embedded = vectors[LABEL] if codes is None else np.array(CODES)[LABEL] @ vectors
    expected = (embedded.reshape(5, 16, 4, 4) * maps).sum((1, 2, 3))
    assert maps.shape == (5, 16, 4, 4)
    assert label_score.tolist() == pytest.approx(expected, rel=1e-4, abs=1e-6)
    head = discriminator.source.weight[0].detach().double().numpy().reshape(16, 4, 4)
    source = (maps * head).sum((1, 2, 3)) + discriminator.source.bias.item()
    assert score.tolist() == pytest.approx(source, rel=1e-4)


def test_projected_labels_begin_at_nothing_and_are_learned() -> None:
    """The embedding is zero, and has a gradient."""
    discriminator = ConditionalDiscriminator(image_size=32, num_classes=4, base_channels=4)
    _, label_score = discriminator(torch.rand(5, 1, 32, 32), LABEL)
    assert torch.equal(label_score, torch.zeros(5))
    label_score.sum().backward()
    assert (discriminator.label.weight.grad[LABEL].abs().sum(1) > 0).all()


@pytest.mark.parametrize("codes", [None, CODES], ids=["classes", "codes"])
def test_label_maps_stand_beside_the_image(codes: list[list[int]] | None) -> None:
    """Constant maps, 1 for the class (or attribute) and 0 for others; the second head is zero."""
    torch.manual_seed(0)
    discriminator = ConditionalDiscriminator(
        image_size=32, num_classes=4, base_channels=4, projection=False, codes=codes
    )
    images = torch.rand(5, 1, 32, 32)
    score, label_score = discriminator(images, LABEL)
    table = torch.eye(4) if codes is None else torch.tensor(CODES).float()
    told = [images * 2 - 1] + [
        table[LABEL, k].view(5, 1, 1, 1).expand(5, 1, 32, 32) for k in range(table.shape[1])
    ]
    expected = discriminator.source(discriminator.features(torch.cat(told, dim=1)))[:, 0]
    assert torch.allclose(score, expected, atol=1e-6)
    assert torch.equal(label_score, torch.zeros(5))


@pytest.mark.parametrize("projection", [True, False], ids=["projection", "maps"])
def test_another_label_is_another_logit(projection: bool) -> None:
    """The discriminator hears the label."""
    torch.manual_seed(0)
    discriminator = ConditionalDiscriminator(image_size=32, num_classes=4, projection=projection)
    if projection:
        torch.nn.init.normal_(discriminator.label.weight)
    images = torch.rand(5, 1, 32, 32)
    logits = [sum(discriminator(images, label)) for label in (LABEL, (LABEL + 1) % 4)]
    assert (logits[0] - logits[1]).abs().min() > 1e-4


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=1, max_size=8, unique=True))
def test_a_class_is_told_as_the_sum_of_its_attributes(codes: list[tuple[int, ...]]) -> None:
    """The embedding of a class of any code is that code times the attributes' vectors."""
    generator = ConditionalGenerator(
        image_size=32, num_classes=len(codes), latent_dim=5, base_channels=1, codes=codes
    )
    vectors = generator.embedding.weight
    expected = torch.tensor(codes).float() @ vectors
    assert vectors.shape == (3, 5)
    assert torch.allclose(generator.embedding(torch.arange(len(codes))), expected, atol=1e-7)


def test_codes_are_saved_with_the_weights() -> None:
    """A checkpoint brings its own: with other codes its attributes would mean other things."""
    options = {"image_size": 32, "num_classes": 4, "base_channels": 1}
    saved = ConditionalGenerator(**options, codes=CODES).eval()
    other = ConditionalGenerator(**options, codes=CODES[::-1]).eval()
    other.load_state_dict(saved.state_dict())
    latent = torch.randn(5, 100)
    assert torch.equal(saved(latent, LABEL), other(latent, LABEL))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (CODES[:3], "codes must have a row for each of 4 classes, got 3"),
        ([[0], [1], [0, 1], [1, 1]], r"rows of one length of at least 1, got lengths \[1, 2\]"),
        ([[], [], [], []], r"rows of one length of at least 1, got lengths \[0\]"),
        ([[0, 0], [0, 1], [2, 0], [1, 1]], "codes must be 0 or 1, got 2"),
        ([[0, 0], [0, 1], [0, 1], [1, 1]], "got 3 different ones for 4 classes"),
    ],
    ids=["too few", "uneven", "empty", "not binary", "twice"],
)
@pytest.mark.parametrize("network", [ConditionalGenerator, ConditionalDiscriminator])
def test_refuses_codes_that_do_not_fit(network: type, codes: list[list[int]], message: str) -> None:
    """The error names the fault."""
    with pytest.raises(ConfigError, match=message):
        network(num_classes=4, codes=codes)
