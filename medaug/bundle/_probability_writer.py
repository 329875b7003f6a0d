"""What a classifier says of each image, as a table."""

import csv
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from .._files import write_atomically

logger = logging.getLogger("medaug")


class ProbabilityWriter:
    """Write a CSV with a row an image: who it is, the predicted class, each class's probability.

    Columns: `key`; ``label``, the true class, where the data set has one; ``predicted``;
    ``probability_<class>``. It is put in place at the end, whole.

    Args:
        path: of the table; its folder is made.
        classes: names, in the order of the network's outputs.
        key: of the batch, what names an image: ``file``, or ``source_id``, its pixels' hash.

    Raises:
        UserError: at the end, when the table can't be written.
    """

    def __init__(self, path: str | Path, classes: Sequence[str], *, key: str = "file") -> None:
        self.path = Path(path)
        self.classes = tuple(classes)
        self.key = key
        self._rows: list[dict[str, str]] = []

    def attach(self, engine: Engine) -> None:
        """Register with a `SupervisedEvaluator` whose network gives logits."""
        engine.add_event_handler(Events.STARTED, self._rows.clear)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _add(self, engine: Any) -> None:
        shares = engine.state.output["pred"].detach().double().softmax(1).cpu()
        labels = engine.state.output.get("label")
        for index, (name, row) in enumerate(zip(engine.state.batch[self.key], shares, strict=True)):
            cells = {self.key: str(name)}
            if labels is not None:
                cells["label"] = self.classes[int(labels[index])]
            cells["predicted"] = self.classes[int(row.argmax())]
            values = zip(self.classes, row.tolist(), strict=True)
            cells |= {f"probability_{each}": f"{value:.8g}" for each, value in values}
            self._rows.append(cells)

    def _finish(self) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(self._rows[0]) if self._rows else [self.key])
        writer.writeheader()
        writer.writerows(self._rows)
        content = text.getvalue().encode()
        write_atomically(self.path, lambda part: part.write_bytes(content))
        logger.info("probabilities of %d images: %s", len(self._rows), self.path.absolute())
