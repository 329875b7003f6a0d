"""How MONAI's evaluator feeds a generator."""

from typing import Any

import torch
from torch import Tensor


def prepare_latents(
    batch: dict[str, Tensor], device: torch.device | str | None = None, *_: Any, **__: Any
) -> tuple[Tensor, Tensor, tuple[Tensor, ...], dict[str, Any]]:
    """Turn a batch of `medaug.data.LatentDataset` into what `SupervisedEvaluator` calls with.

    Returns:
        Latents (N, latent_dim) as the network's input; labels (N,) as its target and as its second
        argument, conditions (N, K) as its third, if there are any; no keyword arguments.
    """
    told = [batch[name].to(device) for name in ("label", "conditions") if name in batch]
    return batch["latent"].to(device), told[0], tuple(told), {}
