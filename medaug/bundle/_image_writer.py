"""Generated images as files, and a manifest of what made them."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from .._files import write_atomically
from ..data import SYNTHETIC_SUFFIXES, Provenance, write_synthetic
from ..errors import ConfigError
from ._inference import find_model, trained_settings
from ._training_set import file_hash, training_set_hash

MANIFEST = "manifest.json"

logger = logging.getLogger("medaug")


def describe_model(run_dir: str | Path, bundle_root: str | Path) -> dict[str, Any]:
    """What tells one trained generator from another, without paths.

    Returns:
        ``name`` and ``version`` of the bundle, from its metadata; ``sha256`` of
        ``models/model.pt``; the ``epoch`` that it was saved at (None where that isn't recorded);
        ``training_set_sha256`` of ``models/training_set.json`` (None where there is none).

    Raises:
        CheckpointError: there is no trained model.
        ConfigError: the bundle has no metadata.
    """
    path = Path(bundle_root) / "configs" / "metadata.json"
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        name, number = str(metadata["name"]), str(metadata["version"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"{path} must be a bundle's metadata with name and version ({type(error).__name__})"
        ) from error
    return {
        "name": name,
        "version": number,
        "sha256": file_hash(find_model(run_dir)),
        "epoch": trained_settings(run_dir).get("epoch"),
        "training_set_sha256": training_set_hash(run_dir),
    }


class ImageWriter:
    """Write what an evaluator generates: ``<directory>/<class>/<class>_NNNNN.png`` or so.

    Each file says of itself that it is synthetic (`medaug.data.write_synthetic`). At the end
    ``<directory>/manifest.json`` holds the model once, and for each image its file, the file's
    SHA-256, class, seed and index; while images are being written there is none.

    Args:
        directory: made if it isn't there; files of the same name are replaced.
        classes: names, in the order of the labels; what a file's name can't hold becomes ``_``.
        format: png, nifti or dicom.
        model: what `describe_model` returns.
        seed: of the latents.

    Raises:
        ConfigError: the format is unknown; later, when the directory can't be written.
    """

    def __init__(
        self,
        directory: str | Path,
        classes: Sequence[str],
        *,
        format: str = "png",
        model: Mapping[str, Any],
        seed: int,
    ) -> None:
        if format not in SYNTHETIC_SUFFIXES:
            raise ConfigError(f"--format must be one of {[*SYNTHETIC_SUFFIXES]}, got {format!r}")
        self.directory = Path(directory)
        self.classes = tuple(classes)
        # A class from a list may be called a/b, or ../b by somebody who means harm.
        self._folders = tuple(re.sub(r"[^\w. +-]|^\.+", "_", name) for name in classes)
        self._suffix = SYNTHETIC_SUFFIXES[format]
        self.model = dict(model)
        self.seed = seed
        self._images: list[dict[str, Any]] = []

    def attach(self, engine: Engine) -> None:
        """Register with a `SupervisedEvaluator` over a `LatentDataset`."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._write)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _start(self) -> None:
        self._images.clear()
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            (self.directory / MANIFEST).unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, engine: Engine) -> None:
        output: Any = engine.state.output
        for image, label in zip(output["pred"], output["label"].tolist(), strict=True):
            index, folder = len(self._images), self._folders[label]
            path = self.directory / folder / f"{folder}_{index:05d}{self._suffix}"
            provenance = Provenance(
                model=self.model["name"],
                version=self.model["version"],
                sha256=self.model["sha256"],
                seed=self.seed,
                index=index,
                class_name=self.classes[label],
            )
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_synthetic(image, path, provenance)
            except OSError as error:
                raise self._unwritable(error) from error
            entry = {
                "file": path.relative_to(self.directory).as_posix(),
                "sha256": file_hash(path),
                "class": self.classes[label],
                "seed": self.seed,
                "index": index,
            }
            self._images.append(entry)

    def _finish(self) -> None:
        record = {"medaug": version("medaug"), "model": self.model, "images": self._images}
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        write_atomically(
            self.directory / MANIFEST, lambda path: path.write_text(text, encoding="utf-8")
        )
        logger.info("%d images written to %s", len(self._images), self.directory.absolute())

    def _unwritable(self, error: OSError) -> ConfigError:
        reason = error.strerror or type(error).__name__
        return ConfigError(
            f"--output_dir must be a folder that can be written, got {self.directory} ({reason})"
        )
