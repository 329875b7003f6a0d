"""Tables of a training's figures that any program can read."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite import distributed as idist
from ignite.engine import Engine, Events

from .._files import remove_temporary, write_atomically
from ..engines import GanEvents
from ..errors import UserError

Row = dict[str, Any]


class MetricsCSV:
    """Write the engine's output to two tables: a row an iteration, and a row an epoch.

    An epoch's row holds the means of its iterations, and `engine.state.metrics`. A figure that
    only some steps have, such as a penalty's, is averaged over those. A column that is first seen
    later is added, and empty in the rows before. A training that goes on goes on with its tables,
    from which what came after the checkpoint is taken out.

    Args:
        path: of the epochs' table; that of the iterations is ``iterations.csv`` beside it.
    """

    def __init__(self, path: str | Path) -> None:
        self.epochs = Table(Path(path), digits=6)
        # Enough to read a float32 back as it was.
        self.iterations = Table(Path(path).with_name("iterations.csv"), digits=9)
        self._values: dict[str, list[float]] = {}

    def attach(self, engine: Engine) -> None:
        """Register with a trainer, after the handlers that fill its metrics."""
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.STARTED, self._start)
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)
            stops = (Events.COMPLETED, Events.EXCEPTION_RAISED, GanEvents.CHECKPOINT_STARTED)
            for event in stops:
                engine.add_event_handler(event, self._flush)

    def _start(self, engine: Any) -> None:
        state = engine.state
        remove_temporary(self.epochs.path.parent)
        self._values.clear()
        self.epochs.go_on("epoch", state.epoch)
        for row in self.iterations.go_on("iteration", state.iteration):
            if int(row["epoch"]) > state.epoch:  # of the epoch under way
                self._collect({name: float(value) for name, value in row.items() if value})

    def _add(self, engine: Any) -> None:
        state = engine.state
        self._collect(state.output)
        row = {"epoch": state.epoch, "iteration": state.iteration, **state.output}
        self.iterations.rows.append(row)

    def _collect(self, output: Mapping[str, float]) -> None:
        for name, value in output.items():
            if name not in ("epoch", "iteration"):
                self._values.setdefault(name, []).append(value)

    def _write(self, engine: Any) -> None:
        state = engine.state
        means = {name: sum(values) / len(values) for name, values in self._values.items()}
        row = {"epoch": state.epoch, "iteration": state.iteration, **means, **state.metrics}
        self._values.clear()
        self.epochs.rows.append(row)
        self._flush()

    def _flush(self, *_: object) -> None:
        self.epochs.write()
        self.iterations.write()


class Table:
    """A CSV that grows: appended to, and put in place anew where a column is added.

    Args:
        path: the file; its folder is made.
        digits: significant ones of a float.
    """

    def __init__(self, path: Path, *, digits: int) -> None:
        self.path = path
        self.digits = digits
        self.rows: list[Row] = []
        self._columns: list[str] = []

    def go_on(self, counter: str, last: int) -> list[Row]:
        """Keep, of the file's rows, those whose counter is at most `last`; return them."""
        kept: list[Row] = []
        if last > 0 and self.path.exists():
            kept = [row for row in self._read() if int(row[counter]) <= last]
        self._columns, self.rows = [], kept
        self.write()
        return kept

    def write(self) -> None:
        """Bring new rows to the file.

        Raises:
            UserError: it can't be written; it is as it was before.
        """
        if not self.rows:
            return
        names = list(dict.fromkeys([*self._columns, *(name for row in self.rows for name in row)]))
        if names == self._columns:
            self._append(self._lines(self.rows, names))
        else:
            rows = [*(self._read() if self._columns else ()), *self.rows]
            text = self._lines([dict(zip(names, names, strict=True)), *rows], names)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, lambda path: path.write_bytes(text))
        self._columns, self.rows = names, []

    def _append(self, text: bytes) -> None:
        before = self.path.stat().st_size
        try:
            with self.path.open("ab") as file:
                file.write(text)
        except OSError as error:
            os.truncate(self.path, before)
            raise UserError(f"{self.path} could not be written: {error.strerror}") from error

    def _lines(self, rows: Sequence[Row], names: Sequence[str]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names)
        writer.writerows({name: self._text(value) for name, value in row.items()} for row in rows)
        return text.getvalue().encode()

    def _read(self) -> list[Row]:
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]  # the last may have been cut off
        return list(csv.DictReader(whole))

    def _text(self, value: float | str) -> str:
        return f"{value:.{self.digits}g}" if isinstance(value, float) else str(value)
