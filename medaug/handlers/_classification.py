"""How well a classifier tells classes apart."""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from ignite.engine import Engine, Events
from torch import Tensor

from .._files import write_atomically
from ..errors import DataError

logger = logging.getLogger("medaug")

LEAST = 1e-12
"""A probability below this counts as this: one sure mistake shouldn't make a loss infinite."""


class ClassificationFigures(NamedTuple):
    """What `classification_figures` found.

    Attributes:
        figures: by name.
        confusion: (K, K) int64, images of the row's class that were taken for the column's.
        absent: classes of which there is no image.
    """

    figures: dict[str, float]
    confusion: Tensor
    absent: tuple[str, ...]


def classification_figures(
    probabilities: Tensor, labels: Tensor, classes: Sequence[str]
) -> ClassificationFigures:
    """Judge probabilities by the true classes, by torchmetrics, to the precision of float32.

    Figures, all but the last two from 0 to 1 and higher is better:

    - ``accuracy``: share of images whose most probable class is the true one;
    - ``precision_<class>``, ``recall_<class>``, ``f1_<class>``: of the most probable class; the
      precision of a class that was never predicted is 0;
    - ``auroc_<class>``, ``auprc_<class>``: of the class's probability against all other classes;
      areas under the ROC curve, and under the precision-recall curve by its steps (average
      precision);
    - ``precision_macro`` and so on: their means over the classes; ``balanced_accuracy`` is the mean
      recall;
    - ``log_loss``: mean of -ln(probability of the true class); ``balanced_log_loss``: the mean over
      the classes of their means.

    A class without an image has no figures and is left out of the means; one that has all images
    has no areas.

    Args:
        probabilities: (N, K), rows adding up to 1.
        labels: (N,), indices into `classes`.
        classes: K names.

    Raises:
        DataError: there is no image, or shapes and labels don't fit.
    """
    _check(probabilities, labels, len(classes))
    shares, labels = probabilities.detach().cpu().double(), labels.cpu().long()
    counts = torch.bincount(labels, minlength=len(classes))
    there = [index for index, count in enumerate(counts.tolist()) if count]
    confusion, by_class = _by_class(shares, labels, there, len(classes))
    losses = -shares[torch.arange(len(labels)), labels].clamp(min=LEAST).log()
    figures = {
        "accuracy": float((shares.argmax(1) == labels).double().mean()),
        "balanced_accuracy": _mean(by_class["recall"]),
        **{f"{name}_macro": _mean(values) for name, values in by_class.items() if values},
        "log_loss": float(losses.mean()),
        "balanced_log_loss": _mean({k: float(losses[labels == k].mean()) for k in there}),
    }
    for name, values in by_class.items():
        figures |= {f"{name}_{classes[k]}": value for k, value in values.items()}
    absent = tuple(name for name, count in zip(classes, counts.tolist(), strict=True) if not count)
    return ClassificationFigures(figures, confusion, absent)


def _check(probabilities: Tensor, labels: Tensor, num_classes: int) -> None:
    if len(labels) == 0:
        raise DataError("images to judge a classifier by must be at least 1, got none")
    if probabilities.shape != (len(labels), num_classes):
        raise DataError(
            f"probabilities must be {(len(labels), num_classes)}, a row an image and a column a "
            f"class, got {tuple(probabilities.shape)}"
        )
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise DataError(
            f"labels must be 0 to {num_classes - 1}, got {int(labels.min())} to {int(labels.max())}"
        )


def _by_class(
    shares: Tensor, labels: Tensor, there: Sequence[int], num_classes: int
) -> tuple[Tensor, dict[str, dict[int, float]]]:
    # here, for it takes seconds and only classifiers need it
    from torchmetrics.functional import classification as judge

    counted = (shares.argmax(1), labels, num_classes)
    hard = {
        "precision": judge.multiclass_precision(*counted, average="none"),
        "recall": judge.multiclass_recall(*counted, average="none"),
        "f1": judge.multiclass_f1_score(*counted, average="none"),
    }
    found = {name: {k: float(values[k]) for k in there} for name, values in hard.items()}
    areas: dict[str, Callable[..., Tensor]] = {
        "auroc": judge.binary_auroc,
        "auprc": judge.binary_average_precision,
    }
    for name, area in areas.items():
        found[name] = {
            k: float(area(shares[:, k], (labels == k).long())) for k in there if len(there) > 1
        }
    return judge.multiclass_confusion_matrix(*counted).long(), found


def _mean(values: dict[int, float]) -> float:
    return sum(values.values()) / len(values)


class ClassificationMetrics:
    """Put `classification_figures` of what an evaluator predicts into ``engine.state.metrics``.

    The confusion matrix goes to ``engine.state.metric_details["confusion"]``, (K, K) int64. Classes
    without an image are warned of, once.

    Args:
        classes: names, in the order of the labels.
        path: a JSON file for all of it, with the number of images of each class; None writes none.

    Raises:
        DataError: at the end, when there was no image; UserError, when the file can't be written.
    """

    def __init__(self, classes: Sequence[str], *, path: str | Path | None = None) -> None:
        self.classes = tuple(classes)
        self.path = None if path is None else Path(path)
        self._shares: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._warned = False

    def attach(self, engine: Engine) -> None:
        """Register with a `SupervisedEvaluator` whose network gives logits."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._finish)

    def _start(self) -> None:
        self._shares.clear()
        self._labels.clear()

    def _add(self, engine: Any) -> None:
        output = engine.state.output
        self._shares.append(output["pred"].detach().double().softmax(1).cpu())
        self._labels.append(output["label"].detach().cpu())

    def _finish(self, engine: Any) -> None:
        labels = torch.cat(self._labels)
        found = classification_figures(torch.cat(self._shares), labels, self.classes)
        if found.absent and not self._warned:
            self._warned = True
            logger.warning(
                "no image of %s to judge by: it has no figures, and means are over the others",
                ", ".join(found.absent),
            )
        engine.state.metrics |= found.figures
        engine.state.metric_details["confusion"] = found.confusion
        if self.path is not None:
            self._write(self.path, found)

    def _write(self, path: Path, found: ClassificationFigures) -> None:
        counts = found.confusion.sum(1).tolist()
        record = {
            "classes": list(self.classes),
            "images": dict(zip(self.classes, counts, strict=True)),
            "figures": found.figures,
            "about": "confusion: a row for each true class, a column for each predicted one",
            "confusion": found.confusion.tolist(),
        }
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
