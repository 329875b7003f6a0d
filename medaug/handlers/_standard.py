"""The handlers that every GAN bundle has."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from ignite import distributed as idist
from monai.handlers import TensorBoardStatsHandler

from ..engines import BestModelSaver, ModelSaver
from ..evaluation import DOMAIN, ImageDataset, default_cache
from ._collapse import CollapseMonitor
from ._generation import MSSSIM_GAP, GenerationMetrics
from ._metrics_csv import MetricsCSV
from ._progress import ProgressBar
from ._samples import SampleGrid


def gan_handlers(
    output_dir: str | Path,
    *,
    dataset: ImageDataset,
    validation: ImageDataset,
    classes: Sequence[str],
    interval: int,
    settings: dict[str, Any],
    extractors: Sequence[str] = (DOMAIN,),
    device: torch.device | str = "cpu",
    seed: int = 0,
    resume: bool | str = False,
    stop_on_collapse: bool = False,
) -> list[Any]:
    """What writes a GAN training's results into `output_dir`, in the order they must be attached.

    ``models/``: ``model.pt`` and ``model.json``, ``model_best.pt`` (by
    `GenerationMetrics.key_metric`), ``resume_<iteration>.pt``, ``collapse_monitor.json``;
    ``samples/epoch_NNNN.png``; ``evaluation.json`` and ``evaluations.jsonl``; ``metrics.csv`` and
    ``iterations.csv``; ``tensorboard/``; warnings of a collapse; and a progress bar.

    Args:
        output_dir: made if it isn't there.
        dataset: the real training images.
        validation: real images of other patients.
        classes: names, in the order of the labels.
        interval: epochs between savings, grids and evaluations.
        settings: what builds the generator again; the class names are added.
        extractors: see `GenerationMetrics`.
        device: where they run.
        seed: of the fixed latents.
        resume: see `ModelSaver`.
        stop_on_collapse: see `CollapseMonitor`.

    Raises:
        ConfigError, UserError: an extractor is unknown, or lacks its weights.
    """
    folder = Path(output_dir)
    models = folder / "models"
    settings = {**settings, "classes": list(classes)}
    judge = GenerationMetrics(
        dataset,
        validation,
        classes,
        folder,
        interval=interval,
        extractors=extractors,
        device=device,
        seed=seed,
        cache=default_cache(),
    )
    return [
        ModelSaver(models, interval=interval, settings=settings, resume=resume),
        SampleGrid(folder / "samples", num_classes=len(classes), interval=interval, seed=seed),
        judge,
        BestModelSaver(models, metric=judge.key_metric, settings=settings),
        CollapseMonitor(
            distance=None if judge.key_metric == MSSSIM_GAP else judge.key_metric,
            stop=stop_on_collapse,
            path=models / "collapse_monitor.json",
        ),
        MetricsCSV(folder / "metrics.csv"),
        *figures_board(folder / "tensorboard"),
        ProgressBar(),
    ]


def figures_board(directory: Path) -> list[Any]:
    """TensorBoard's files of an engine's output, which every rank would write."""
    if idist.get_rank() > 0:
        return []
    return [TensorBoardStatsHandler(log_dir=str(directory), output_transform=lambda output: output)]
