"""What there is to say of a cine generator that is exported."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..networks import CineGenerator
from ._generator_export import NORMALISATION

FRAMES = 3
"""Of the sequences that exports are compared by."""
LARGE = 512
"""Pixels from which on exports are compared by one sequence."""


class CineExport:
    """Latents, modalities, conditions and phases in, sequences out; see `Exported`.

    Args:
        network: as it will be exported, with the size of its images.
        settings: of the training.
    """

    forms: Sequence[str] = (".ts", ".pt2")
    what = "sequences"
    input_names: Sequence[str] = ("latent", "modality", "conditions", "phase")
    axes: Sequence[Sequence[str]] = (("batch",), ("batch",), ("batch",), ("batch", "frames"))

    def __init__(self, network: CineGenerator, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.modalities, self.names = network.told.modalities, network.told.names
        ends = (network.told.lowest.tolist(), network.told.highest.tolist())
        self.ranges = [(float(low), float(high)) for low, high in zip(*ends, strict=True)]
        self.num_frames, self.latent_dim = network.num_frames, network.latent.in_features
        self.size, self.channels = network.image_size, network.image_channels
        self.stem = f"generator_{self.size}"
        self.counts: Sequence[int] = (
            (1,) if network.resolution >= LARGE else (1, len(self.modalities) + 1)
        )

    def batch(self, count: int) -> tuple[Tensor, ...]:
        """Always the same; all modalities take turns, and each second sequence has conditions."""
        random = torch.Generator().manual_seed(0)
        latent = torch.randn(count, self.latent_dim, generator=random)
        conditions = torch.tensor([self._middle()]).view(1, -1).repeat(count, 1)
        conditions[1::2] = torch.nan
        phase = torch.rand(count, FRAMES, generator=random)
        return latent, torch.arange(count) % len(self.modalities), conditions, phase

    def expected(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """The eager generator's sequences."""
        images: Tensor = network(*batch)
        return images

    def describe(self, network: nn.Module) -> dict[str, Any]:
        """What goes in, and the sequences."""
        del network
        size = self.size
        return {
            "inputs": {
                "latent": _tensor(["N", self.latent_dim], "each number drawn from N(0, 1)"),
                "modality": {
                    **_tensor(["N"], "index into classes", "int64"),
                    "classes": self.modalities,
                },
                "conditions": {
                    **_tensor(["N", len(self.names)], "in their own units; NaN leaves one open"),
                    "names": self.names,
                    # JSON has no infinity
                    "ranges": [None if high == torch.inf else [low, high]
                               for low, high in self.ranges],
                },
                "phase": {
                    **_tensor(["N", "T"], "of each frame, in cycles of the heart from 0"),
                    "num_frames": self.num_frames,
                },
            },
            "output": {
                **_tensor(["N", self.channels, "T", size, size], "synthetic; not for diagnosis"),
                "range": [0, 1],
                **{key: value for key, value in self.settings.items() if key in NORMALISATION},
            },
        }  # fmt: skip

    def usage(self, files: Sequence[Path], metadata: Mapping[str, Any]) -> list[str]:
        """One cycle of the first modality."""
        del metadata
        names = ", ".join(f"{number} {name}" for number, name in enumerate(self.modalities))
        values = f"torch.tensor([{self._middle()}])" if self.names else "torch.zeros(1, 0)"
        told = f"  # {', '.join(self.names)}; NaN leaves one open" if self.names else ""
        shape = (1, self.channels, self.num_frames, self.size, self.size)
        return [
            "import torch",
            f"generator = torch.jit.load({str(files[0])!r})",
            f"latent = torch.randn(1, {self.latent_dim})",
            f"modality = torch.tensor([0])  # {names}",
            f"conditions = {values}{told}",
            f"phase = torch.arange({self.num_frames})[None] / {self.num_frames}",
            "with torch.no_grad():",
            f"    cine = generator(latent, modality, conditions, phase)  # {shape} in [0, 1]",
        ]

    def _middle(self) -> list[float]:
        """Of each condition's range, with the digits of float32; 0 where there is none."""
        middles = [0.0 if high == torch.inf else (low + high) / 2 for low, high in self.ranges]
        return [float(f"{middle:.6g}") for middle in middles]


def _tensor(shape: list[Any], meaning: str, dtype: str = "float32") -> dict[str, Any]:
    return {"shape": shape, "dtype": dtype, "meaning": meaning}
