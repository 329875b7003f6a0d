"""Save the generator so that neither a crash nor a full disk can cost the last good one."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from ignite import distributed as idist
from ignite.engine import Engine, Events

from ..errors import UserError
from ._events import epochs


class ModelSaver:
    """Write the EMA generator's plain state dict to ``<directory>/model.pt``.

    Beside it ``model.json`` tells how to build the network again. Both go to a temporary file,
    which is synced and then put in the place of the old one. Saves every `interval` epochs, at the
    end, and when the run is interrupted from the keyboard; never after another exception.

    Args:
        directory: made if it isn't there.
        interval: in epochs.
        settings: what `model.json` holds: plain values only.

    Raises:
        UserError: when a file cannot be written; the previous one is still whole.
    """

    def __init__(
        self, directory: str | Path, *, interval: int, settings: Mapping[str, Any]
    ) -> None:
        self.directory = Path(directory)
        self.interval = interval
        self.settings = dict(settings)

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer`."""
        if idist.get_rank() == 0:
            engine.add_event_handler(epochs(self.interval), self.save)
            engine.add_event_handler(Events.EXCEPTION_RAISED, self._save_if_interrupted)

    def save(self, engine: Any) -> None:
        """Write both files."""
        self.directory.mkdir(parents=True, exist_ok=True)
        state = {name: value.cpu() for name, value in engine.ema_generator.state_dict().items()}
        write_atomically(self.directory / "model.pt", lambda path: save_tensors(state, path))
        text = json.dumps(self.settings | {"epoch": engine.state.epoch}, indent=2) + "\n"
        write_atomically(self.directory / "model.json", lambda path: path.write_text(text))

    def _save_if_interrupted(self, engine: Engine, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt) and engine.state.iteration > 0:
            self.save(engine)


def save_tensors(state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Save tensors so that the same ones give the same bytes, whatever the file is called."""
    with path.open("wb") as file:  # from a path, torch would write the file's name into the file
        torch.save(dict(state), file)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, sync it, and put it in place of `path`.

    Raises:
        UserError: when it cannot be written, naming the file; what stood there before still does.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    # torch.save turns a full disk into a RuntimeError.
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise UserError(
            f"{path} could not be written, the file before it is kept: {error}"
        ) from error
