"""Generated sequences judged at the end: figures as JSON, and a page to look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..evaluation import CineEvaluator, Evaluation, ImageDataset, LabelledSequences
from ..evaluation._sequences import ejection_fractions
from ..report import write_cine_report
from ._evaluation_writer import EvaluationWriter

MOST_TRAINING, MOST = 500, 400
"""Training sequences, and held-out and generated ones, that are looked at."""
MOST_PIXELS = 2**28
"""Of a set, all frames together: 1 GiB as float32."""


class CineEvaluationWriter(EvaluationWriter):
    """As `EvaluationWriter`, for sequences: ``evaluation.json`` and ``report.html``.

    Of more than 500 training sequences, and of more than 400 held-out or generated ones, as many
    are drawn by chance; fewer where they are large, so that a set takes 1 GiB at most.

    Args:
        train: items as of `medaug.data.CinePyramid`.
        held_out: of other patients, that nothing was chosen by.
        classes: modalities.
        directory: of the two files.
        conditions: that were asked for by name, each with its range; an ``ejection_fraction`` that
            goes beyond 1 is in per cent.
        vgg_weights: see `medaug.evaluation.CineEvaluator`.
        options: as for `EvaluationWriter`.
    """

    what = "sequences"
    write_page = staticmethod(write_cine_report)

    def __init__(
        self,
        train: ImageDataset,
        held_out: ImageDataset,
        classes: Sequence[str],
        directory: str | Path,
        *,
        conditions: Mapping[str, Sequence[float] | None],
        vgg_weights: str | Path | None = None,
        **options: Any,
    ) -> None:
        super().__init__(train, held_out, classes, directory, **options)
        self.conditions = list(conditions)
        self.vgg_weights = vgg_weights
        ends = conditions.get("ejection_fraction")
        self._unit = 100.0 if ends is not None and max(ends) > 1 else 1.0
        self._asked: list[Tensor] = []

    def _start(self, engine: Any) -> None:
        super()._start(engine)
        self._asked.clear()

    def _add(self, engine: Any) -> None:
        super()._add(engine)
        self._asked.append(engine.state.batch["conditions"])

    def _sets(self) -> dict[str, Any]:
        asked = ejection_fractions(torch.cat(self._asked), self.conditions, self._unit)
        made = LabelledSequences(torch.cat(self._images), torch.cat(self._labels), asked)
        room = MOST_PIXELS // made.sequences[0].numel()
        train, held_out = (
            LabelledSequences.of(part, self.conditions, at_most=min(most, room), unit=self._unit)
            for part, most in ((self.train, MOST_TRAINING), (self.held_out, MOST))
        )
        return {"train": train, "held_out": held_out, "synthetic": made.at_most(min(MOST, room))}

    def _judge(self, sets: Mapping[str, Any]) -> Evaluation:
        evaluator = CineEvaluator(
            sets["train"],
            sets["held_out"],
            self.classes,
            vgg_weights=self.vgg_weights,
            **self._options(),
        )
        return evaluator(sets["synthetic"])
