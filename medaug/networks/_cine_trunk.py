"""What the cine discriminators are made of: a trunk that grows, and one that judges patches."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._cine_stages import LEAK
from ._growing import faded, halve, widths_below, zero
from ._layers import MinibatchStd, init_he_weights, require_counts

RESIDUAL = 8.0
"""How many times enlarged the difference from the neighbours is: noise of 2 % is then as large as
what is between black and grey."""


class Down(nn.Module):
    """Maps to half their size: a convolution 4 × 4 of stride 2, and a skip connection.

    Args:
        inputs: maps before.
        outputs: maps after.

    Shape: (B, inputs, H, W) to (B, outputs, H / 2, W / 2).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 4, 2, 1)
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.activation = nn.LeakyReLU(LEAK)

    def forward(self, x: Tensor) -> Tensor:
        """Halve the maps."""
        maps = self.activation(self.convolution(x))
        both: Tensor = (maps + self.skip(halve(x))) * 0.5**0.5
        return both


class TrunkStage(nn.Module):
    """From images of one resolution to the maps of the next lower one.

    Beside an image stands what sets each pixel off from its eight neighbours, enlarged: noise and
    edges, of which a discriminator otherwise sees nothing for long, since shapes say more (as the
    residuals of steganalysis, Fridrich & Kodovský 2012, IEEE TIFS 7:868).

    Args:
        image_channels: of the images.
        widths: maps at the resolution, at half of it, and so on.
    """

    def __init__(self, image_channels: int, widths: list[int]) -> None:
        super().__init__()
        self.first = nn.Conv2d(2 * image_channels, widths[0], 1)
        self.downs = nn.ModuleList(Down(before, after) for before, after in pairwise(widths))
        self.activation = nn.LeakyReLU(LEAK)
        self.gain = RESIDUAL
        init_he_weights(self, LEAK)

    def from_image(self, images: Tensor) -> Tensor:
        """The maps at the resolution."""
        residual = images - F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
        maps: Tensor = self.activation(self.first(torch.cat([images, self.gain * residual], 1)))
        return maps

    def forward(self, x: Tensor, features: list[Tensor]) -> Tensor:
        """The maps after each halving, appended to the features."""
        for down in self.downs:
            x = down(x)
            features.append(x)
        return x


class Trunk(nn.Module):
    """A discriminator that grows: a stage before the others for each doubling.

    Args:
        channels: maps at 64²; they double with each halving, up to four times.
        image_channels: of the images.
        told_dim: length of the vector that is told.

    Shape:
        images (B, image_channels, H, W) in ±1, told (B, told_dim);
        score (B,), and features, each (B, maps, height, width).
    """

    def __init__(self, channels: int, image_channels: int, told_dim: int) -> None:
        super().__init__()
        self.image_channels = image_channels
        widths = widths_below(channels)
        self.stages = nn.ModuleDict({"64": TrunkStage(image_channels, widths)})
        self.deviation = MinibatchStd()
        self.last = nn.Conv2d(widths[-1] + 1, widths[-1], 3, padding=1)
        init_he_weights(self.last, LEAK)
        self.activation = nn.LeakyReLU(LEAK)
        self.score = nn.Linear(widths[-1] * 4 * 4, 1)
        self.project = nn.Linear(told_dim, widths[-1] * 4 * 4, bias=False)
        zero(self.project)

    def forward(self, images: Tensor, told: Tensor, alpha: float) -> tuple[Tensor, list[Tensor]]:
        """Score; the newest stage weighs `alpha`."""
        features: list[Tensor] = []
        x = images
        for number, stage in enumerate(self.stages.values()):
            # What a ModuleDict holds has no type of its own.
            if number == 0:
                x = stage.from_image(images)  # type: ignore[operator]
            elif number == 1 and alpha < 1:
                half = stage.from_image(halve(images))  # type: ignore[operator]
                x = faded(half, x, alpha)
            x = stage(x, features)
        x = self.activation(self.last(self.deviation(x)))
        features.append(x)
        flat = x.flatten(1)
        score = self.score(flat).squeeze(1) + (self.project(told) * flat).sum(1)
        return score, features

    def add(self, channels: int, below: int, resolution: int) -> None:
        """Put a stage for images of a resolution before the others."""
        stage = TrunkStage(self.image_channels, [channels, below])
        self.stages = nn.ModuleDict({str(resolution): stage, **dict(self.stages.items())})


class PatchDiscriminator(nn.Module):
    """Score the patches of images of any size: those that a last map's pixel sees, 38 × 38 pixels.

    Source: Isola et al. 2017 (arXiv 1611.07004), section 3.2.2.

    Args:
        image_channels: of the images.
        channels: maps after the first layer; they double twice.
        told_dim: length of the vector that is told.

    Shape:
        images (B, image_channels, H, W) in ±1, sides multiples of 8, told (B, told_dim);
        scores (B, 1, H / 8, W / 8), and features.
    """

    def __init__(self, image_channels: int, channels: int, told_dim: int) -> None:
        super().__init__()
        require_counts(channels=channels)
        widths = [image_channels, channels, 2 * channels, 4 * channels]
        layers: list[nn.Module] = [
            nn.Conv2d(before, after, 4, 2, 1) for before, after in pairwise(widths)
        ]
        layers.append(nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        self.layers = nn.ModuleList(layers)
        init_he_weights(self.layers, LEAK)
        self.activation = nn.LeakyReLU(LEAK)
        self.score = nn.Conv2d(widths[-1], 1, 1)
        self.project = nn.Linear(told_dim, widths[-1], bias=False)
        zero(self.project)

    def forward(self, images: Tensor, told: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score each patch."""
        features: list[Tensor] = []
        x = images
        for layer in self.layers:
            x = self.activation(layer(x))
            features.append(x)
        told_score = (self.project(told)[:, :, None, None] * x).sum(1, keepdim=True)
        return self.score(x) + told_score, features
