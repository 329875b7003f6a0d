"""Which half-precision type a device computes in."""

from collections.abc import Mapping
from typing import Any

import torch


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """The half-precision type that this device computes in natively, None where it has none."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu":
        # torch 2.10 may not know the question yet
        able: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else None
    return None
