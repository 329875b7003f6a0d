"""Generated images judged at the end: figures as JSON, and a page to look at."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import Tensor

from ..evaluation import (
    DOMAIN,
    Evaluation,
    Evaluator,
    ImageDataset,
    LabelledImages,
    default_cache,
    load_extractors,
)
from ..metrics import read_ratings
from ..report import write_report

logger = logging.getLogger("medaug")

MOST_TRAINING, MOST = 10_000, 2_000
"""Training images, and held-out and generated ones, that are looked at."""
OTHER_DATA = (
    "these are not the {}, or not the split, that the generator was trained on: some that it has "
    "seen may count as held out"
)


class EvaluationWriter:
    """Judge what an evaluator generates; write ``evaluation.json`` and ``report.html``.

    Of more than 10,000 training images, and of more than 2,000 held-out or generated ones, as many
    are drawn by chance.

    Args:
        train: what the generator learned from, as it saw it.
        held_out: real images of other patients, that nothing was chosen by.
        classes: names, in the order of the labels.
        directory: of the two files; made if it isn't there.
        title: of the page.
        extractors: see `medaug.evaluation.Evaluator`.
        ratings: a CSV for `medaug.metrics.read_ratings`, for HyperScore's realism; None has none.
        history: the training's ``metrics.csv``; the page has no curves where there is none.
        same_data: whether `train` is what the generator was trained on; a warning where it isn't.
        device: where extractors run.
        seed: of draws and resamples.

    Raises:
        ConfigError, UserError: an extractor is unknown, or lacks its weights; ratings can't be
            read; later, where the images can't be judged or the files not be written.

    Attributes:
        what: is judged.
        write_page: what writes the page.
    """

    what = "images"
    write_page: Callable[..., None] = staticmethod(write_report)

    def __init__(
        self,
        train: ImageDataset,
        held_out: ImageDataset,
        classes: Sequence[str],
        directory: str | Path,
        *,
        title: str,
        extractors: Sequence[str] = (DOMAIN,),
        ratings: str | Path | None = None,
        history: str | Path | None = None,
        same_data: bool = True,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        self.train = train
        self.held_out = held_out
        self.classes = tuple(classes)
        self.directory = Path(directory)
        self.title = title
        self.extractors = load_extractors(extractors, device)
        self.ratings = read_ratings(ratings) if ratings else None
        self.history = None if history is None else Path(history)
        self.same_data = same_data
        self.device = device
        self.seed = seed
        self._images: list[Tensor] = []
        self._labels: list[Tensor] = []

    def attach(self, engine: Engine) -> None:
        """Register with a `SupervisedEvaluator` over a `LatentDataset`."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _start(self, _: Engine) -> None:
        self._images.clear()
        self._labels.clear()

    def _add(self, engine: Any) -> None:
        self._images.append(engine.state.output["pred"].float().cpu())
        self._labels.append(engine.state.output["label"].cpu())

    def _finish(self) -> None:
        sets = self._sets()
        evaluation = self._noted(self._judge(sets), len(sets["train"].labels))
        evaluation.save(self.directory / "evaluation.json")
        page = self.directory / "report.html"
        self.write_page(page, evaluation, **sets, title=self.title, history=self.history)
        logger.info("\n%s\n\nthe page: %s", evaluation.text(), page)

    def _sets(self) -> dict[str, Any]:
        """What is compared, by name."""
        made = LabelledImages(torch.cat(self._images), torch.cat(self._labels))
        return {
            "train": LabelledImages.of(self.train, MOST_TRAINING),
            "held_out": LabelledImages.of(self.held_out, MOST),
            "synthetic": made.at_most(MOST),
        }

    def _judge(self, sets: Mapping[str, Any]) -> Evaluation:
        evaluator = Evaluator(sets["train"], sets["held_out"], self.classes, **self._options())
        return evaluator(sets["synthetic"])

    def _options(self) -> dict[str, Any]:
        """Of the evaluator."""
        return {
            "extractors": self.extractors,
            "device": self.device,
            "seed": self.seed,
            "cache": default_cache(),
            "ratings": self.ratings,
        }

    def _noted(self, evaluation: Evaluation, seen: int) -> Evaluation:
        """With what a reader has to know of the sets."""
        notes = {}
        there = len(self.train)
        if seen < there:
            notes[f"training {self.what}"] = f"{seen:,} of {there:,} were looked at"
        if not self.same_data:
            warning = OTHER_DATA.format(self.what)
            logger.warning(warning)
            notes["memorisation"] = warning
        return replace(evaluation, left_out={**evaluation.left_out, **notes})
