"""A table of a training's figures that any program can read."""

import csv
from pathlib import Path
from typing import Any

from ignite import distributed as idist
from ignite.engine import Engine, Events


class MetricsCSV:
    """Append a row an epoch to a CSV: means of the engine's output, and `engine.state.metrics`.

    A figure that only some steps have, such as a penalty's, is averaged over those. A column that
    is first seen later is added, and empty in the rows before.

    Args:
        path: the file; its folder is made. One from an earlier training is replaced.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._rows: list[dict[str, Any]] = []
        self._values: dict[str, list[float]] = {}

    def attach(self, engine: Engine) -> None:
        """Register with a trainer, after the handlers that fill its metrics."""
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)

    def _add(self, engine: Any) -> None:
        for name, value in engine.state.output.items():
            self._values.setdefault(name, []).append(value)

    def _write(self, engine: Engine) -> None:
        state = engine.state
        means = {name: sum(values) / len(values) for name, values in self._values.items()}
        self._rows.append(
            {"epoch": state.epoch, "iteration": state.iteration, **means, **state.metrics}
        )
        self._values.clear()
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(
                {name: _short(value) for name, value in row.items()} for row in self._rows
            )


def _short(value: float | int) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
