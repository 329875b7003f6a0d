"""A classifier small enough to train in a test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from ignite import distributed as idist
from monai.transforms import Compose, RandGaussianNoised, RandLambdad
from torch import Tensor, nn
from torch.utils.data import DataLoader

from medaug.data import CachedDataset, ClassBalancedSampler
from medaug.engines import ClassifierTrainer, ModelSaver, WarmupCosine
from medaug.handlers import MetricsCSV

from .toy import identity, images

EPOCHS, ITERATIONS = 3, 9
BATCH = 8


class Net(nn.Module):
    """With dropout, so that random layers are in it, and no batch norm."""

    def __init__(self, *, dropout: float = 0.2, classes: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 8, 8),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Flatten(),
            nn.Linear(64, classes),
        )

    def forward(self, image: Tensor) -> Tensor:
        """(N, 1, 32, 32) to (N, classes)."""
        logits: Tensor = self.layers(image)
        return logits


def global_noise(image: Tensor) -> Tensor:
    """A user's transform that draws from torch's global generator."""
    return image + 0.01 * torch.randn(image.shape)


def overlapping(num: int, *, seed: int) -> list[dict[str, Any]]:
    """Images of two classes that no network can tell apart in all cases."""
    random = torch.Generator().manual_seed(seed)
    shades = [0.3 + 0.4 * (i % 2) + 0.2 * torch.randn(1, generator=random) for i in range(num)]
    return [
        {
            "image": shade + 0.05 * torch.randn(1, 32, 32, generator=random),
            "label": i % 2,
            "source_id": f"{i:064x}",
        }
        for i, shade in enumerate(shades)
    ]


def noise() -> Compose:
    """Transforms that draw from their own generator and from torch's."""
    return Compose(
        [
            RandGaussianNoised("image", prob=0.7, std=0.2),
            RandLambdad("image", func=global_noise, prob=1.0),
        ]
    )


def loader(
    *,
    transform: Callable[[Any], Any] = identity,
    batch_size: int = BATCH,
    num_workers: int = 0,
    data: list[dict[str, Any]] | None = None,
) -> Any:
    """Balanced batches of `images`, or of others."""
    data = data or images()
    labels = [item["label"] for item in data]
    return DataLoader(
        CachedDataset(data, transform, seed=0),
        batch_size=batch_size,
        sampler=ClassBalancedSampler(labels, batch_size=batch_size, seed=0),
        num_workers=num_workers,
        generator=torch.Generator().manual_seed(0),
    )


def trainer(
    *,
    network: nn.Module | None = None,
    data: Any = None,
    lr: float = 3e-3,
    epochs: int = EPOCHS,
    **changes: Any,
) -> ClassifierTrainer:
    """A trainer of a seeded network; `changes` go to `ClassifierTrainer`."""
    torch.manual_seed(idist.get_rank())  # rank 0's weights are what counts
    network = network or Net()
    data = data or loader()
    optimizer = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=0.05)
    settings: dict[str, Any] = {
        "device": "cpu",
        "max_epochs": epochs,
        "train_data_loader": data,
        "network": network,
        "optimizer": optimizer,
        "loss_function": nn.CrossEntropyLoss(label_smoothing=0.1),
        "schedulers": [WarmupCosine(optimizer, epochs * len(data), warmup=0.2)],
        "clip_norm": 1.0,
    }
    return ClassifierTrainer(**(settings | changes))


def trainer_in(folder: Path, *, saver: dict[str, Any] | None = None, **changes: Any) -> Any:
    """One that saves and writes its tables; all that is random is in it."""
    given = {"interval": 1, "settings": {}} | (saver or {})
    handlers = [
        ModelSaver(folder / "models", **given),
        *changes.pop("handlers", ()),
        MetricsCSV(folder / "metrics.csv"),
    ]
    data = changes.pop("data", None) or loader(transform=noise())
    return trainer(data=data, train_handlers=handlers, **changes)
