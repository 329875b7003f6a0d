"""Generated images as files, and a manifest of what made them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Engine

from ..data import SYNTHETIC_SUFFIXES, write_synthetic
from ..errors import ConfigError
from ._inference import find_model, trained_settings
from ._synthetic_writer import SyntheticWriter
from ._training_set import file_hash, training_set_hash


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


class ImageWriter(SyntheticWriter):
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

    what = "images"

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
        super().__init__(directory, classes, model=model, seed=seed)
        self._suffix = SYNTHETIC_SUFFIXES[format]

    def _write(self, engine: Engine) -> None:
        output: Any = engine.state.output
        for image, label in zip(output["pred"], output["label"].tolist(), strict=True):
            path, provenance = (
                self._path(label, self._suffix),
                self._provenance(self.classes[label]),
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
                "index": provenance.index,
            }
            self._entries.append(entry)
