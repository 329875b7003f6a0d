"""The beginning and the end of a training."""

import json
import logging
import os
import platform
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from ignite import distributed as idist

from .._files import remove_temporary, write_atomically
from .._memory import keep_freed_memory
from ..engines import newest_first, on_first_rank
from ..errors import CheckpointError, ConfigError
from ..evaluation import Evaluation
from ._overrides import FALSE, TRUE
from ._training_set import write_training_set
from ._workflow import find_configuration

logger = logging.getLogger("medaug")

RESULTS = (
    *("models", "samples", "tensorboard", "metrics.csv", "iterations.csv", "evaluation.json"),
    *("evaluations.jsonl", "run.json"),
)
"""What a training writes into its output folder."""
PACKAGES = ("medaug", "monai", "torch", "timm", "pytorch-ignite", "numpy", "numba", "pydicom")


class Collection(Protocol):
    """What a run records of its data."""

    classes: tuple[str, ...]
    train: list[dict[str, Any]]
    validation: list[dict[str, Any]]
    test: list[dict[str, Any]]
    fingerprint: str

    def summary(self) -> str:
        """A few lines for a person."""


def as_resume(value: object) -> bool | str:
    """What ``--resume`` says: whether to go on from the newest checkpoint, or from which.

    True, 'true' and the like; False, None, 'false'; else a path.
    """
    if value is None or str(value).lower() in FALSE:
        return False
    return True if str(value).lower() in TRUE else str(value)


def start_run(
    output_dir: str | Path,
    data: Collection,
    *,
    dataset_dir: str | Path,
    seed: int,
    resume: object = None,
) -> None:
    """Make the output folder, record in ``run.json`` what the run is made of, and say so.

    The record holds the configuration with its overrides, versions, the seed, and the data lists
    by pixel hash, with one fingerprint for them all; ``models/training_set.json`` holds the pixel
    hashes of the training images. Results of an earlier run are moved to ``previous_N`` inside the
    folder, but for those of a run that is to go on, whose record gets another entry under
    ``resumed``. Of several processes, the first does this and the others wait.

    Raises:
        ConfigError: the output folder cannot be made, or lies among the images, where the next run
            would take its pictures for a class; or torchrun started this without the overlay that
            joins its processes.
        CheckpointError: the checkpoint to go on from isn't there, or was trained on other images.
    """
    keep_freed_memory()
    if int(os.environ.get("WORLD_SIZE", "1")) != idist.get_world_size():
        raise ConfigError(
            "several processes must be run with the overlay that joins them: --config_file "
            "\"['.../train.json','.../multi_gpu_train.json']\""
        )
    on_first_rank(lambda: _start(Path(output_dir), data, dataset_dir, seed, as_resume(resume)))


def _start(
    output_dir: Path, data: Collection, dataset_dir: str | Path, seed: int, resume: bool | str
) -> None:
    folder = output_dir.absolute()
    if str(dataset_dir) and folder.resolve().is_relative_to(Path(dataset_dir).resolve()):
        raise ConfigError(f"--output_dir must lie outside of {dataset_dir}, got {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output_dir must be a folder that can be made: {error}") from error
    remove_temporary(folder)
    path = folder / "run.json"
    made_by = {
        "configuration": find_configuration(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
    }
    goes_on = _goes_on(folder / "models", resume)
    if goes_on and path.exists():
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["data_fingerprint"] != data.fingerprint:
            raise CheckpointError(
                f"--resume must go on with the same images and splits: those in {path} are others"
            )
        record["resumed"] = [*record.get("resumed", ()), made_by]
    else:
        if not goes_on:
            _set_aside(folder)
        write_training_set(data.train, folder / "models" / "training_set.json")
        record = made_by | {"seed": seed} | _what_of(data)
    text = json.dumps(record, indent=1, default=str) + "\n"
    write_atomically(path, lambda path: path.write_text(text, encoding="utf-8"))
    logger.info("%s\nresults go to %s", data.summary(), folder)


def _what_of(data: Collection) -> dict[str, Any]:
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    return {
        "classes": list(data.classes),
        "data_fingerprint": data.fingerprint,
        "data": {
            part: [{"source_id": item["source_id"], "label": item["label"]} for item in items]
            for part, items in parts.items()
        },
    }


def _goes_on(models: Path, resume: bool | str) -> bool:
    """Whether what is in `models` belongs to the run that begins."""
    if isinstance(resume, str):
        named = Path(resume)
        if not named.exists():
            raise CheckpointError(
                f"--resume must be true, false or a checkpoint that is there, got {resume}"
            )
        return named.resolve().is_relative_to(models.resolve())
    return resume and bool(newest_first(models))


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
    if idist.get_rank() > 0:
        return
    folder = Path(output_dir).absolute()
    found = folder / "evaluation.json"
    grids = sorted((folder / "samples").glob("epoch_*.png"))
    config = Path(bundle_root) / "configs" / "inference.json"
    lines = [
        *(("", Evaluation.load(found).summary()) if found.exists() else ()),
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
