"""A GAN small enough to train in a test."""

from collections.abc import Callable
from functools import partial
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
            "source_id": f"{i:064x}",
        }
        for i in range(num)
    ]


class PlainGenerator(torch.nn.Module):
    """Looks at no other image of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.label = torch.nn.Embedding(2, 8)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(16, 64),
            torch.nn.Tanh(),
            torch.nn.Linear(64, 1024),
            torch.nn.Sigmoid(),
            torch.nn.Unflatten(1, (1, 32, 32)),
        )

    def forward(self, latent: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """(N, 8) and (N,) to (N, 1, 32, 32)."""
        made: torch.Tensor = self.layers(torch.cat([latent, self.label(label)], 1))
        return made


class PlainDiscriminator(torch.nn.Module):
    """Neither does this one."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 4, 4), torch.nn.Softplus(), torch.nn.Flatten()
        )
        self.score, self.label = torch.nn.Linear(256, 1), torch.nn.Embedding(2, 256)

    def forward(
        self, images: torch.Tensor, label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 1, 32, 32) and (N,) to two scores (N,)."""
        features = self.layers(images)
        return self.score(features).flatten(), (self.label(label) * features).mean(1)


ADAM = partial(torch.optim.Adam, lr=1e-3)


def identity(item: Any) -> Any:
    return item


def toy_trainer(
    *,
    transform: Callable[[Any], Any] = identity,
    num_workers: int = 0,
    optimizer: Callable[[Any], torch.optim.Optimizer] = ADAM,
    **changes: Any,
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
        "g_optimizer": optimizer(generator.parameters()),
        "d_optimizer": optimizer(discriminator.parameters()),
        "objective": ACGANObjective(),
        "latent_dim": 8,
        "augment": DiffAugment(),
        "penalties": [R1Penalty(gamma=0.1, every=2)],
    }
    return GanTrainer(**(settings | changes))
