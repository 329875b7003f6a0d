"""VGG16 up to any of its layers, for figures and for losses."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ._states import check_state, load_state

# of ImageNet's colours, in [0, 1]
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Simonyan and Zisserman 2014, configuration D
_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
VGG16_LAYERS = tuple(
    f"relu{block}_{layer}"
    for block, widths in enumerate(_BLOCKS, start=1)
    for layer in range(1, len(widths) + 1)
)


class VGG16Maps(nn.Module):
    """From images to the maps of one layer of VGG16, frozen.

    Images are (N, C, H, W) in [0, 1], C of 1 or 3; the maps of ``relu{b}_{i}`` are (N, channels,
    H / 2^(b−1), W / 2^(b−1)), rounded down. Source: Simonyan and Zisserman, arXiv 1409.1556,
    table 1, D.

    Args:
        layer: ``relu1_1`` to ``relu5_3``.
        path: a state dict of torchvision's VGG16 or of its ``features``.

    Raises:
        ConfigError: there is no such layer.
        CheckpointError: the file is damaged, or of another network.
        UserError: it needs the package safetensors, which isn't there.
    """

    def __init__(self, layer: str, path: Path) -> None:
        if layer not in VGG16_LAYERS:
            raise ConfigError(f"layer must be one of {VGG16_LAYERS}, got {layer!r}")
        super().__init__()
        with torch.device("meta"):  # draws no random numbers
            self.layers = _layers_up_to(layer)
        expected = {name: tuple(value.shape) for name, value in self.layers.state_dict().items()}
        state = {name.removeprefix("features."): value for name, value in load_state(path).items()}
        check_state(state, expected, path, others=True)
        own = {name: state[name].float() for name in expected}
        self.layers.load_state_dict(own, assign=True)
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """The maps."""
        mean, deviation = (
            images.new_tensor(values).view(3, 1, 1) for values in (_MEAN, _DEVIATION)
        )
        colours = (images.expand(-1, 3, -1, -1) - mean) / deviation
        maps: Tensor = self.layers(colours.contiguous(memory_format=torch.channels_last))
        return maps


def _layers_up_to(layer: str) -> nn.Sequential:
    """Convolutions, ReLUs and pools, with torchvision's numbers."""
    last, layers, inputs = VGG16_LAYERS.index(layer) + 1, list[nn.Module](), 3
    for widths in _BLOCKS:
        layers += [nn.MaxPool2d(2)] if layers else []
        for outputs in widths:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
            inputs, last = outputs, last - 1
            if last == 0:
                return nn.Sequential(*layers)
    raise AssertionError(layer)
