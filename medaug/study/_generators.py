"""Images that aren't real: GANs trained on the training patients, or folders; drawn and checked."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ._config import Generator, Study
from ._folders import folder_pool, refuse_training_set
from ._images import Picture, Pictures, pixel_hashes, prepare, write_list
from ._keys import file_key, key_of, read_json, versions
from ._leaks import refuse_near_copies
from ._pools import MADE, Pool, most_wanted
from ._runner import RunFailedError, Runner

FIXED = ("dataset_dir", "output_dir", "image_size", "seed", "resume", "use_aiin", "class_name")
"""Keys of a GAN's train.json that the study sets."""


class Generators:
    """All generators of a study.

    Args:
        study: whose.
        pictures: real images as they came.
        bundles: folder of the bundles.
        runner: of bundles.
    """

    def __init__(self, study: Study, pictures: Pictures, bundles: Path, runner: Runner) -> None:
        self.study = study
        self.pictures = pictures
        self.bundles = bundles
        self.runner = runner

    def check(self, name: str, normalise: str) -> None:
        """Refuse, before anything is trained, what can't be used.

        Raises:
            ConfigError, DataError: a bundle or folder isn't there or doesn't fit, or leaks.
        """
        one = self.study.generators[name]
        if one.folder:
            folder_pool(name, normalise, self.study, self.pictures)
        elif one.run_dir:
            real = prepare(self.pictures, self.study, normalise)
            refuse_training_set(name, Path(one.run_dir), self.pictures, real)
            self._check_run(name, one, normalise)
        else:
            recipe = self._recipe(one)
            for key in one.overrides:
                if key in FIXED or key.split("#")[0] not in recipe:
                    known = [key for key in recipe if key not in FIXED]
                    raise ConfigError(
                        f"generators {name!r}: overrides must be of {', '.join(known)}, got {key!r}"
                    )

    def pool(self, name: str, normalise: str) -> Pool:
        """A generator's images, trained and drawn where they aren't there yet.

        Raises:
            DataError: it leaks.
            RunFailedError: it couldn't be trained or drawn from.
        """
        one = self.study.generators[name]
        if one.folder:
            return folder_pool(name, normalise, self.study, self.pictures)
        real = prepare(self.pictures, self.study, normalise)
        runs = [(Path(one.run_dir), "")] if one.run_dir else self._train(one, real)
        count = most_wanted(self.study, name, normalise, real.counts())
        items: list[Picture] = []
        for run, only in runs:
            refuse_training_set(name, run, self.pictures, real)
            names = [only] if only else list(real.classes)
            items += self._draw(one, run, names, count, real)
        refuse_near_copies(name, items, real)
        return Pool(name, tuple(items))

    def _config(self, one: Generator, file: str) -> Path:
        path = self.bundles / one.bundle / "configs" / file
        if not path.is_file():
            raise ConfigError(
                f"generators must name a bundle in {self.bundles}, got {one.bundle!r}"
            )
        return path

    def _recipe(self, one: Generator) -> dict[str, Any]:
        recipe: dict[str, Any] = json.loads(
            self._config(one, "train.json").read_text(encoding="utf-8")
        )
        return recipe

    def _check_run(self, name: str, one: Generator, normalise: str) -> None:
        settings = read_json(Path(one.run_dir) / "models" / "model.json") or {}
        kind, parameters = self.study.normalisation(normalise)
        own = (
            ("aiin", settings.get("aiin_windows"), settings.get("aiin_threshold"))
            if settings.get("use_aiin")
            else ("none", None, None)
        )
        ours = (kind, parameters.get("windows"), parameters.get("contrast_threshold"))
        if own != ours:
            raise ConfigError(
                f"generators {name!r}: its training must have normalised images as the arm does, "
                f"by {ours[0]}, got {own[0]}"
                + (f" with {own[1]} and {own[2]}" if own[0] == ours[0] else "")
            )

    def _train(self, one: Generator, real: Pictures) -> list[tuple[Path, str]]:
        """Trainings, and the class that each is of; empty for all."""
        recipe = self._recipe(one)
        by_class = "class_name" in recipe
        return [
            (self._trained(one, recipe, real, name), name)
            for name in (real.classes if by_class else ("",))
        ]

    def _trained(
        self,
        one: Generator,
        recipe: Mapping[str, Any],
        real: Pictures,
        name: str,
    ) -> Path:
        overrides = dict(one.overrides)
        ids = sorted((p.source_id, p.label, p.split) for p in real.of("training", "validation"))
        content = [
            file_key(self._config(one, "train.json")), overrides, real.classes, ids, name,
            self.study.image_size, self.study.generator_seed, versions(),
        ]  # fmt: skip
        folder = (self.study.cache / "generators" / key_of(content)).absolute()
        run = folder / "run"
        epochs = int(overrides.get("max_epochs", recipe["max_epochs"]))
        if _epoch(run) < epochs:
            write_list(folder / "list.json", real.classes, real.of("training", "validation"))
            options = {
                "dataset_dir": str(folder / "list.json"),
                "output_dir": str(run),
                "image_size": self.study.image_size,
                "seed": self.study.generator_seed,
                "resume": True,
                **({"use_aiin": False} if "use_aiin" in recipe else {}),
                **({"dataset": "folder"} if "dataset" in recipe else {}),
                **({"class_name": name} if name else {}),
                **overrides,
            }
            config = self._config(one, "train.json")
            self.runner(config, options, log=folder / "log.txt")
            stops = {**recipe, **overrides}.get("stop_on_collapse")
            if _epoch(run) < epochs and not stops:
                raise RunFailedError(f"ended after epoch {_epoch(run)} of {epochs}")
        return run

    def _draw(
        self,
        one: Generator,
        run: Path,
        names: Sequence[str],
        count: int,
        real: Pictures,
    ) -> list[Picture]:
        seed = self.study.generator_seed
        model = file_key(run / "models" / "model.pt")
        key = key_of(["images", model, list(names), count, seed])
        folder = (self.study.cache / "images" / key).absolute()
        if not (folder / "manifest.json").exists():
            options = {
                "run_dir": str(run.absolute()),
                "output_dir": str(folder),
                "num_images": count * len(names),
                "class_names": list(names),
                "seed": seed,
            }
            config = self._config(one, "inference.json")
            self.runner(config, options, log=folder / "log.txt")
        entries = read_json(folder / "manifest.json")["images"]
        hashes = {
            path: identity
            for part in {(folder / entry["file"]).parent for entry in entries}
            for path, identity in pixel_hashes(part).items()
        }
        return [
            Picture(path, hashes[path], real.classes.index(entry["class"]), -1, MADE)
            for entry in entries
            for path in [str(folder / entry["file"])]
        ]


def _epoch(run: Path) -> int:
    """The epoch that a training has come to."""
    return int((read_json(run / "models" / "model.json") or {}).get("epoch", 0))
