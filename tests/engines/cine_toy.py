"""HR-GAN-DTCR small enough to train in a test."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.models.vgg import cfgs, make_layers

from medaug.data import StageBatchSampler
from medaug.engines import CineObjective, GanTrainer, Growth
from medaug.losses import TemporalConsistencyLoss
from medaug.networks import CineDiscriminator, CineGenerator, ClipDiscriminator, FrameDiscriminator

ITEMS, EPOCH = 6, 2
STAGES = (
    {"resolution": 64, "images": 8, "batch_size": 3, "num_frames": 2},
    {"resolution": 128, "images": 8, "fade_images": 6, "batch_size": 2, "num_frames": 2,
     "g_lr": 1e-4, "d_lr": 3e-4},
)  # fmt: skip
"""Two epochs of two iterations each; the second resolution fades in over three of its four."""
CONDITIONS = {"ejection_fraction": (0.1, 0.8)}
SMALL: dict[str, Any] = {
    "channels": (4, 4), "modalities": ("mri", "ct"), "conditions": CONDITIONS, "harmonics": 1,
}  # fmt: skip


def growth(world: int = 1) -> Growth:
    """The stages above; so many processes share the batches."""
    stages = [stage | {"batch_size": stage["batch_size"] // world} for stage in STAGES]
    return Growth(stages, epoch_length=EPOCH)


class ToyCines(Dataset[dict[str, Any]]):
    """Random blurred sequences at the resolution of the epoch."""

    def __init__(self, stages: Growth) -> None:
        self.stages, self.epoch = stages, 1
        self.base = torch.rand(ITEMS, 1, 2, 8, 8, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return ITEMS

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        side = self.stages.stage(self.epoch).resolution
        frames = nn.functional.interpolate(self.base[index], (side, side), mode="bilinear")
        fraction = float("nan") if index % 3 == 0 else 0.1 * index + 0.1
        return {
            "image": frames,
            "modality": index % 2,
            "conditions": torch.tensor([fraction]),
            "phase": torch.tensor([0.0, 0.5]),
        }


def networks() -> tuple[CineGenerator, CineDiscriminator]:
    """Freshly drawn, at 64²."""
    torch.manual_seed(0)
    generator = CineGenerator(latent_dim=8, style_dim=8, **SMALL)
    return generator, CineDiscriminator(
        FrameDiscriminator(patch_channels=4, **SMALL), ClipDiscriminator(window=2, **SMALL)
    )


def vgg_weights(path: Path) -> Path:
    """A file of randomly drawn weights of VGG16, up to relu1_2."""
    torch.manual_seed(0)
    layers = make_layers(cfgs["D"][:2])
    torch.save({f"features.{name}": value for name, value in layers.state_dict().items()}, path)
    return path


def temporal(folder: Path, **settings: Any) -> TemporalConsistencyLoss:
    """DTCR by random weights."""
    weights = vgg_weights(folder / "vgg.pth")
    return TemporalConsistencyLoss(layer="relu1_2", weights=weights, **settings)


def cine_trainer(stages: Growth | None = None, **changes: Any) -> GanTrainer:
    """A trainer of seeded networks; `changes` go to `GanTrainer`."""
    stages = stages or growth()
    generator, discriminator = networks()
    data = ToyCines(stages)
    labels = [index % 2 for index in range(ITEMS)]
    loader: Any = DataLoader(
        data,
        batch_sampler=StageBatchSampler(labels, stages, seed=0),
        generator=torch.Generator(),
    )
    settings: dict[str, Any] = {
        "device": "cpu",
        "max_epochs": stages.max_epochs,
        "train_data_loader": loader,
        "generator": generator,
        "discriminator": discriminator,
        "g_optimizer": torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.5, 0.99)),
        "d_optimizer": torch.optim.Adam(discriminator.parameters(), 1e-3, betas=(0.5, 0.99)),
        "objective": CineObjective(growth=stages),
        "latent_dim": 8,
        "growth": stages,
    }
    return GanTrainer(**(settings | changes))


def weights(trainer: GanTrainer) -> Tensor:
    """All of the three networks', one after another."""
    found = (trainer.generator, trainer.discriminator, trainer.ema_generator)
    return torch.cat([v.flatten().double() for n in found for v in n.state_dict().values()])
