"""Generators whose worth is known, on phantoms: the study must say so. Whole bundles, no fakes.

``python -m tests.study.planted FOLDER [KIND …]`` runs all of them, or those, and writes
``planted_KIND.json``; what is done is kept in FOLDER, so that it can be stopped and gone on with.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medaug.data import LoadRadiograph
from medaug.errors import DataError
from medaug.phantoms import simulate_chest_xray
from medaug.study import Study, Verdict, run_study, study_of
from medaug.study._images import Picture, Pictures, read_pictures

TRUTHS = ("useful", "useless", "leaking")
SEEDS, NULL_SEEDS = range(3), range(10)
SIDE = 128
"""Pixels of simulated images, before the study shrinks them."""
RATIO = 10.0


class Size(NamedTuple):
    """Phantoms, the share of them that is tested on, and steps of the optimiser."""

    phantoms: int
    test: float
    steps: int


TRUTH = Size(600, 0.7, 1000)
"""As many steps as the transformer needs to learn from generated images; so many test images that
what a useful generator gives is larger than its interval."""
NULL = Size(300, 0.5, 400)
"""Of real images alone the transformer learns in fewer."""

Levels = NDArray[np.uint8]


def plan(folder: Path, kind: str, seed: int) -> dict[str, Any]:
    """A study with one planted generator; each seed has phantoms, split and trainings of its own.

    Generated images come before the real ones, `RATIO` times as many as there are of the largest
    class. "null" compares real images drawn again with real images drawn again instead: there is no
    difference, and no other comparison to correct for.
    """
    size = NULL if kind == "null" else TRUTH
    arms: list[dict[str, Any]] = [{"name": "real"}]
    if kind == "null":
        arms[0]["exploratory"] = True
        arms.append({"name": "duplicates", "extra": "duplicates"})
        arms.append({"name": kind, "extra": kind, "against": "duplicates"})
    else:
        arms.append({"name": kind, "extra": kind, "pretrain": True, "ratio": RATIO})
    return {
        "phantoms": {
            "num_images": size.phantoms,
            "seed": 100 + seed,
            "folder": str(folder / "phantoms"),
        },
        "output_dir": str(folder / f"{kind}_{seed}"),
        "cache_dir": str(folder / "cache"),
        "image_size": 32,
        "split": {"seed": seed, "validation": 0.1, "test": size.test},
        "seeds": [10 * seed, 10 * seed + 1, 10 * seed + 2],
        "steps": size.steps,
        "validations": 10,
        "extractors": [],
        "models": {
            "vit": {"model_options": {"patch_size": 8, "embed_dim": 96, "depth": 2, "num_heads": 4}}
        },
        "generators": {kind: {"folder": str(folder / "made" / f"{kind}_{seed}")}},
        "arms": arms,
    }


def plant(study: Study, kind: str, seed: int) -> None:
    """Make the generator's images: as many as one training takes, "null" others for each."""
    folder = Path(study.generators[kind].folder)
    if (folder / "training_set.json").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    real = read_pictures(study)
    counts = real.counts()
    draw = DRAWS[kind](real, np.random.default_rng(seed))
    for label, name in enumerate(real.classes):
        (folder / name).mkdir(parents=True)
        arm = study.arm(kind)
        wanted = (max(counts) - counts[label]) * len(study.seeds)
        if arm.pretrain:
            wanted = round(arm.ratio * max(counts))
        for number in range(wanted):
            Image.fromarray(draw(label)).save(folder / name / f"{number:05d}.png")
    # none of the four has learned from what it must not; "leaking" shows it all the same
    ids = [one.source_id for one in real.of("training")]
    (folder / "training_set.json").write_text(json.dumps({"source_ids": ids}))


Draw = Callable[[int], Levels]


def _useful(real: Pictures, random: np.random.Generator) -> Draw:
    """The simulator itself: the upper bound."""

    def draw(label: int) -> Levels:
        made = simulate_chest_xray(real.classes[label], random, size=(SIDE, SIDE))
        return _levels(made.image)

    return draw


def _useless(real: Pictures, random: np.random.Generator) -> Draw:
    """Noise around one training image, whatever the class."""
    one = _pixels(real.of("training")[0])
    return lambda _: _levels(one + random.normal(0, 0.05, one.shape).astype(np.float32))


def _leaking(real: Pictures, random: np.random.Generator) -> Draw:
    """Test patients' images."""
    items = real.of("test")

    def draw(label: int) -> Levels:
        own = [one for one in items if one.label == label]
        return _levels(_pixels(own[int(random.integers(len(own)))]))

    return draw


def _null(real: Pictures, random: np.random.Generator) -> Draw:
    """Training images drawn again, each as often as the others, as duplicates are."""
    turns = {}
    for label in range(len(real.classes)):
        own = [one for one in real.of("training") if one.label == label]
        turns[label] = cycle([own[k] for k in random.permutation(len(own))])
    return lambda label: _levels(_pixels(next(turns[label])))


DRAWS: dict[str, Callable[[Pictures, np.random.Generator], Draw]] = {
    "useful": _useful,
    "useless": _useless,
    "leaking": _leaking,
    "null": _null,
}


def _pixels(one: Picture) -> NDArray[np.float32]:
    return np.asarray(LoadRadiograph()(one.path)[0], dtype=np.float32)


def _levels(image: NDArray[np.float32]) -> Levels:
    return (image.clip(0, 1) * 255).round().astype(np.uint8)


def verdict(folder: Path, kind: str, seed: int) -> str:
    """What the study says of a planted generator: a verdict, or "refused"."""
    study = study_of(plan(folder, kind, seed))
    plant(study, kind, seed)
    try:
        result = run_study(study)
    except DataError as error:
        if "leaks" not in str(error):
            raise
        return "refused"
    pair = next(one for one in result.pairs if one.arm == kind and not one.control)
    return str(pair.verdict)


def right(kind: str, said: str) -> bool:
    """Whether a verdict is the planted one."""
    return {
        "useful": said == Verdict.HELPS,
        "useless": said in (Verdict.NO_DIFFERENCE, Verdict.HARMS),
        "leaking": said == "refused",
        "null": said == Verdict.NO_DIFFERENCE,
    }[kind]


def main(folder: Path, kinds: Sequence[str]) -> None:
    """Write what was said of each, the quick ones first."""
    for kind in kinds or [*reversed(TRUTHS), "null"]:
        said = []
        for seed in NULL_SEEDS if kind == "null" else SEEDS:
            said.append(verdict(folder, kind, seed))
            (folder / f"planted_{kind}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
