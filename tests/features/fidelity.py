"""Torch-fidelity's Inception network with random weights: no others are at hand."""

import pytest
import torch
from torch import Tensor, nn


def random_fidelity(seed: int = 0) -> nn.Module:
    """Weights and norms drawn so that images still tell apart in the last layer."""
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    kind = module.FeatureExtractorInceptionV3
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng(devices=[]):
        patch.setattr(module, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(kind, "load_state_dict", lambda *_: None)
        torch.manual_seed(seed)
        network: nn.Module = kind("inception", ["2048", "logits_unbiased"])
        for part in network.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            elif isinstance(part, nn.BatchNorm2d):
                nn.init.uniform_(part.weight, 0.8, 1.2)
                nn.init.uniform_(part.running_var, 0.8, 1.2)
                nn.init.normal_(part.bias, 0, 0.1)
                nn.init.normal_(part.running_mean, 0, 0.1)
    return network.eval()


def pictures(height: int, width: int, channels: int = 3, num: int = 4) -> Tensor:
    """uint8 images that differ much: noise, a ramp, a checkerboard, blobs, in turn."""
    random = torch.Generator().manual_seed(height * width)
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    kinds = [
        torch.randint(0, 256, (height, width), generator=random),
        (rows * 255 // (height - 1)).expand(height, width),
        (rows + columns) % 2 * 255,
        (128 + 127 * torch.sin(rows / 5) * torch.cos(columns / 7)).long(),
    ]
    grey = torch.stack([kinds[i % 4] for i in range(num)])[:, None]
    shares = torch.tensor([1.0, 0.8, 0.5])[:channels].view(-1, 1, 1)
    return (grey * shares).to(torch.uint8)
