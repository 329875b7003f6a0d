"""What there is to say of a generator that is exported."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

NORMALISATION = ("use_aiin", "aiin_windows", "aiin_threshold")
"""Settings of a training that say what its images look like."""


class GeneratorExport:
    """Latents and labels in, images out; see `Exported`.

    Args:
        settings: of the training, with ``latent_dim`` and ``classes``.
    """

    stem = "generator"
    forms: Sequence[str] = (".ts", ".pt2")
    what = "images"
    input_names: Sequence[str] = ("latent", "label")

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings

    def batch(self, count: int) -> tuple[Tensor, ...]:
        """Latents and labels, always the same; all classes take turns."""
        random = torch.Generator().manual_seed(0)
        latent = torch.randn(count, int(self.settings["latent_dim"]), generator=random)
        return latent, torch.arange(count) % len(self.settings["classes"])

    def expected(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """The eager generator's images."""
        images: Tensor = network(*batch)
        return images

    def describe(self, network: nn.Module) -> dict[str, Any]:
        """Latents, labels and images."""
        images = self.expected(network, self.batch(1))
        return {
            "inputs": {
                "latent": {
                    "shape": ["N", int(self.settings["latent_dim"])],
                    "dtype": "float32",
                    "meaning": "each number drawn from the normal distribution N(0, 1)",
                },
                "label": {
                    "shape": ["N"],
                    "dtype": "int64",
                    "meaning": "index into classes",
                    "classes": list(self.settings["classes"]),
                },
            },
            "output": {
                "shape": ["N", *images.shape[1:]],
                "dtype": "float32",
                "range": [0, 1],
                "meaning": "synthetic images, channels first, upright; not for diagnosis",
                **{key: value for key, value in self.settings.items() if key in NORMALISATION},
            },
        }

    def usage(self, files: Sequence[Path], metadata: Mapping[str, Any]) -> list[str]:
        """Four images of the last class."""
        inputs, shape = metadata["inputs"], metadata["output"]["shape"]
        classes = inputs["label"]["classes"]
        names = ", ".join(f"{number} {name}" for number, name in enumerate(classes))
        return [
            "import torch",
            f"generator = torch.jit.load({str(files[0])!r})",
            f"latent = torch.randn(4, {inputs['latent']['shape'][1]})",
            f"label = torch.full((4,), {len(classes) - 1})  # {names}",
            "with torch.no_grad():",
            f"    images = generator(latent, label)  # {(4, *shape[1:])} in [0, 1]",
        ]
