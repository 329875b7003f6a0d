"""Cells of the table: one training of the classifier, and what it says of the test images."""

import csv
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import write_atomically
from ..errors import ConfigError
from ._comparison import Predictions
from ._config import Arm, Study
from ._images import EXTERNAL, JUDGED, Picture, Pictures, write_list
from ._keys import file_key, key_of, read_json, versions, write_json
from ._leaks import refuse_leaking_lists
from ._pools import Pool, taken
from ._runner import RunFailedError, Runner

RESULT, PREDICTIONS = "result.json", "predictions.npz"
FIXED = (
    *("dataset_dir", "output_dir", "image_size", "max_epochs", "val_interval", "patience"),
    *("seed", "use_aiin", "augment", "balance", "pretrained", "resume", "epoch_length"),
)
"""Keys of the classifier's train.json that the study sets; `pretrained` a model may set, too."""
BATCHES = "epoch_length"


@dataclass(frozen=True)
class Stage:
    """A training: images to learn from, and how long.

    Attributes:
        items: to learn from.
        epochs: each ends with a validation.
    """

    items: tuple[Picture, ...]
    epochs: int


@dataclass(frozen=True)
class Cell:
    """An arm's training with one seed.

    Attributes:
        arm: name.
        seed: of the training.
        stages: one, or pre-training and fine-tuning.
        options: overrides of the classifier's train.json.
        key: hash of all that went in.
    """

    arm: str
    seed: int
    stages: tuple[Stage, ...]
    options: Mapping[str, Any]
    key: str


@dataclass(frozen=True)
class Outcome:
    """What a cell has come to.

    Attributes:
        test: predictions of the test images.
        external: of a second hospital's, where there is one.
        seconds: that it took.
        learned_from: images of each class, without and with those that were added.
    """

    test: Predictions
    external: Predictions | None
    seconds: float
    learned_from: Mapping[str, Sequence[int]]


class Classifier:
    """The classifier's bundle, as a study trains and tests it.

    Args:
        study: whose.
        bundles: folder of the bundles.
        runner: of bundles.

    Raises:
        ConfigError: there is no such bundle, or the study would override what it has to set.
    """

    def __init__(self, study: Study, bundles: Path, runner: Runner) -> None:
        self.study = study
        self.runner = runner
        self.folder = bundles / str(study.classifier["bundle"]) / "configs"
        if not (self.folder / "train.json").is_file():
            raise ConfigError(
                f"classifier must name a bundle in {bundles}, got {study.classifier['bundle']!r}"
            )
        self.recipe = json.loads((self.folder / "train.json").read_text(encoding="utf-8"))
        for where, given in (
            ("classifier", study.classifier["overrides"]),
            *((f"models {name!r}", one) for name, one in study.models.items()),
        ):
            self._check(where, given)

    def cell(self, arm: Arm, seed: int, real: Pictures, pool: Pool | None = None) -> Cell:
        """What an arm trains with one seed.

        Args:
            arm: whose.
            seed: one of the arm's.
            real: prepared as the arm wants it.
            pool: of the arm's generator.

        Raises:
            DataError: as `taken`; or what it would learn from holds a held-out image.
        """
        seeds = self.study.seeds_of(arm)
        turn = seeds.index(seed)
        extra = tuple(taken(arm, real, pool, turn, len(seeds), seed))
        own = tuple(real.of("training"))
        refuse_leaking_lists((*own, *extra), real)
        epochs = self.study.validations
        stages = [Stage(own + extra, epochs)]
        if arm.pretrain:
            stages = [Stage(extra, epochs // 2), Stage(own, epochs - epochs // 2)]
        options = self._options(arm, seed)
        key = key_of([self._content(stages, real, options), options])
        return Cell(arm.name, seed, tuple(stages), options, key)

    def run(self, cell: Cell, real: Pictures) -> Outcome:
        """Train and test, or take up what was done before.

        Raises:
            RunFailedError: with the reason.
        """
        folder = (self.study.cache / "cells" / cell.key).absolute()
        if read_json(folder / RESULT) is None:
            began = time.monotonic()
            shutil.rmtree(folder, ignore_errors=True)  # of a study that was killed
            model = folder
            for number, stage in enumerate(cell.stages):
                before = model / "models" / "model.pt" if number else None
                model = self._train(folder / f"stage_{number}", cell, stage, real, before)
            judged = self._judge(folder, model, real)
            _save(folder / PREDICTIONS, judged)
            for number in range(len(cell.stages)):  # weights, which nobody will look at
                shutil.rmtree(folder / f"stage_{number}")
            record = {
                "key": cell.key,
                "seed": cell.seed,
                "options": dict(cell.options),
                "seconds": round(time.monotonic() - began, 1),
                "versions": versions(),
            }
            write_json(folder / RESULT, record)
        return self._outcome(folder, cell, real)

    def _check(self, where: str, given: Mapping[str, Any]) -> None:
        for key in given:
            top = key.split("#")[0].split("::")[0]
            if (top in FIXED and not (top == "pretrained" and where != "classifier")) or (
                top not in self.recipe
            ):
                known = [name for name in self.recipe if name not in FIXED]
                raise ConfigError(
                    f"{where}: overrides must be of {', '.join(known)}; the study sets the rest, "
                    f"got {key!r}"
                )

    def _options(self, arm: Arm, seed: int) -> dict[str, Any]:
        return {
            "image_size": self.study.image_size,
            "val_interval": 1,
            "seed": seed,
            "use_aiin": False,  # the images are prepared
            "augment": arm.augment,
            "balance": "loss" if arm.class_weights else "none",
            BATCHES: self.study.steps // self.study.validations,
            **self.study.classifier["overrides"],
            **self.study.models[arm.model],
        }

    def _content(
        self, stages: Sequence[Stage], real: Pictures, options: Mapping[str, Any]
    ) -> list[Any]:
        """All that decides about a cell's numbers, beside its options."""
        lists = [
            [stage.epochs, sorted((p.source_id, p.label) for p in stage.items)] for stage in stages
        ]
        held_out = [
            [one.source_id, one.label, one.split] for one in real.of("validation", "test", EXTERNAL)
        ]
        recipe = [file_key(self.folder / name) for name in ("train.json", "inference.json")]
        weights = [
            file_key(Path(str(one)))
            for one in [options.get("pretrained")]
            if isinstance(one, str) and Path(one).is_file()
        ]
        return [lists, held_out, real.classes, recipe, weights, versions()]

    def _train(
        self,
        folder: Path,
        cell: Cell,
        stage: Stage,
        real: Pictures,
        before: Path | None,
    ) -> Path:
        made = [
            Picture(one.path, one.source_id, one.label, -1 - k, "training")
            if one.patient < 0
            else one
            for k, one in enumerate(stage.items)
        ]
        write_list(folder / "list.json", real.classes, [*made, *real.of("validation")])
        options = {
            **cell.options,
            "dataset_dir": str(folder / "list.json"),
            "output_dir": str(folder),
            "max_epochs": stage.epochs,
            "patience": stage.epochs,
            **({"pretrained": str(before)} if before else {}),
        }
        log = folder.parent / "log.txt"
        self.runner(self.folder / "train.json", options, log=log)
        steps, done = stage.epochs * int(cell.options[BATCHES]), _steps(folder)
        if done != steps:
            raise RunFailedError(f"ended after {done} of {steps} steps")
        return folder

    def _judge(self, folder: Path, model: Path, real: Pictures) -> dict[str, NDArray[np.float64]]:
        judged = real.of("test", EXTERNAL)
        place = next(p for p in Path(judged[0].path).parents if p.name == JUDGED)
        options = {
            "run_dir": str(model),
            "output_dir": str(model / "judged"),
            "dataset_dir": str(place),
        }
        log = folder / "log.txt"
        self.runner(self.folder / "inference.json", options, log=log)
        with (model / "judged" / "probabilities.csv").open(newline="", encoding="utf-8") as file:
            rows = {row["file"]: row for row in csv.DictReader(file)}
        columns = [f"probability_{name}" for name in real.classes]
        return {
            split: np.array(
                [[float(rows[one.path][column]) for column in columns] for one in real.of(split)]
            )
            for split in ("test", EXTERNAL)
            if real.of(split)
        }

    def _outcome(self, folder: Path, cell: Cell, real: Pictures) -> Outcome:
        with np.load(folder / PREDICTIONS) as found:
            judged = {name: found[name] for name in found.files}
        made = {
            split: Predictions(
                np.array([one.label for one in real.of(split)]),
                probabilities,
                np.array([one.patient for one in real.of(split)]),
            )
            for split, probabilities in judged.items()
        }
        items = [one for stage in cell.stages for one in stage.items]
        counts = [sum(one.label == k for one in items) for k in range(len(real.classes))]
        return Outcome(
            made["test"],
            made.get(EXTERNAL),
            float(read_json(folder / RESULT)["seconds"]),
            {"real": real.counts(), "all": counts},
        )


def _steps(folder: Path) -> int:
    """Iterations that the newest checkpoint of a training has behind it."""
    names = [path.stem for path in (folder / "models").glob("resume_*.pt")]
    return max((int(name.split("_")[1]) for name in names), default=0)


def _save(path: Path, judged: Mapping[str, NDArray[np.float64]]) -> None:
    def write(part: Path) -> None:
        with part.open("wb") as file:
            arrays: dict[str, Any] = dict(judged)
            np.savez(file, **arrays)

    write_atomically(path, write)
