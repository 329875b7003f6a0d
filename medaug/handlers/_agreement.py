"""Do generated images show the class that was asked for? Judged by a classifier of real images."""

import json
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from ignite.engine import Engine, Events
from torch import Tensor

from .._files import write_atomically
from ..errors import UserError
from ..evaluation import ImageDataset, LabelledImages
from ..features import DomainClassifier, train_classifier
from ..metrics import ConditionalCheck, conditional_check, coverage, wilson_interval

logger = logging.getLogger("medaug")

_TRUSTED = 0.99  # accuracy on real images below which agreement says little
# 3 epochs of MNIST in batches of 128, and at least as many steps for smaller sets
_EPOCHS, _STEPS, _BATCH_SIZE = 3, 1_300, 128


class _Judged(NamedTuple):
    """Images as the classifier sees them."""

    features: Tensor
    predicted: Tensor
    labels: Tensor


class _Result(NamedTuple):
    """All figures; those of `check` on generated images, `real` on held-out real ones."""

    accuracy: float
    accuracy_interval: tuple[float, float]
    num_held_out: int
    num_training: int
    check: ConditionalCheck
    num_asked: dict[int, int]
    num_coverage: int
    real_coverage: float
    k: int

    @property
    def note(self) -> str | None:
        """What must be said where the classifier is no judge."""
        if self.accuracy >= _TRUSTED:
            return None
        return (
            f"the classifier is right on {self.accuracy:.1%} of the held-out real images only, "
            f"below {_TRUSTED:.0%}: agreement bounds nothing"
        )


class ClassAgreement:
    """Judge the images that an evaluator makes by a classifier trained on the real ones.

    When the evaluator starts, `medaug.features.train_classifier` learns the classes from real
    images, and is tried on held-out ones. When it is done, the share of generated images that show
    the class asked for, with its interval, and their coverage are printed and written as JSON.

    For coverage the held-out images are halved at random: one half is to be covered; the other
    half and equally many generated images, of the same classes, are what may cover it. So a
    generator as good as the real thing has the coverage of real images, also written.

    Args:
        train_dataset: real images to learn from, items with ``image`` and ``label``, all of one
            size.
        held_out_dataset: real images of the same size that neither the classifier nor the
            generator has seen; more than 2 `k`.
        classes: names, in the order of the labels.
        path: of the JSON file.
        num_images_for_coverage: at most, of each of the three kinds.
        k: for `medaug.metrics.coverage`.
        epochs: of the classifier; by default 3, or what makes 1,300 steps of a smaller set.
        seed: of the classifier and of the halves.
        max_training_images: of more, as many are drawn, so that they fit into memory.
    """

    def __init__(
        self,
        train_dataset: ImageDataset,
        held_out_dataset: ImageDataset,
        classes: Sequence[str],
        path: str | Path,
        *,
        num_images_for_coverage: int = 2000,
        k: int = 5,
        epochs: int | None = None,
        seed: int = 0,
        max_training_images: int = 60_000,
    ) -> None:
        if len(held_out_dataset) <= 2 * k + 1:
            raise UserError(
                f"held_out_dataset must have more than 2 k + 1 = {2 * k + 1} images, "
                f"got {len(held_out_dataset)}"
            )
        self.train_dataset = train_dataset
        self.held_out_dataset = held_out_dataset
        self.classes = tuple(classes)
        self.path = Path(path)
        self.num_images_for_coverage = num_images_for_coverage
        self.k = k
        self.epochs = epochs
        self.seed = seed
        self.max_training_images = max_training_images
        self._classifier: DomainClassifier | None = None
        self._num_training = 0
        self._held_out: _Judged | None = None
        self._made: list[_Judged] = []

    def attach(self, engine: Engine) -> None:
        """Register with a `SupervisedEvaluator` over a `LatentDataset`."""
        engine.add_event_handler(Events.STARTED, self._learn)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._judge)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _learn(self, engine: Any) -> None:
        self._made.clear()
        if self._classifier is None:
            images, labels = LabelledImages.of(self.train_dataset, self.max_training_images)
            self._num_training = len(images)
            logger.info("training a classifier on %d real images", len(images))
            self._classifier = train_classifier(
                images,
                labels,
                num_classes=len(self.classes),
                epochs=self.epochs or _enough_epochs(len(images)),
                seed=self.seed,
                device=engine.state.device,
                batch_size=_BATCH_SIZE,
            )
            images, labels = LabelledImages.of(self.held_out_dataset)
            self._held_out = _Judged(*self._classifier.predict(images), labels)

    def _judge(self, engine: Any) -> None:
        assert self._classifier is not None
        images, labels = engine.state.output["pred"].float(), engine.state.output["label"]
        self._made.append(_Judged(*self._classifier.predict(images), labels.cpu()))

    def _finish(self) -> None:
        assert self._held_out is not None
        made = _Judged(*(torch.cat(parts) for parts in zip(*self._made, strict=True)))
        self._made.clear()
        result = self._compare(self._held_out, made)
        save_agreement(result, self.classes, self.path)
        logger.info("\n%s\nwritten to %s", format_agreement(result, self.classes), self.path)

    def _compare(self, real: _Judged, made: _Judged) -> _Result:
        lots = _matched(real.labels, made.labels, self.num_images_for_coverage, self.seed)
        if not lots or len(lots[0]) <= self.k:
            raise UserError(
                f"coverage must have more than k = {self.k} pairs of held-out images and as many "
                f"generated ones of the same classes, got {len(lots[0]) if lots else 0}"
            )
        covered, fresh, generated = lots
        right = int((real.predicted == real.labels).sum())
        return _Result(
            accuracy=right / len(real.labels),
            accuracy_interval=wilson_interval(right, len(real.labels)),
            num_held_out=len(real.labels),
            num_training=self._num_training,
            check=conditional_check(
                made.labels,
                made.predicted,
                real.features[covered],
                made.features[generated],
                k=self.k,
            ),
            num_asked={
                label: int((made.labels == label).sum()) for label in range(len(self.classes))
            },
            num_coverage=len(covered),
            real_coverage=coverage(real.features[covered], real.features[fresh], k=self.k),
            k=self.k,
        )


def _enough_epochs(num_images: int) -> int:
    return max(_EPOCHS, math.ceil(_STEPS / max(1, num_images // _BATCH_SIZE)))


def _matched(real: Tensor, made: Tensor, most: int, seed: int) -> list[list[int]]:
    """Two lots of real images and one of generated ones: equally many of each class.

    Args:
        real: classes of the real images.
        made: classes that the generator was asked for.
        most: images in a lot; where there are more, every class gives its share.
        seed: halves the real images.
    """
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    rows: list[tuple[float, int, int, int]] = []
    for label in real.unique().tolist():
        mine = order[real[order] == label].tolist()
        fakes = torch.nonzero(made == label).flatten().tolist()
        count = min(len(mine) // 2, len(fakes))
        for k in range(count):
            rows.append(((k + 0.5) / count, mine[k], mine[count + k], fakes[k]))
    chosen = [row[1:] for row in sorted(rows)[:most]]
    return [list(column) for column in zip(*chosen, strict=True)]


def save_agreement(result: _Result, classes: Sequence[str], path: Path) -> None:
    """Write the figures as JSON."""
    check = result.check
    content = {
        "classifier": {
            "accuracy": result.accuracy,
            "interval": result.accuracy_interval,
            "num_held_out": result.num_held_out,
            "num_training": result.num_training,
        },
        "agreement": check.agreement,
        "interval": (check.low, check.high),
        "num_images": sum(result.num_asked.values()),
        "by_class": {classes[label]: share for label, share in check.by_class.items()},
        "coverage": check.coverage,
        "coverage_of_real": result.real_coverage,
        "num_images_for_coverage": result.num_coverage,
        "k": result.k,
        "note": result.note,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def format_agreement(result: _Result, classes: Sequence[str]) -> str:
    """The figures as lines of text."""
    check = result.check
    low, high = result.accuracy_interval
    asked = sum(result.num_asked.values())
    width = max([5, *map(len, classes)]) + 1
    lines = [
        "do the images show the class that was asked for? (in brackets: 95 % interval)",
        f"classifier on {result.num_held_out:,} held-out real images: right on "
        f"{result.accuracy:.4f} ({low:.4f} to {high:.4f})",
        f"it agrees on {check.agreement:.4f} ({check.low:.4f} to {check.high:.4f}) of "
        f"{asked:,} generated images",
        f"{'class':<{width}}{'n':>7}{'agreement':>11}",
    ]
    lines += [
        f"{classes[label]:<{width}}{result.num_asked[label]:>7,}{share:>11.4f}"
        for label, share in check.by_class.items()
    ]
    lines.append(
        f"coverage of {result.num_coverage:,} real images (k = {result.k}): {check.coverage:.3f} by"
        f" as many generated ones, {result.real_coverage:.3f} by as many other real ones"
    )
    return "\n".join(lines + ([f"note: {result.note}"] if result.note else []))
