"""The handlers that a classifier's bundle has."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from ignite import distributed as idist
from monai.engines import Evaluator
from monai.handlers import TensorBoardStatsHandler

from ..engines import BestNetwork, ModelSaver
from ._metrics_csv import MetricsCSV
from ._progress import ProgressBar
from ._validation import PREFIX, Validation

VALIDATION_LOSS = f"{PREFIX}balanced_log_loss"
"""By which the best network is chosen: unlike an accuracy, it has no ties on a few images, and a
rare class counts as much as a common one."""


class ClassifierProgressBar(ProgressBar):
    """Show the loss, and the accuracy in the batches."""

    SHOWN: ClassVar = {"loss": "loss", "accuracy": "accuracy"}


def classifier_handlers(
    output_dir: str | Path,
    *,
    evaluator: Evaluator,
    classes: Sequence[str],
    interval: int,
    settings: dict[str, Any],
    patience: int | None = None,
    resume: bool | str = False,
) -> list[Any]:
    """What writes a classifier's training into `output_dir`, in the order to be attached in.

    ``models/``: ``model.pt`` and ``model.json``, the network that is best by `VALIDATION_LOSS`, and
    ``resume_<iteration>.pt``; ``metrics.csv`` and ``iterations.csv``; ``tensorboard/``; and a
    progress bar.

    Args:
        output_dir: made if it isn't there.
        evaluator: judges the network on validation images; see `Validation`.
        classes: names, in the order of the labels.
        interval: epochs between validations and savings.
        settings: what builds the network again; the class names are added.
        patience: see `BestNetwork`.
        resume: see `ModelSaver`.

    Raises:
        ConfigError: `patience` is below 1.
    """
    folder = Path(output_dir)
    settings = {**settings, "classes": list(classes)}
    handlers = [
        ModelSaver(folder / "models", interval=interval, settings=settings, resume=resume),
        Validation(evaluator, interval=interval),
        BestNetwork(VALIDATION_LOSS, patience=patience),
        MetricsCSV(folder / "metrics.csv"),
        ClassifierProgressBar(),
    ]
    if idist.get_rank() == 0:
        board = TensorBoardStatsHandler(
            log_dir=str(folder / "tensorboard"), output_transform=lambda output: output
        )
        handlers.insert(-1, board)
    return handlers
