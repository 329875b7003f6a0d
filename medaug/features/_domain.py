"""A small network that learns the classes of a domain."""

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ._checks import check_images

FEATURES = 128
SMALLEST_SIDE = 16
_WIDTHS = (16, 32, 64)
_POOLED = 4


class DomainClassifier(nn.Module):
    """Three convolutions and a layer of 128 features, for images of any side from 16 on.

    About 160,000 weights. The first convolution and two poolings shrink an image to an eighth,
    then means over a grid of 4 x 4 make the rest independent of its size.

    Args:
        num_classes: number of classes, at least 2.
        channels: 1 for grey images, 3 for colour.

    Raises:
        ConfigError: one of them is out of range.
    """

    def __init__(self, *, num_classes: int, channels: int = 1) -> None:
        super().__init__()
        if num_classes < 2:
            raise ConfigError(f"num_classes must be at least 2, got {num_classes}")
        if channels not in (1, 3):
            raise ConfigError(f"channels must be 1 or 3, got {channels}")
        self.num_classes = num_classes
        self.channels = channels
        first, second, third = _WIDTHS
        self.body = nn.Sequential(
            *_convolution(channels, first, kernel_size=5, stride=2),
            *_convolution(first, second, kernel_size=3),
            nn.MaxPool2d(2),
            *_convolution(second, third, kernel_size=3),
            nn.MaxPool2d(2),
            nn.AdaptiveAvgPool2d(_POOLED),
            nn.Flatten(),
            nn.Linear(third * _POOLED**2, FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES),
            nn.ReLU(),
        )
        self.head = nn.Linear(FEATURES, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, num_classes) of images (N, channels, H, W) in [0, 1]."""
        logits: Tensor = self.head(self.body(images))
        return logits

    def features(self, images: Tensor) -> Tensor:
        """The layer before the logits, (N, 128), at least 0."""
        features: Tensor = self.body(images)
        return features

    @torch.no_grad()
    def predict(self, images: Tensor, batch_size: int = 256) -> tuple[Tensor, Tensor]:
        """Features and classes of many images, in float32: half precision would move distances.

        Args:
            images: (N, channels, H, W) in [0, 1], on any device, at least one.
            batch_size: images at once.

        Returns:
            Features (N, 128) float32 and classes (N,) int64, both on the CPU.

        Raises:
            UserError: the images have another form.
        """
        check_images(images, self.channels, side=SMALLEST_SIDE)
        device, was_training = self.head.weight.device, self.training
        self.eval()
        parts = [self.features(batch.to(device)) for batch in images.split(batch_size)]
        classes = [self.head(part).argmax(dim=1).cpu() for part in parts]
        self.train(was_training)
        return torch.cat(parts).cpu(), torch.cat(classes)


def _convolution(inputs: int, outputs: int, kernel_size: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel_size, stride, kernel_size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
