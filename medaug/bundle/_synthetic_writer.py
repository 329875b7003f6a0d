"""What those who write generated images have in common: a folder a class, and a manifest."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from .._files import write_atomically
from ..data import Provenance
from ..errors import ConfigError

MANIFEST = "manifest.json"

logger = logging.getLogger("medaug")


class SyntheticWriter:
    """A handler that writes what an evaluator generates, and at the end a manifest of it.

    Subclasses say how an iteration's output is written, and record an entry for each file.

    Args:
        directory: made if it isn't there; files of the same name are replaced.
        classes: names, in the order of the labels; what a file's name can't hold becomes ``_``.
        model: what `describe_model` returns.
        seed: of the latents.

    Attributes:
        what: is made, as the manifest's key and in messages.
    """

    what: str

    def __init__(
        self, directory: str | Path, classes: Sequence[str], *, model: Mapping[str, Any], seed: int
    ) -> None:
        self.directory = Path(directory)
        self.classes = tuple(classes)
        # A class from a list may be called a/b, or ../b by somebody who means harm.
        self._folders = tuple(re.sub(r"[^\w. +-]|^\.+", "_", name) for name in classes)
        self.model = dict(model)
        self.seed = seed
        self._entries: list[dict[str, Any]] = []

    def attach(self, engine: Engine) -> None:
        """Register with a `SupervisedEvaluator` over a `LatentDataset`."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._write)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _start(self) -> None:
        self._entries.clear()
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            (self.directory / MANIFEST).unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, engine: Engine) -> None:
        raise NotImplementedError

    def _path(self, label: int, suffix: str) -> Path:
        """Of what comes next."""
        folder = self._folders[label]
        return self.directory / folder / f"{folder}_{len(self._entries):05d}{suffix}"

    def _provenance(self, class_name: str) -> Provenance:
        """Of what comes next."""
        return Provenance(
            model=self.model["name"],
            version=self.model["version"],
            sha256=self.model["sha256"],
            seed=self.seed,
            index=len(self._entries),
            class_name=class_name,
        )

    def _finish(self) -> None:
        record = {"medaug": version("medaug"), "model": self.model, self.what: self._entries}
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        write_atomically(
            self.directory / MANIFEST, lambda path: path.write_text(text, encoding="utf-8")
        )
        where = self.directory.absolute()
        logger.info("%d %s written to %s", len(self._entries), self.what, where)

    def _unwritable(self, error: OSError) -> ConfigError:
        reason = error.strerror or type(error).__name__
        return ConfigError(
            f"--output_dir must be a folder that can be written, got {self.directory} ({reason})"
        )
