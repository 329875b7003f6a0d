"""What a study will do, and how long it may take."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ._config import DUPLICATES, NOTHING, Study
from ._keys import key_of, read_json, write_json
from ._progress import clock
from ._runner import find_lanes

STEP = {"generator": 0.22, "classifier": 0.05}
"""Seconds of a step of the bundles' defaults, at 64 x 64 and batches of 32, on a CPU core."""
START = 12.0
"""Seconds until a process has read its images."""
BATCH = 32


def find_bundles(study: Study) -> Path:
    """The folder of the bundles.

    Raises:
        ConfigError: it isn't there.
    """
    beside = Path(__file__).parents[2] / "bundles"
    places = [Path(study.bundles)] if study.bundles else [Path("bundles"), beside]
    name = str(study.classifier["bundle"])
    for place in places:
        if (place / name / "configs" / "train.json").is_file():
            return place.resolve()
    raise ConfigError(
        f"bundles must be a folder that holds {name!r}, got none in "
        f"{', '.join(map(str, places))}; 'bundles' in the study's file names another"
    )


def generator_tasks(study: Study) -> list[tuple[str, str]]:
    """Generators and the normalisations that they are needed in."""
    wanted = [(arm.extra, arm.normalise) for arm in study.arms]
    return [one for one in dict.fromkeys(wanted) if one[0] not in (NOTHING, DUPLICATES)]


def task_name(name: str, normalise: str) -> str:
    """How a generator's task is called."""
    return f"{name} ({normalise})"


def cell_name(arm: str, seed: int) -> str:
    """How a cell is called."""
    return f"{arm}, seed {seed}"


class Rates:
    """Seconds that things took here before, else from a small table.

    Args:
        study: whose.
        bundles: folder of the bundles.
        training: number of training images, where it is known.
    """

    def __init__(self, study: Study, bundles: Path, training: int = 300) -> None:
        self.study = study
        self.bundles = bundles
        self.training = training
        self.path = study.cache / "seconds.json"
        self.measured: dict[str, float] = read_json(self.path) or {}
        self._lock = threading.Lock()

    def guesses(self) -> dict[str, float]:
        """Of each task of the study, by name."""
        found = {
            task_name(name, normalise): self._generator(name)
            for name, normalise in generator_tasks(self.study)
        }
        for arm in self.study.arms:
            for seed in self.study.seeds_of(arm):
                found[cell_name(arm.name, seed)] = self.measured.get(
                    self._cell_key(arm.name), self._cell(arm.pretrain)
                )
        return found

    def keep(self, name: str, seconds: float) -> None:
        """Note how long a task took; only ones that were really done."""
        with self._lock:
            self.measured[self._keys().get(name, name)] = round(seconds, 1)
            write_json(self.path, self.measured)

    def is_measured(self) -> bool:
        """Whether all guesses come from this machine."""
        return all(key in self.measured for key in self._keys().values())

    def _keys(self) -> dict[str, str]:
        study = self.study
        keys = {
            task_name(name, normalise): self._generator_key(name)
            for name, normalise in generator_tasks(study)
        }
        return keys | {
            cell_name(arm.name, seed): self._cell_key(arm.name)
            for arm in study.arms
            for seed in study.seeds_of(arm)
        }

    def _cell_key(self, name: str) -> str:
        arm, study = self.study.arm(name), self.study
        parts = [study.classifier, study.models[arm.model], study.image_size, study.steps]
        return key_of(["cell", parts, arm.pretrain, arm.augment])

    def _generator_key(self, name: str) -> str:
        one = self.study.generators[name]
        return key_of(["generator", one.bundle, one.overrides, self.study.image_size])

    def _cell(self, pretrain: bool) -> float:
        starts = 3 if pretrain else 2
        return starts * START + self.study.steps * STEP["classifier"] * self._size(
            self.study.classifier["overrides"]
        )

    def _generator(self, name: str) -> float:
        key = self._generator_key(name)
        if key in self.measured:
            return self.measured[key]
        one = self.study.generators[name]
        if not one.bundle or one.run_dir:
            return START
        recipe = self._recipe(one.bundle)
        epochs = int(one.overrides.get("max_epochs", recipe.get("max_epochs", 1)))
        batch = int(one.overrides.get("batch_size", recipe.get("batch_size", BATCH)))
        steps = epochs * -(-self.training // batch)
        return 2 * START + steps * STEP["generator"] * self._size({"batch_size": batch})

    def _recipe(self, bundle: str) -> Mapping[str, Any]:
        path = self.bundles / bundle / "configs" / "train.json"
        try:
            recipe: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"generators must name a bundle in {self.bundles}, got {bundle!r}"
            ) from error
        return recipe

    def _size(self, overrides: Mapping[str, Any]) -> float:
        batch = overrides.get("batch_size", BATCH)
        return (self.study.image_size / 64) ** 2 * float(batch) / BATCH


def dry_run(study: Study) -> str:
    """Cells, generators and hours, without reading an image.

    Raises:
        ConfigError: a bundle isn't there.
    """
    rates = Rates(study, find_bundles(study))
    guesses = rates.guesses()
    rows = [("what", "seconds, about")]
    rows += [(name, f"{seconds:,.0f}") for name, seconds in guesses.items()]
    width = max(len(name) for name, _ in rows)
    cells = sum(len(study.seeds_of(arm)) for arm in study.arms)
    lanes = len(find_lanes())
    whence = (
        "measured on this machine"
        if rates.is_measured()
        else "a rough table for CPU cores; what runs here first makes it better"
    )
    return "\n".join(
        [
            *(f"{name.ljust(width)}  {seconds:>14}" for name, seconds in rows),
            "",
            f"{len(generator_tasks(study))} generators, {cells} cells of {len(study.arms)} arms: "
            f"about {clock(sum(guesses.values()) / lanes)} hours, {lanes} at a time ({whence}); "
            "what is in the cache takes no time",
        ]
    )
