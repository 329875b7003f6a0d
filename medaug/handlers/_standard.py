"""The handlers that every GAN bundle has."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai.handlers import TensorBoardStatsHandler

from ..engines import ModelSaver
from ._diversity import DiversityReport, ImageDataset
from ._metrics_csv import MetricsCSV
from ._progress import ProgressBar
from ._samples import SampleGrid


def gan_handlers(
    output_dir: str | Path,
    *,
    dataset: ImageDataset,
    classes: Sequence[str],
    interval: int,
    settings: dict[str, Any],
    seed: int = 0,
) -> list[Any]:
    """What writes a GAN training's results into `output_dir`, in the order they must be attached.

    ``models/model.pt`` and ``models/model.json``; ``samples/epoch_NNNN.png``; ``diversity.json``;
    ``metrics.csv``; ``tensorboard/``; and a progress bar on the terminal.

    Args:
        output_dir: made if it isn't there.
        dataset: the real training images.
        classes: names, in the order of the labels.
        interval: epochs between savings, grids and diversity figures.
        settings: what builds the generator again; the class names are added.
        seed: of the fixed latents.
    """
    folder = Path(output_dir)
    return [
        ModelSaver(
            folder / "models", interval=interval, settings={**settings, "classes": list(classes)}
        ),
        SampleGrid(folder / "samples", num_classes=len(classes), interval=interval, seed=seed),
        DiversityReport(dataset, classes, folder / "diversity.json", interval=interval, seed=seed),
        MetricsCSV(folder / "metrics.csv"),
        TensorBoardStatsHandler(
            log_dir=str(folder / "tensorboard"), output_transform=lambda output: output
        ),
        ProgressBar(),
    ]
