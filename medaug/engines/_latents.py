"""How MONAI's evaluator feeds a generator."""

from typing import Any

import torch
from torch import Tensor


def prepare_latents(
    batch: dict[str, Tensor], device: torch.device | str | None = None, *_: Any, **__: Any
) -> tuple[Tensor, Tensor, tuple[Tensor], dict[str, Any]]:
    """Turn a batch of `medaug.data.LatentDataset` into what `SupervisedEvaluator` calls with.

    Returns:
        Latents (N, latent_dim) as the network's input; labels (N,) as its target and as its second
        argument; no keyword arguments.
    """
    latent, label = batch["latent"].to(device), batch["label"].to(device)
    return latent, label, (label,), {}
