"""Save a training so that neither a crash nor a full disk nor a scheduler can cost it."""

import json
import logging
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite import distributed as idist
from ignite.engine import Engine, Events

from .._files import (
    first_reason,
    load_tensors,
    remove_temporary,
    save_tensors,
    write_atomically,
)
from ..errors import CheckpointError
from ._distributed import any_rank, on_first_rank
from ._events import GanEvents, epochs

logger = logging.getLogger("medaug")

PATTERN = "resume_*.pt"
STOPPING = (signal.SIGTERM, signal.SIGINT)
ECHO = 1.0
"""Seconds: torchrun and schedulers pass on a signal that the process has had itself."""


class ModelSaver:
    """Write a training's state, and take it up again.

    Into `directory` go ``model.pt``, the plain state dict of the EMA generator, or of the best
    network of a classifier; ``model.json``, which tells how to build it again; and
    ``resume_<iteration>.pt``, all that the next iteration depends on, of which the newest `keep`
    stay. Each is written to a temporary file, which is synced and then put in place. They are
    written every `interval` epochs, at the end, and when the process is asked to stop: by SIGTERM,
    a scheduler's notice, after which the run ends as though complete; or by Ctrl-C, which is raised
    after the iteration under way, or at once when pressed again. Never after another exception.

    Comes first among the handlers: what it takes up, the others go on from. It saves after all of
    them have done their part.

    Args:
        directory: made if it isn't there.
        interval: in epochs.
        settings: what `model.json` holds: plain values only. A checkpoint whose settings differ is
            refused.
        resume: take up the newest whole checkpoint in `directory`, or begin where there is none;
            a path takes up that file, or the newest in that folder.
        keep: how many resume files stay.

    Raises:
        UserError: a file cannot be written; the previous one is still whole.
        CheckpointError: at the start, a checkpoint that was named isn't there or doesn't fit.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        interval: int,
        settings: Mapping[str, Any],
        resume: bool | str | Path = False,
        keep: int = 2,
    ) -> None:
        self.directory = Path(directory)
        self.interval = interval
        self.settings = dict(settings)
        self.resume = resume
        self.keep = keep
        self._asked: signal.Signals | None = None
        self._asked_at = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer` or a `ClassifierTrainer`."""
        engine.add_event_handler(Events.STARTED, self._start)
        for event in (Events.COMPLETED, Events.EXCEPTION_RAISED):
            engine.add_event_handler(event, self._restore_signals)

    def save(self, engine: Any) -> None:
        """Write all files, on rank 0, while the others wait."""
        on_first_rank(lambda: self._write(engine))

    def _write(self, engine: Any) -> None:
        engine.fire_event(GanEvents.CHECKPOINT_STARTED)
        # The model first: a run whose last checkpoint is there has nothing left to write.
        save_model(engine, self.directory, "model", self.settings)
        new = self.directory / f"resume_{engine.state.iteration:09d}.pt"
        checkpoint = engine.checkpoint() | {"settings": self.settings}
        write_atomically(new, lambda path: save_tensors(checkpoint, path))
        there = newest_first(self.directory)
        place = there.index(new)
        # Those after it are of a run that this one, gone back by name, has left.
        for path in there[:place] + there[place + self.keep :]:
            path.unlink(missing_ok=True)

    def _start(self, engine: Any) -> None:
        # Now that all others are attached, so that it comes after them: what a checkpoint stands
        # for has then been reported and written down, too.
        if not engine.has_event_handler(self._stop_if_asked):
            engine.add_event_handler(epochs(self.interval), self.save)
            # An epoch's end belongs to the epoch: its last iteration isn't stopped after.
            within = Events.ITERATION_COMPLETED(
                event_filter=lambda made, iteration: iteration % made.state.epoch_length > 0
            )
            engine.add_event_handler(within | Events.EPOCH_COMPLETED, self._stop_if_asked)
        if idist.get_rank() == 0:
            remove_temporary(self.directory)
        if self.resume:
            self._take_up(engine)
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in STOPPING}

    def _take_up(self, engine: Any) -> None:
        found = on_first_rank(lambda: self._find(engine))
        if found is None:
            return
        path, checkpoint = found
        try:
            engine.restore(checkpoint)
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"{path} must be of the networks and optimisers as they are configured: "
                f"{first_reason(error)}"
            ) from error
        logger.info("going on after iteration %d, from %s", engine.state.iteration, path)

    def _find(self, engine: Any) -> tuple[Path, dict[str, Any]] | None:
        found = self._load()
        if found is not None:
            path, checkpoint = found
            if "settings" not in checkpoint:
                raise CheckpointError(
                    f"{path} must be a checkpoint as a training saves it, {PATTERN}, got weights"
                )
            refuse_other_settings(path, checkpoint["settings"], self.settings)
            refuse_other_settings(path, checkpoint.get("shape", {}), engine.shape())
        return found

    def _load(self) -> tuple[Path, dict[str, Any]] | None:
        named = None if self.resume is True else Path(str(self.resume))
        if named is not None and named.is_file():
            return named, load_tensors(named)
        folder = named or self.directory
        there = newest_first(folder)
        for path in there:
            try:
                return path, load_tensors(path)
            except CheckpointError as error:
                logger.warning("%s; taking the one before it", error)
        if named is not None or there:
            raise CheckpointError(
                f"{folder} must be a checkpoint, or a folder with a whole {PATTERN}, got "
                + (f"{len(there)} damaged ones" if there else "none")
            )
        logger.info("no checkpoint in %s yet: beginning anew", folder)
        return None

    def _ask(self, number: int, _: object) -> None:
        now = time.monotonic()
        if self._asked is None:
            self._asked, self._asked_at = signal.Signals(number), now
        elif number == signal.SIGINT and now - self._asked_at > ECHO:
            raise KeyboardInterrupt

    def _stop_if_asked(self, engine: Any) -> None:
        if not any_rank(self._asked is not None, engine.state.device):
            return
        self.save(engine)
        state = engine.state
        if idist.get_rank() == 0:
            logger.warning(
                "stopped%s after iteration %d of %d, all of it saved; --resume true goes on",
                f" by {self._asked.name}" if self._asked else "",
                state.iteration,
                state.max_epochs * state.epoch_length,
            )
        if self._asked is signal.SIGINT:
            raise KeyboardInterrupt
        engine.terminate()

    def _restore_signals(self, engine: Engine, *error: BaseException) -> None:
        del engine, error
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        self._asked = None


class BestModelSaver:
    """Keep the generator of the epoch that was best by a metric, as ``model_best.pt``.

    Comes after the handler that puts the metric into ``engine.state.metrics``.

    Args:
        directory: as for `ModelSaver`.
        metric: name of the metric; epochs without it are passed over. Lower is better.
        settings: as for `ModelSaver`.
    """

    def __init__(self, directory: str | Path, *, metric: str, settings: Mapping[str, Any]) -> None:
        self.directory = Path(directory)
        self.metric = metric
        self.settings = dict(settings)

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer`."""
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._save_if_best)

    def _save_if_best(self, engine: Any) -> None:
        value = engine.state.metrics.get(self.metric)
        if value is None or not value < self._best(engine.state.epoch):
            return
        save_model(engine, self.directory, "model_best", self.settings | {self.metric: value})

    def _best(self, epoch: int) -> float:
        """The best so far; the file is the record, so that a run that goes on knows it."""
        try:
            record = json.loads((self.directory / "model_best.json").read_text(encoding="utf-8"))
            return float(record[self.metric]) if record["epoch"] < epoch else float("inf")
        except (OSError, ValueError, KeyError):
            return float("inf")


def save_model(engine: Any, directory: Path, name: str, settings: Mapping[str, Any]) -> None:
    """Write the engine's `saved_network` as ``<name>.pt``; beside it settings, epoch and so on."""
    state = {key: value.cpu() for key, value in engine.saved_network.state_dict().items()}
    write_atomically(directory / f"{name}.pt", lambda path: save_tensors(state, path))
    text = json.dumps({**settings, **engine.about_model()}, indent=2) + "\n"
    write_atomically(
        directory / f"{name}.json", lambda path: path.write_text(text, encoding="utf-8")
    )


def newest_first(directory: Path) -> list[Path]:
    """The resume files in a folder."""
    return sorted(directory.glob(PATTERN), reverse=True)


def refuse_other_settings(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Going on with other data, sizes or seeds would be another run.

    Raises:
        CheckpointError: naming the first setting that differs.
    """
    for name in {**before, **now}:
        old, new = before.get(name), now.get(name)
        if _plain(old) != _plain(new):
            raise CheckpointError(
                f"{path} must be of a run with the same settings: {name} was {old!r} there, "
                f"got {new!r}"
            )


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))  # a tuple and a list are the same
