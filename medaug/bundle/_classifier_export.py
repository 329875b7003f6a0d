"""What there is to say of a classifier that is exported."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.transforms import Resize
from torch import Tensor, nn

from ..errors import ConfigError
from ..transforms import AIIN
from ._overrides import as_bool

LARGEST_BYTE = 8
"""Bits of an image that is taken as uint8; deeper ones are int32, as ONNX and torch share few more
integer types."""


class ClassifierExport:
    """Raw grey images in, probabilities out; see `Exported`.

    What is exported is a `medaug.networks.RawClassifier`; what it is compared with is the Python
    pipeline: AIIN as the transform, MONAI's `Resize`, and the classifier.

    Args:
        settings: of the training, with ``classes``, ``image_size``, ``use_aiin``, ``aiin_windows``
            and ``aiin_threshold``.
        input_size: (height, width) of the images, in pixels; what is in TorchScript takes others.
        bits: of the images' levels, 1 to 16.

    Raises:
        ConfigError: `input_size` isn't two sizes of 1 or more.
    """

    forms: Sequence[str] = (".ts", ".pt2", ".onnx")
    what = "probabilities"
    input_names: Sequence[str] = ("image",)

    def __init__(
        self, settings: Mapping[str, Any], *, input_size: Sequence[int], bits: int
    ) -> None:
        whole = [size for size in input_size if isinstance(size, int) and size >= 1]
        if len(whole) != 2 or len(input_size) != 2:
            raise ConfigError(
                f"--input_size must be height and width, 1 or more pixels each, got {input_size}"
            )
        self.settings = settings
        self.input_size = (whole[0], whole[1])
        self.bits = bits
        self.stem = f"classifier_{bits}bit"
        self.dtype = torch.uint8 if bits <= LARGEST_BYTE else torch.int32

    def batch(self, count: int) -> tuple[Tensor, ...]:
        """Noise of many scales, always the same, each image darker and of less contrast."""
        random = torch.Generator().manual_seed(0)
        image = torch.zeros(count, 1, *self.input_size)
        for cells in (3, 12, 48):
            noise = torch.rand(count, 1, cells, cells, generator=random)
            image += nn.functional.interpolate(noise, self.input_size, mode="bilinear") / 3
        image *= torch.linspace(1, 0.2, count).reshape(-1, 1, 1, 1)
        return ((image * ((1 << self.bits) - 1)).round().to(self.dtype),)

    def expected(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """As an image goes in Python: reader's levels, `AIIN`, `Resize`, logits, softmax."""
        classifier: Any = network
        aiin = AIIN(
            windows=tuple(self.settings["aiin_windows"]),
            contrast_threshold=self.settings["aiin_threshold"],
            bits=self.bits,
        )
        wanted = int(self.settings["image_size"])
        resize = Resize((wanted, wanted), mode="area")
        prepared = []
        for image in batch[0].float() / ((1 << self.bits) - 1):
            normal = aiin(image) if as_bool(self.settings["use_aiin"]) else image
            prepared.append(torch.as_tensor(resize(normal)))
        probabilities: Tensor = classifier.logits(torch.stack(prepared)).softmax(1)
        return probabilities

    def describe(self, network: nn.Module) -> dict[str, Any]:
        """Images and probabilities."""
        del network
        classes = list(self.settings["classes"])
        kept = ("model_name", "model_options", "image_size", "use_aiin", "aiin_windows")
        return {
            "inputs": {
                "image": {
                    "shape": ["N", 1, *self.input_size],
                    "dtype": str(self.dtype).removeprefix("torch."),
                    "bits": self.bits,
                    "range": [0, (1 << self.bits) - 1],
                    "meaning": "grey levels of radiographs, upright, bone bright, without AIIN; "
                    "TorchScript takes any size, and floats from 0 to 1 as well",
                }
            },
            "output": {
                "shape": ["N", len(classes)],
                "dtype": "float32",
                "range": [0, 1],
                "meaning": "probability of each class; not for diagnosis",
                "classes": classes,
            },
            "network": {
                key: self.settings[key] for key in (*kept, "aiin_threshold") if key in self.settings
            },
        }

    def usage(self, files: Sequence[Path], metadata: Mapping[str, Any]) -> list[str]:
        """Probabilities of one image."""
        classes = ", ".join(metadata["output"]["classes"])
        height, width = self.input_size
        return [
            "import torch",
            f"classifier = torch.jit.load({str(files[0])!r})",
            f"image = torch.randint({1 << self.bits}, (1, 1, {height}, {width}))  # your own",
            "with torch.no_grad():",
            f"    probabilities = classifier(image)  # {classes}",
        ]
