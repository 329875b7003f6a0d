"""The Inception network that the Fréchet Inception Distance is defined by.

The graph that TensorFlow published on 2015-12-05 differs from every other Inception-v3: 1008
classes, average pools that leave the padding out, a max pool in the last block, and TensorFlow 1's
bilinear resizing. Weights go by the names of torch-fidelity and pytorch-fid.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import CheckpointError
from ._extractor import Extractor
from ._folding import folded
from ._inception_blocks import BlockA, BlockB, BlockC, BlockD, BlockE, Convolution
from ._states import check_state, load_state
from ._weights import locate

SIDE, CLASSES, _EPSILON = 299, 1008, 1e-3
_NORM = ("weight", "bias", "running_mean", "running_var")


class InceptionV3(nn.Module):
    """The graph of 2015 with batch norm folded into the convolutions.

    Module names are torch-fidelity's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
        self.Mixed_5b = BlockA(192, 32)
        self.Mixed_5c = BlockA(256, 64)
        self.Mixed_5d = BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b = BlockC(768, 128)
        self.Mixed_6c = BlockC(768, 160)
        self.Mixed_6d = BlockC(768, 160)
        self.Mixed_6e = BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b = BlockE(1280, max_pool=False)
        self.Mixed_7c = BlockE(2048, max_pool=True)
        self.fc = nn.Linear(2048, CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (N, 2048) and logits (N, 1008) of images (N, 1 or 3, H, W) in [0, 1].

        The logits leave the bias of the last layer out, as the Inception Score's inventors did
        (Salimans et al. 2016) and torch-fidelity does.
        """
        x = resize(quantise(images)).expand(-1, 3, -1, -1)
        x = self.Conv2d_1a_3x3(x.contiguous(memory_format=torch.channels_last))
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(x))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        vectors = x.mean((2, 3))
        return vectors, F.linear(vectors, self.fc.weight)


def inception2015(
    path: str | Path | None = None, *, device: torch.device | str = "cpu"
) -> Extractor:
    """The network that FID is defined by: vectors of 2,048, and probabilities of 1,008 classes.

    Images are rounded to 256 levels and resized by TensorFlow 1's bilinear rule, as torch-fidelity
    does it with uint8 images; the vectors are the same to 1e-5 of their length. Named
    ``inception2015_tf1``; with weights other than the published ones, the first digits of their
    SHA-256 follow.

    Args:
        path: a state dict as torch-fidelity and pytorch-fid use it; by default `find_weights`
            looks for it.
        device: where to compute.

    Raises:
        CheckpointError: the weights are missing, damaged, or of another graph.
    """
    found = locate("inception2015", path)
    network = load_inception(load_state(found.path), found.path)
    own = "" if found.published else f"_{found.sha256[:8]}"
    protocol = {
        "weights": found.sha256,
        "input": "256 levels",
        "resize": f"bilinear of TensorFlow 1 to {SIDE}",
        "folded": "yes",
    }
    return Extractor(network, name=f"inception2015_tf1{own}", protocol=protocol, device=device)


def load_inception(state: Mapping[str, Tensor], path: Path) -> InceptionV3:
    """The network with weights under torch-fidelity's names; `path` is for errors.

    Raises:
        CheckpointError: they belong to another graph.
    """
    with torch.device("meta"):  # draws no random numbers
        network = InceptionV3()
    _check_graph(network, state, path)
    own = {"fc.weight": state["fc.weight"].float(), "fc.bias": state["fc.bias"].float()}
    for name in _convolutions(network):
        scale, shift, mean, variance = (state[f"{name}.bn.{key}"] for key in _NORM)
        weight, bias = folded(
            state[f"{name}.conv.weight"], scale, shift, mean, variance, epsilon=_EPSILON
        )
        own |= {f"{name}.weight": weight, f"{name}.bias": bias}
    network.load_state_dict(own, assign=True)
    return network.to(memory_format=torch.channels_last)


def _convolutions(network: InceptionV3) -> dict[str, Convolution]:
    return {name: part for name, part in network.named_modules() if isinstance(part, Convolution)}


def _check_graph(network: InceptionV3, state: Mapping[str, Tensor], path: Path) -> None:
    classes = state["fc.weight"].shape[:1] if "fc.weight" in state else ()
    if classes and classes[0] != CLASSES:
        raise CheckpointError(
            f"{path} must hold the graph of 2015 with {CLASSES} classes, got {classes[0]}: "
            "torchvision's network has other pools, and would give another metric"
        )
    expected: dict[str, tuple[int, ...]] = {
        "fc.weight": tuple(network.fc.weight.shape),
        "fc.bias": tuple(network.fc.bias.shape),
    }
    for name, part in _convolutions(network).items():
        expected[f"{name}.conv.weight"] = tuple(part.weight.shape)
        for key in _NORM:
            expected[f"{name}.bn.{key}"] = (part.out_channels,)
    counters = "num_batches_tracked"
    check_state({k: v for k, v in state.items() if not k.endswith(counters)}, expected, path)


def quantise(images: Tensor) -> Tensor:
    """The nearest of 256 levels, moved to -1 to 127 / 128: (level - 128) / 128."""
    return (images * 255).round_().clamp_(0, 255).sub_(128).div_(128)


def resize(images: Tensor) -> Tensor:
    """TensorFlow 1's bilinear resizing to 299 x 299, as two products with sparse matrices."""
    height, width = images.shape[2:]
    if (height, width) == (SIDE, SIDE):
        return images
    columns, rows = (_interpolation(size).to(images.device) for size in (width, height))
    return rows @ (images @ columns.T)


@cache
def _interpolation(size: int) -> Tensor:
    """A row of weights for each pixel of the result; coordinates in float32, as TensorFlow's."""
    at = torch.arange(SIDE, dtype=torch.float32) * torch.tensor(size / SIDE)
    low = at.long()
    high = (low + 1).clamp_max(size - 1)
    share = at - low
    weights = torch.zeros(SIDE, size)
    pixels = torch.arange(SIDE)
    weights[pixels, low] += 1 - share
    weights[pixels, high] += share  # at the edge both are the same pixel
    return weights
