"""Latents depend on the seed and their number alone."""

import pytest
import torch

from medaug.data import LatentDataset
from medaug.errors import ConfigError


def test_item_depends_on_seed_and_index_alone():
    """More images, other labels, another global state: the same vector."""
    few = LatentDataset(5, labels=[0, 1], latent_dim=16, seed=3)
    torch.manual_seed(0)
    many = LatentDataset(500, labels=[2], latent_dim=16, seed=3)
    for index in range(5):
        assert torch.equal(few[index]["latent"], many[index]["latent"])
    other = LatentDataset(5, labels=[0], latent_dim=16, seed=4)
    assert not torch.equal(few[0]["latent"], other[0]["latent"])


def test_latents_are_standard_normal_and_uncorrelated():
    """Mean 0, variance 1, no pair alike."""
    dataset = LatentDataset(200, labels=[0], latent_dim=256, seed=0)
    latents = torch.stack([item["latent"] for item in dataset])
    assert latents.dtype == torch.float32
    assert abs(latents.mean()) < 0.02
    assert abs(latents.var() - 1) < 0.03
    assert (torch.corrcoef(latents) - torch.eye(200)).abs().max() < 0.35


def test_labels_are_gone_through_again_and_again():
    """Three classes over seven images."""
    dataset = LatentDataset(7, labels=[2, 0, 1], latent_dim=1, seed=0)
    assert [item["label"] for item in dataset] == [2, 0, 1, 2, 0, 1, 2]
    assert len(dataset) == 7


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_images": 0}, "num_images must be at least 1, got 0"),
        ({"latent_dim": 0}, "latent_dim must be at least 1, got 0"),
        ({"labels": []}, "labels must name at least one class"),
        ({"seed": -1}, "at least 0"),
    ],
)
def test_bad_options_are_refused(options, text):
    """With what was given."""
    good = {"num_images": 4, "labels": [0], "latent_dim": 8, "seed": 0}
    with pytest.raises(ConfigError, match=text):
        LatentDataset(**(good | options))


def test_conditions_are_drawn_from_their_ranges():
    """Evenly, by seed and index; left open without a range; the latents stay as they are."""
    options = {"labels": [0, 1], "latent_dim": 3, "seed": 4}
    ranges = {"ejection_fraction": (0.1, 0.8), "age": None}
    plain, told = LatentDataset(400, **options), LatentDataset(400, **options, conditions=ranges)
    drawn = torch.stack([item["conditions"] for item in told])
    assert drawn.shape == (400, 2)
    assert drawn[:, 1].isnan().all()
    fractions = drawn[:, 0]
    assert 0.1 <= float(fractions.min()) < 0.12
    assert 0.78 < float(fractions.max()) <= 0.8
    assert float(fractions.mean()) == pytest.approx(0.45, abs=0.03)
    assert all(torch.equal(a["latent"], b["latent"]) for a, b in zip(plain, told, strict=True))
    few = LatentDataset(3, **options, conditions=ranges)
    assert torch.equal(few[2]["conditions"][:1], drawn[2, :1])
    assert "conditions" not in plain[0]
