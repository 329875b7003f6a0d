"""The beginning and the end of a training."""

import json
import logging
import platform
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from ..engines import write_atomically
from ..errors import ConfigError
from ..handlers import ClassDiversity, format_table
from ._workflow import find_configuration

logger = logging.getLogger("medaug")

RESULTS = ("models", "samples", "tensorboard", "metrics.csv", "diversity.json", "run.json")
"""What a training writes into its output folder."""
PACKAGES = ("medaug", "monai", "torch", "pytorch-ignite", "numpy", "numba", "pydicom")


class Collection(Protocol):
    """What a run records of its data."""

    classes: tuple[str, ...]
    train: list[dict[str, Any]]
    validation: list[dict[str, Any]]
    test: list[dict[str, Any]]
    fingerprint: str

    def summary(self) -> str:
        """A few lines for a person."""


def start_run(
    output_dir: str | Path, data: Collection, *, dataset_dir: str | Path, seed: int
) -> None:
    """Make the output folder, record in ``run.json`` what the run is made of, and say so.

    The record holds the configuration with its overrides, versions, the seed, and the data lists
    by pixel hash, with one fingerprint for them all. Results of an earlier run are moved to
    ``previous_N`` inside the folder.

    Raises:
        ConfigError: the output folder cannot be made, or lies among the images, where the next run
            would take its pictures for a class.
    """
    folder = Path(output_dir).absolute()
    if folder.resolve().is_relative_to(Path(dataset_dir).resolve()):
        raise ConfigError(f"--output_dir must lie outside of {dataset_dir}, got {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output_dir must be a folder that can be made: {error}") from error
    _set_aside(folder)
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    record = {
        "configuration": find_configuration(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
        "seed": seed,
        "classes": list(data.classes),
        "data_fingerprint": data.fingerprint,
        "data": {
            part: [{"source_id": item["source_id"], "label": item["label"]} for item in items]
            for part, items in parts.items()
        },
    }
    text = json.dumps(record, indent=1, default=str) + "\n"
    write_atomically(folder / "run.json", lambda path: path.write_text(text, encoding="utf-8"))
    logger.info("%s\nresults go to %s", data.summary(), folder)


def _set_aside(folder: Path) -> None:
    found = [folder / name for name in RESULTS if (folder / name).exists()]
    if not found:
        return
    number = 1
    while (folder / f"previous_{number}").exists():
        number += 1
    previous = folder / f"previous_{number}"
    previous.mkdir()
    for path in found:
        path.rename(previous / path.name)
    logger.info("results of an earlier run were moved to %s", previous)


def announce(output_dir: str | Path, *, bundle_root: str) -> None:
    """Say what came out, where everything is, and the command to try next."""
    folder = Path(output_dir).absolute()
    table = folder / "diversity.json"
    rows = (
        [ClassDiversity(**row) for row in json.loads(table.read_text())] if table.exists() else []
    )
    grids = sorted((folder / "samples").glob("epoch_*.png"))
    config = Path(bundle_root) / "configs" / "inference.json"
    lines = [
        *(("", format_table(rows)) if rows else ()),
        "",
        f"generator     {folder / 'models' / 'model.pt'}",
        f"pictures      {grids[-1] if grids else folder / 'samples'}",
        f"figures       {folder / 'metrics.csv'}  (tensorboard --logdir {folder / 'tensorboard'})",
        f"this run      {folder / 'run.json'}",
        "next: images of a class of your choice, as PNG:",
        f"  python -m monai.bundle run --config_file {_short(config)}"
        f" --run_dir {_short(folder)} --num_images 100",
    ]
    logger.info("\n".join(lines))


def _short(path: str | Path) -> str:
    """For a command line: relative to the current folder where it lies inside, else absolute."""
    path = Path(path).absolute()
    inside = path.is_relative_to(Path.cwd())
    return shlex.quote(str(path.relative_to(Path.cwd()) if inside else path))
