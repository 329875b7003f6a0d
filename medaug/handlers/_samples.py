"""Grids of generated images, for the eye."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite import distributed as idist
from ignite.engine import Engine
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from ..engines import epochs


class SampleGrid:
    """Save a picture with a row of generated images for each class, always from the same latents.

    Written to ``<directory>/epoch_NNNN.png`` every `interval` epochs and at the end.

    Args:
        directory: made if it isn't there.
        num_classes: rows.
        interval: in epochs.
        columns: images in a row.
        seed: of the latents.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        num_classes: int,
        interval: int,
        columns: int = 10,
        seed: int = 0,
    ) -> None:
        self.directory = Path(directory)
        self.num_classes = num_classes
        self.interval = interval
        self.columns = columns
        self.seed = seed

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer`."""
        if idist.get_rank() == 0:
            engine.add_event_handler(epochs(self.interval), self._save)

    def _save(self, engine: Any) -> None:
        labels = [label for label in range(self.num_classes) for _ in range(self.columns)]
        images = generate(
            engine.ema_generator, labels, latent_dim=engine.latent_dim, seed=self.seed
        )
        self.directory.mkdir(parents=True, exist_ok=True)
        save_grid(images, self.directory / f"epoch_{engine.state.epoch:04d}.png", self.columns)


@torch.no_grad()
def generate(
    generator: nn.Module, labels: Sequence[int], *, latent_dim: int, seed: int, batch_size: int = 64
) -> Tensor:
    """Images of the given classes, (len(labels), C, H, W) float32 in [0, 1], on the CPU."""
    device = next(generator.parameters()).device
    random = torch.Generator().manual_seed(seed)
    latents = torch.randn(len(labels), latent_dim, generator=random)
    chosen = torch.tensor(labels, dtype=torch.int64)
    batches = zip(latents.split(batch_size), chosen.split(batch_size), strict=True)
    return torch.cat([generator(z.to(device), y.to(device)).float().cpu() for z, y in batches])


def save_grid(images: Tensor, path: Path, columns: int, gap: int = 2) -> None:
    """Save (N, C, H, W) images in [0, 1] as one 8-bit PNG, row by row, `gap` pixels apart."""
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    sheet: NDArray[np.uint8] = np.full(shape, 255, np.uint8)
    for index, image in enumerate(to_uint8(images)):
        y, x = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[y : y + height, x : x + width] = image
    Image.fromarray(sheet[:, :, 0] if channels == 1 else sheet).save(path)


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """(N, C, H, W) in [0, 1] to (N, H, W, C) of 0 … 255, rounded."""
    scaled = (images.clamp(0, 1) * 255).round().to(torch.uint8)
    array: NDArray[np.uint8] = scaled.permute(0, 2, 3, 1).cpu().numpy()
    return array
