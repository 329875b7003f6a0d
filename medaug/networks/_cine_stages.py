"""The stages of the cine generator: maps doubled in size, steered by a style, with an image head.

Convolutions are modulated as in StyleGAN2 (Karras et al. 2020, arXiv 1912.04958, section 2.2): the
style scales the maps that go in, and the outputs are divided by the deviation that they are
expected to have, so that no norm has to look at the maps.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._cine_noise import noise
from ._growing import dense, double, exporting, zero
from ._layers import SPREAD

LEAK = 0.2
"""Slope of the leaky ReLUs below zero."""
BAND = 2**18
"""Pixels that are made at once without gradients: maps that stay in a processor's cache."""
NOISE = 0.1
"""How strong noise begins, beside maps of deviation 1."""
NOISE_RATE = 10.0
"""How many times as fast as other weights its strength is learned: as in StyleGAN, whose learning
rate is ten times ours."""


class UpBlock(nn.Module):
    """Maps to twice their size: adaptive upsampling, a convolution, and a skip connection.

    Adaptive upsampling is PixelShuffle(w₁ ∗ (1 − g)·x) + w₂ ∗ᵀ (g·x): a 1 × 1 convolution whose
    outputs are rearranged (Shi et al. 2016, arXiv 1609.05158), and a transposed convolution 4 × 4
    of stride 2. The gate g in (0, 1), learned, says for each pixel how much goes which way. After
    it, and after a convolution 3 × 3, there is a leaky ReLU. The skip connection is a 1 × 1
    convolution of x, each pixel four times.

    What changes by chance from pixel to pixel comes in before the convolution, which gives it its
    grain: noise, as strong in each map as the style says, weak at first (Karras et al. 2019, arXiv
    1812.04948, section 3.2).

    Args:
        inputs: maps before.
        outputs: maps after.
        style_dim: length of a style.
        noisy: whether there is noise.

    Shape:
        x (B, inputs, H, W), style (B, style_dim), grain (B, 1, 2 H, 2 W), the noise;
        maps (B, outputs, 2 H, 2 W).
    """

    def __init__(self, inputs: int, outputs: int, style_dim: int, *, noisy: bool = False) -> None:
        super().__init__()
        self.gate = nn.Conv2d(inputs, 1, 1)
        self.shuffled = nn.Conv2d(inputs, 4 * outputs, 1, bias=False)
        self.transposed = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
        self.convolution = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.activation = nn.LeakyReLU(LEAK, inplace=True)
        # Both branches are halved by the gate at first; so signals keep their size.
        self.up_gain = 2.0
        self.up_scale = dense(style_dim, inputs, 0.5)
        self.up_shift = dense(style_dim, outputs, 0.1)
        self.scale = dense(style_dim, outputs, 0.5)
        self.shift = dense(style_dim, outputs, 0.1)
        nn.init.normal_(self.convolution.weight, 0.0, (9 * outputs) ** -0.5)
        _smooth(self.shuffled.weight, self.transposed.weight)
        # Half of what comes out is the skip's, half the convolution's.
        nn.init.normal_(self.skip.weight, 0.0, (2 * inputs) ** -0.5)
        zero(self.gate)
        self.strength = nn.Linear(style_dim, outputs) if noisy else None
        self.noise_rate = NOISE_RATE
        if self.strength is not None:
            zero(self.strength)
            # At 0, noise of either sign is as good, and nothing says that there should be some.
            nn.init.constant_(self.strength.bias, NOISE / NOISE_RATE)

    def forward(self, x: Tensor, style: Tensor, grain: Tensor | None = None) -> Tensor:
        """Double the maps."""
        maps = self.upsample(x, style)
        if self.strength is not None and grain is not None:
            maps = _with_noise(maps, grain, self.noise_rate * self.strength(style))
        maps = self.convolve(maps, style)
        # In place: a map of 4096² costs more to allocate than to add.
        return double(self.skip(x)).add_(maps)

    def upsample(self, x: Tensor, style: Tensor) -> Tensor:
        """Both branches, blended."""
        scale, shift = 1 + self.up_scale(style), self.up_shift(style)
        gate = torch.sigmoid(self.gate(x))
        first, second = self.shuffled.weight, self.transposed.weight
        first_size = _size(_energy(first), scale, self.up_gain, x)
        # Of linear interpolation, which it begins as, the four weights that a pixel sees add up
        # to 1 where all squares add up to 1 / 0.64: so maps that are smooth keep their size.
        second_size = _size(_energy(second).T * 0.64, scale, self.up_gain, x)
        if _large(x):
            first = first * scale.view(1, -1, 1, 1) * first_size.view(-1, 1, 1, 1)
            second = second * scale.view(-1, 1, 1, 1) * second_size.view(1, -1, 1, 1)
            right = x * gate
            maps = F.conv_transpose2d(right, second, shift[0], stride=2, padding=1)
            # PixelShuffle after a 1 × 1 convolution is a transposed convolution 2 × 2 of stride 2
            # (Shi et al. 2016, arXiv 1609.07009), which needs no pass to rearrange the maps.
            first = first.view(-1, 2, 2, x.shape[1]).permute(3, 0, 1, 2)
            maps += F.conv_transpose2d(x - right, first, stride=2)
        else:
            x = x * _maps(scale)
            right = x * gate
            maps = F.conv_transpose2d(right, second, stride=2, padding=1)
            maps = torch.addcmul(_maps(shift), maps, _maps(second_size))
            left = F.conv2d(x - right, first) * _maps(first_size)
            maps += F.pixel_shuffle(left, 2)
        activated: Tensor = self.activation(maps)
        return activated

    def convolve(self, x: Tensor, style: Tensor) -> Tensor:
        """The convolution that keeps the size."""
        scale, shift = 1 + self.scale(style), self.shift(style)
        weight = self.convolution.weight
        size = _size(_energy(weight), scale, 1.0, x)
        if _large(x):
            weight = weight * scale.view(1, -1, 1, 1) * size.view(-1, 1, 1, 1)
            maps = F.conv2d(x, weight, shift[0], padding=1)
        else:
            maps = F.conv2d(x * _maps(scale), weight, padding=1)
            maps = torch.addcmul(_maps(shift), maps, _maps(size))
        activated: Tensor = self.activation(maps)
        return activated


class Stage(nn.Module):
    """Up to one resolution: blocks that double the maps, and the image head of that resolution.

    The last block has noise: hearts of coarser maps would tremble by it.

    Args:
        widths: maps before the first block, after it, and so on.
        style_dim: length of a style.
        told_dim: length of the vector that says modality and conditions.
        image_channels: 1 for grey, 3 for colour.
        resolution: of the maps that come out.

    Attributes:
        injected: whether modality and conditions come in here.
        resolution: as given.

    Shape:
        x (B, widths[0], H, W), style (B, style_dim), told (B, told_dim), key (B,) of the noise;
        maps of `widths[-1]`, or images in [0, 1], of the resolution.
    """

    def __init__(
        self,
        widths: list[int],
        *,
        style_dim: int,
        told_dim: int,
        image_channels: int,
        resolution: int,
    ) -> None:
        super().__init__()
        self.injected = True
        self.resolution = resolution
        self.inject = nn.Linear(told_dim, style_dim, bias=False)
        # So that labels begin weak; from as strong as the latent vector, classes collapsed.
        nn.init.normal_(self.inject.weight, 0.0, SPREAD)
        self.blocks = nn.ModuleList(
            UpBlock(before, after, style_dim, noisy=number == len(widths) - 2)
            for number, (before, after) in enumerate(pairwise(widths))
        )
        self.head = nn.Conv2d(widths[-1], image_channels, 1)
        zero(self.head)
        nn.init.normal_(self.head.weight, 0.0, 0.5 * widths[-1] ** -0.5)
        # Blocks see one row beyond their own; one block alone can work in bands.
        self.banded = len(self.blocks) == 1
        self.band = BAND

    def forward(self, x: Tensor, style: Tensor, told: Tensor, key: Tensor, image: bool) -> Tensor:
        """Make the maps, or, from them, the image."""
        if self.injected:
            style = style + self.inject(told)
        height, width = x.shape[2], x.shape[3]
        rows = max(1, self.band // (4 * width))
        if not self.banded or rows >= height or torch.is_grad_enabled() or exporting():
            grain = noise(key, 0, self.resolution, self.resolution)
            return self.piece(x, style, grain, image)
        pieces: list[Tensor] = []
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            first, last = max(top - 1, 0), min(bottom + 1, height)
            grain = noise(key, 2 * first, 2 * (last - first), 2 * width)
            piece = self.piece(x[:, :, first:last], style, grain, image)
            pieces.append(piece[:, :, 2 * (top - first) : 2 * (bottom - first)])
        return torch.cat(pieces, dim=2)

    def piece(self, x: Tensor, style: Tensor, grain: Tensor, image: bool) -> Tensor:
        """Some rows of the maps or of the image."""
        for block in self.blocks:
            x = block(x, style, grain)
        return self.to_image(x) if image else x

    def to_image(self, maps: Tensor) -> Tensor:
        """Images, float32 in [0, 1], from the maps that come out."""
        image = torch.tanh(self.head(maps))
        return (image.float() + 1) / 2


@torch.no_grad()
def _smooth(shuffled: Tensor, transposed: Tensor) -> None:
    """Begin without checkerboards, which a discriminator would look at instead of the heart.

    All four pixels that PixelShuffle makes of one are alike at first (Aitken et al. 2017, arXiv
    1707.02937), and the transposed convolution interpolates linearly (Long et al. 2015, arXiv
    1411.4038, section 3.3).
    """
    inputs, outputs = transposed.shape[:2]
    alike = torch.randn(outputs, inputs, 1, 1) * inputs**-0.5
    shuffled.copy_(alike.repeat_interleave(4, dim=0))
    ramp = torch.tensor([0.25, 0.75, 0.75, 0.25])
    maps = torch.randn(inputs, outputs, 1, 1) * inputs**-0.5
    transposed.copy_(maps * ramp[:, None] * ramp)


def _large(x: Tensor) -> bool:
    """One image, of more pixels than weights: what scales it goes into the weights."""
    return x.shape[0] == 1 and x.shape[2] * x.shape[3] >= 64 * 64


def _with_noise(maps: Tensor, grain: Tensor, strength: Tensor) -> Tensor:
    grain = grain.to(maps.dtype)
    if not _large(maps):
        return torch.addcmul(maps, grain, _maps(strength))
    # Convolutions lay a large image's maps out with channels last, where in bfloat16 a product of
    # matrices takes a third of the time of a broadcast.
    height, width = maps.shape[2:]
    outer = torch.mm(grain.reshape(-1, 1), strength).view(1, height, width, -1)
    return outer.permute(0, 3, 1, 2).add_(maps)


def _energy(weight: Tensor) -> Tensor:
    return weight.float().square().sum((2, 3))


def _size(energy: Tensor, scale: Tensor, gain: float, like: Tensor) -> Tensor:
    """What outputs are multiplied by, (B, O), from squared weights (O, I) and scales (B, I)."""
    variance = (scale.float().square() @ energy.T).float()
    return (gain * torch.rsqrt(variance + 1e-8)).to(like.dtype)


def _maps(values: Tensor) -> Tensor:
    return values[:, :, None, None]
