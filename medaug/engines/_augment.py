"""Augmentation of whole batches: for discriminators, real and fake alike, and for classifiers."""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F


class Augmentation(Protocol):
    """What the engine needs of an augmentation: a pure function of images and random numbers.

    Attributes:
        draws: how many numbers it wants for each image.
    """

    draws: int

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        """Augment (N, C, H, W) by (N, draws) numbers, uniform in [0, 1)."""


class DiffAugment:
    """Shift, brightness, contrast and cut-out, each drawn anew for each image.

    No flips and no turns: the heart stays on its side. Gradients flow through to the generator.
    Source: Zhao et al. 2020 (arXiv 2006.10738), section 3.2, with weaker strengths for radiographs;
    shifted images are continued by reflection rather than by black.

    Args:
        shift: largest shift along each axis, as a share of the side.
        brightness: largest change of all pixels, in units of the [0, 1] range.
        contrast: lowest and highest factor on the distance to the image's mean.
        cutout: side of the square set to zero, as a share of the side; 0 for none.

    Shape:
        (N, C, H, W) to the same, or (N, C, T, H, W), all frames of a sequence alike; values may
        leave [0, 1].
    """

    draws = 6

    def __init__(
        self,
        *,
        shift: float = 0.1,
        brightness: float = 0.1,
        contrast: tuple[float, float] = (0.8, 1.2),
        cutout: float = 0.375,
    ) -> None:
        self.shift = shift
        self.brightness = brightness
        self.contrast = contrast
        self.cutout = cutout

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        """Augment a batch."""
        n, shape = len(images), images.shape
        images = images.flatten(1, -3)
        images = _shift(images, self.shift, draws[:, 0:2])
        images = images + (draws[:, 2].view(n, 1, 1, 1) * 2 - 1) * self.brightness
        low, high = self.contrast
        mean = images.mean((1, 2, 3), keepdim=True)
        images = (images - mean) * (draws[:, 3].view(n, 1, 1, 1) * (high - low) + low) + mean
        return _cut_out(images, self.cutout, draws[:, 4:6]).view(shape)


class ClassicAugment:
    """Turn, shift, stretch and gamma, each drawn anew for each image, for classifiers.

    No flips: the heart stays on its side. Images are continued by their border. A batch at once, on
    its device: at 64 x 64 a twentieth of the processor's time that MONAI's transforms of single
    images take (docs/benchmarks.md).

    Args:
        rotation: largest angle either way, in radians.
        shift: largest shift along each axis, as a share of the side.
        scale: largest change of height and width, each by itself, as a share.
        gamma: lowest and highest exponent.

    Shape: (N, C, H, W) in [0, 1] to the same.
    """

    draws = 6

    def __init__(
        self,
        *,
        rotation: float = 0.1,
        shift: float = 0.06,
        scale: float = 0.1,
        gamma: tuple[float, float] = (0.7, 1.4),
    ) -> None:
        self.rotation = rotation
        self.shift = shift
        self.scale = scale
        self.gamma = gamma

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        """Augment a batch."""
        signed = draws[:, :5] * 2 - 1
        angle, stretch = signed[:, 0] * self.rotation, 1 + signed[:, 1:3] * self.scale
        cosine, sine = angle.cos(), angle.sin()
        # from places in the result to places in the image, both in units of half a side
        aspect = images.shape[2] / images.shape[3]
        rows = torch.stack([cosine, -sine * aspect, sine / aspect, cosine], 1).view(-1, 2, 2)
        offset = 2 * self.shift * signed[:, 3:5, None]
        theta = torch.cat([rows * stretch[:, :, None], offset], 2)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
        low, high = self.gamma
        exponent = low + (high - low) * draws[:, 5]
        made: Tensor = moved.clamp(0, 1) ** exponent.view(-1, 1, 1, 1)
        return made


def _shift(images: Tensor, share: float, draws: Tensor) -> Tensor:
    n, channels, height, width = images.shape
    margin = round(share * min(height, width))
    if margin == 0:
        return images
    offset = (draws * (2 * margin + 1)).long()
    rows = torch.arange(height, device=images.device) + offset[:, 0:1]
    columns = torch.arange(width, device=images.device) + offset[:, 1:2]
    padded = F.pad(images, (margin,) * 4, mode="reflect").flatten(2)
    index = rows[:, :, None] * (width + 2 * margin) + columns[:, None, :]
    index = index.view(n, 1, -1).expand(-1, channels, -1)
    return padded.gather(2, index).view(n, channels, height, width)


def _cut_out(images: Tensor, share: float, draws: Tensor) -> Tensor:
    n, _, height, width = images.shape

    def outside(length: int, centre: Tensor) -> Tensor:
        distance = torch.arange(length, device=images.device) - (centre * length).long()[:, None]
        half = share * length / 2
        return (distance < -half) | (distance >= half)

    keep = outside(height, draws[:, 0])[:, :, None] | outside(width, draws[:, 1])[:, None, :]
    return images * keep.view(n, 1, height, width)
