"""Simulated hearts as an evaluation takes them, and random weights of VGG16."""

from pathlib import Path

import numpy as np
import torch
from torchvision.models.vgg import cfgs, make_layers

from medaug.evaluation import LabelledSequences
from medaug.phantoms import simulate_cine

CLASSES = ("mri", "ct")


def hearts(
    count: int, seed: int, *, size: int = 32, frames: int = 8, classes: tuple[str, ...] = CLASSES
) -> LabelledSequences:
    """So many of each modality, of as many patients, with evenly drawn ejection fractions."""
    random = np.random.default_rng(seed)
    pictures, fractions = [], []
    for number in range(count * len(classes)):
        made = simulate_cine(
            1000 * seed + number,
            modality=classes[number % len(classes)],
            size=size,
            num_frames=frames,
            ejection_fraction=float(random.uniform(0.15, 0.75)),
        )
        pictures.append(torch.from_numpy(made.frames)[None].float())
        fractions.append(made.ejection_fraction)
    labels = torch.arange(count * len(classes)) % len(classes)
    return LabelledSequences(torch.stack(pictures), labels, torch.tensor(fractions))


def vgg16(folder: Path) -> Path:
    """A file of randomly drawn weights of VGG16, up to relu3_3."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = make_layers(cfgs["D"][:9])
    path = folder / "vgg16.pth"
    torch.save({f"features.{key}": value for key, value in layers.state_dict().items()}, path)
    return path
