"""How alike the images of a class are, beside how alike the real ones are."""

import json
import logging
from collections.abc import Sequence, Sized
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from ignite import distributed as idist
from ignite.engine import Engine, Events
from torch import Tensor

from ..engines import epochs, write_atomically
from ..errors import UserError
from ..metrics import msssim_all_pairs
from ._samples import generate

logger = logging.getLogger("medaug")

DIVERSITY_GAP = "diversity_gap"
"""Mean over the classes of how far synthetic and real MS-SSIM lie apart; 0 is best."""


class ImageDataset(Sized, Protocol):
    """A data set of items with ``image`` (C, H, W) in [0, 1] and ``label``."""

    def __getitem__(self, index: int) -> Any:
        """One item."""


class ClassDiversity(NamedTuple):
    """Mean MS-SSIM over all pairs of a class, at equal n; lower is more diverse."""

    name: str
    num_images: int
    real: float
    synthetic: float
    metric: str


class RealImages:
    """The first n real images of each class, and their MS-SSIM, computed once.

    Args:
        dataset: of real images.
        classes: names, in the order of the labels.
        num_images: n; a class with fewer gives all it has, and fewer than two are left out.
    """

    def __init__(self, dataset: ImageDataset, classes: Sequence[str], num_images: int) -> None:
        chosen: list[list[Tensor]] = [[] for _ in classes]
        for index in range(len(dataset)):
            item = dataset[index]
            images = chosen[int(item["label"])]
            if len(images) < num_images:
                images.append(torch.as_tensor(item["image"]))
        self.counts = {label: len(images) for label, images in enumerate(chosen) if len(images) > 1}
        self.classes = tuple(classes)
        self._similarity = {
            label: msssim_all_pairs(torch.stack(chosen[label])) for label in self.counts
        }

    def compare(self, synthetic: Tensor, labels: Sequence[int]) -> list[ClassDiversity]:
        """Set the synthetic images beside the real ones, class by class.

        Args:
            synthetic: (N, C, H, W) in [0, 1]; at least `counts[label]` of each class.
            labels: N of them.
        """
        rows = []
        for label, count in self.counts.items():
            mine = [index for index, other in enumerate(labels) if other == label][:count]
            similarity = msssim_all_pairs(synthetic[mine])
            real = self._similarity[label]
            name = self.classes[label]
            rows.append(ClassDiversity(name, count, real.mean, similarity.mean, real.name))
        return rows


class DiversityReport:
    """Compare synthetic with real images within each class, while training and at the end.

    Puts ``<metric>_synthetic_<class>``, ``<metric>_real_<class>`` and ``diversity_gap``, their mean
    absolute difference, into the engine's metrics, and the table of the last time into a JSON
    file. Images that can't be compared, such as ones outside of [0, 1], are warned of; they don't
    end a training.

    Args:
        dataset: real images, those that the generator learns from.
        classes: names, in the order of the labels.
        path: of the JSON file.
        interval: in epochs.
        num_images: of each class, real and synthetic alike.
        seed: of the latents.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        classes: Sequence[str],
        path: str | Path,
        *,
        interval: int,
        num_images: int = 50,
        seed: int = 0,
    ) -> None:
        self.dataset = dataset
        self.classes = classes
        self.path = Path(path)
        self.interval = interval
        self.num_images = num_images
        self.seed = seed
        self._real: RealImages | None = None

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer`, before the handlers that write its metrics down."""
        if idist.get_rank() == 0:
            engine.add_event_handler(epochs(self.interval), self._report)

    def _report(self, engine: Any) -> None:
        try:
            self._compare(engine)
        except UserError as error:
            logger.warning("no diversity figures after epoch %d: %s", engine.state.epoch, error)

    def _compare(self, engine: Any) -> None:
        if self._real is None:
            self._real = RealImages(self.dataset, self.classes, self.num_images)
        labels = [label for label, count in self._real.counts.items() for _ in range(count)]
        images = generate(
            engine.ema_generator, labels, latent_dim=engine.latent_dim, seed=self.seed
        )
        rows = self._real.compare(images, labels)
        for row in rows:
            engine.state.metrics[f"{row.metric}_synthetic_{row.name}"] = row.synthetic
            engine.state.metrics[f"{row.metric}_real_{row.name}"] = row.real
        gaps = [abs(row.synthetic - row.real) for row in rows]
        if gaps:
            engine.state.metrics[DIVERSITY_GAP] = sum(gaps) / len(gaps)
        save_table(rows, self.path)


class SyntheticDiversity:
    """The same comparison for images that an evaluator makes, printed and saved when it is done.

    Args:
        dataset: real images.
        classes: names, in the order of the labels.
        path: of the JSON file.
        num_images: of each class; the evaluator has to make at least as many.
    """

    def __init__(
        self, dataset: ImageDataset, classes: Sequence[str], path: str | Path, *, num_images: int
    ) -> None:
        self.real = RealImages(dataset, classes, num_images)
        self.path = Path(path)
        self._images: list[Tensor] = []
        self._labels: list[int] = []

    def attach(self, engine: Engine) -> None:
        """Register with a `SupervisedEvaluator` over a `LatentDataset`."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _add(self, engine: Any) -> None:
        self._images.append(engine.state.output["pred"].float().cpu())
        self._labels += engine.state.output["label"].tolist()

    def _finish(self) -> None:
        rows = self.real.compare(torch.cat(self._images), self._labels)
        self._images.clear()
        self._labels.clear()
        save_table(rows, self.path)
        logger.info("\n%s\nwritten to %s", format_table(rows), self.path)


def save_table(rows: Sequence[ClassDiversity], path: Path) -> None:
    """Write the rows as JSON, a list of objects."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([row._asdict() for row in rows], indent=2) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text))


def format_table(rows: Sequence[ClassDiversity]) -> str:
    """The rows as lines of text."""
    metric = rows[0].metric if rows else "MS-SSIM"
    width = max([15, *(len(row.name) for row in rows)]) + 1
    lines = [
        f"{metric} within each class, mean over all pairs; lower is more diverse",
        f"{'class':<{width}}{'n':>5}{'real':>9}{'synthetic':>11}",
    ]
    lines += [f"{r.name:<{width}}{r.num_images:>5}{r.real:>9.3f}{r.synthetic:>11.3f}" for r in rows]
    return "\n".join(lines)
