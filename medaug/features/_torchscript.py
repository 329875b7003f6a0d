"""Any network, as a TorchScript file: RadImageNet's and the like."""

import re
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, UserError
from ._extractor import Extractor
from ._weights import sha256_of


def torchscript(path: str | Path, *, device: torch.device | str = "cpu") -> Extractor:
    """A network of one's own, saved by ``torch.jit.save``.

    It takes images (N, 3, H, W) float32 in [0, 1], grey ones with three equal channels, and gives
    vectors (N, D), or a pair of vectors and logits (N, K). Resizing, scaling and averaging are
    part of it. Named ``torchscript_`` and the file's name without suffix.

    Args:
        path: the file; its code is run, so take it from people you trust.
        device: where to compute.

    Raises:
        CheckpointError: there is no such file, or it isn't TorchScript.
    """
    given = Path(path).expanduser()
    if not given.is_file():
        raise CheckpointError(f"torchscript must be a file, got no such file: {given}")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit.*deprecated")
            script = torch.jit.load(given, map_location=device)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{given} must be a TorchScript archive, got a file that is damaged or something else "
            f"({type(error).__name__})"
        ) from error
    name = "torchscript_" + re.sub(r"[^\w.-]", "_", given.stem)
    protocol = {"weights": sha256_of(given), "resize": "the network's own", "folded": "as it came"}
    return Extractor(_Scripted(script, name), name=name, protocol=protocol, device=device)


class _Scripted(nn.Module):
    """A script that is given three channels, and whose errors name it."""

    def __init__(self, script: nn.Module, name: str) -> None:
        super().__init__()
        self.script = script
        self.name = name

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        try:
            output: Tensor | tuple[Tensor, Tensor] = self.script(
                images.expand(-1, 3, -1, -1).contiguous()
            )
        except (RuntimeError, torch.jit.Error) as error:
            reason = str(error).strip().splitlines()[-1]
            shape = (len(images), 3, *images.shape[2:])
            raise UserError(
                f"the network of {self.name} must take images of {shape}, got its error: {reason}"
            ) from error
        return output
