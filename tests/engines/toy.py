"""A GAN small enough to train in a test."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader

from medaug.data import CachedDataset, ClassBalancedSampler
from medaug.engines import ACGANObjective, DiffAugment, GanTrainer
from medaug.losses import R1Penalty
from medaug.networks import ACGANDiscriminator, ACGANGenerator


def images(num: int = 24) -> list[dict[str, Any]]:
    """Noise around two different means, 32 × 32, with labels 0 and 1."""
    random = torch.Generator().manual_seed(0)
    return [
        {
            "image": 0.3 + 0.4 * (i % 2) + 0.05 * torch.randn(1, 32, 32, generator=random),
            "label": i % 2,
        }
        for i in range(num)
    ]


def identity(item: Any) -> Any:
    return item


def toy_trainer(
    *, transform: Callable[[Any], Any] = identity, num_workers: int = 0, **changes: Any
) -> GanTrainer:
    """A trainer of seeded networks over `images`; `changes` go to `GanTrainer`."""
    torch.manual_seed(0)
    data = images()
    generator = ACGANGenerator(image_size=32, num_classes=2, latent_dim=8, base_channels=4)
    discriminator = ACGANDiscriminator(image_size=32, num_classes=2, base_channels=4)
    loader = DataLoader(
        CachedDataset(data, transform, seed=0),
        batch_size=8,
        sampler=ClassBalancedSampler([d["label"] for d in data], batch_size=8, seed=0),
        num_workers=num_workers,
        generator=torch.Generator().manual_seed(0),
    )
    settings: dict[str, Any] = {
        "device": "cpu",
        "max_epochs": 2,
        "train_data_loader": loader,
        "generator": generator,
        "discriminator": discriminator,
        "g_optimizer": torch.optim.Adam(generator.parameters(), 1e-3),
        "d_optimizer": torch.optim.Adam(discriminator.parameters(), 1e-3),
        "objective": ACGANObjective(),
        "latent_dim": 8,
        "augment": DiffAugment(),
        "penalties": [R1Penalty(gamma=0.1, every=2)],
    }
    return GanTrainer(**(settings | changes))
