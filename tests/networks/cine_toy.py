"""Tiny cine networks, and what they are given."""

import pytest
import torch
from torch import Tensor, nn

from medaug.networks import CineGenerator, ClipDiscriminator, FrameDiscriminator

CONDITIONS = {"ejection_fraction": (10, 80), "age": None}
SMALL = {"channels": (8, 6, 4), "conditions": CONDITIONS}
FRAME = SMALL | {"patch_channels": 4}
CROPS = FRAME | {"whole_size": 64, "crop_size": 32}
DISCRIMINATORS = {
    "frames": (FrameDiscriminator, FRAME),
    "crops": (FrameDiscriminator, CROPS),
    "clips": (ClipDiscriminator, SMALL | {"window": 2}),
}
JUDGES = pytest.mark.parametrize("name", DISCRIMINATORS)
MODALITY = torch.tensor([0, 3])
KNOWN = torch.tensor([[50.0, 0.3], [torch.nan, -1.0]])
PHASE = torch.tensor([[0.0, 0.1, 0.25, 0.6], [0.5, 0.55, 0.8, 0.95]])


def generator(
    resolution: int = 64, alpha: float = 1.0, *, noise: float = 0.1, **options
) -> CineGenerator:
    """A tiny one, to be evaluated, in which conditions and noise are as strong as the rest."""
    torch.manual_seed(0)
    made = CineGenerator(
        **{"resolution": resolution, **SMALL, "latent_dim": 8, "style_dim": 16, "num_frames": 3}
        | options
    ).eval()
    made.alpha = alpha
    for name, weight in made.named_parameters():
        if "inject" in name:
            nn.init.normal_(weight, 0.0, 0.3)
        if "gate" in name:
            nn.init.normal_(weight, 0.0, 0.2)
        if "strength" in name:
            nn.init.constant_(weight, noise)
    return made


def judge(name: str, resolution: int = 128, alpha: float = 1.0) -> nn.Module:
    """A tiny discriminator, to be evaluated, that hears what it is told."""
    torch.manual_seed(0)
    kind, options = DISCRIMINATORS[name]
    made = kind(resolution=resolution, **options).eval()
    made.alpha = alpha
    for key, weight in made.named_parameters():
        if "project" in key:
            nn.init.normal_(weight, 0.0, 0.1)
    return made


def latents(num: int = 2) -> Tensor:
    return torch.randn(num, 8, generator=torch.Generator().manual_seed(1))


def images(resolution: int = 128, num: int = 2, length: int = 4) -> Tensor:
    random = torch.Generator().manual_seed(2)
    return torch.rand(num, 1, length, resolution, resolution, generator=random)


def flat(output: tuple[list[Tensor], list[Tensor]]) -> list[Tensor]:
    return [*output[0], *output[1]]


def doubled(frames: Tensor) -> Tensor:
    return frames.repeat_interleave(2, -1).repeat_interleave(2, -2)
