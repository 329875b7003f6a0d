"""The handlers that every GAN bundle has."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ignite import distributed as idist
from monai.handlers import TensorBoardStatsHandler

from ..engines import BestModelSaver, ModelSaver
from ._diversity import DIVERSITY_GAP, DiversityReport, ImageDataset
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
    resume: bool | str = False,
) -> list[Any]:
    """What writes a GAN training's results into `output_dir`, in the order they must be attached.

    ``models/``: ``model.pt`` and ``model.json``, ``model_best.pt`` (smallest ``diversity_gap``),
    ``resume_<iteration>.pt``; ``samples/epoch_NNNN.png``; ``diversity.json``; ``metrics.csv`` and
    ``iterations.csv``; ``tensorboard/``; and a progress bar on the terminal.

    Args:
        output_dir: made if it isn't there.
        dataset: the real training images.
        classes: names, in the order of the labels.
        interval: epochs between savings, grids and diversity figures.
        settings: what builds the generator again; the class names are added.
        seed: of the fixed latents.
        resume: see `ModelSaver`.
    """
    folder = Path(output_dir)
    models = folder / "models"
    settings = {**settings, "classes": list(classes)}
    return [
        ModelSaver(models, interval=interval, settings=settings, resume=resume),
        SampleGrid(folder / "samples", num_classes=len(classes), interval=interval, seed=seed),
        DiversityReport(dataset, classes, folder / "diversity.json", interval=interval, seed=seed),
        BestModelSaver(models, metric=DIVERSITY_GAP, settings=settings),
        MetricsCSV(folder / "metrics.csv"),
        *_on_first_rank(
            lambda: TensorBoardStatsHandler(
                log_dir=str(folder / "tensorboard"), output_transform=lambda output: output
            )
        ),
        ProgressBar(),
    ]


def _on_first_rank(make: Callable[[], Any]) -> list[Any]:
    """A handler that would write on every rank."""
    return [make()] if idist.get_rank() == 0 else []
