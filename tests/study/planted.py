"""Generators whose worth is known, on phantoms: the study must say so. Whole bundles, no fakes.

``python -m tests.study.planted FOLDER`` runs all of them and writes ``planted.json``; what is done
is kept in FOLDER, so that it can be stopped and gone on with.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
PHANTOMS = 300

Levels = NDArray[np.uint8]


def plan(folder: Path, kind: str, seed: int) -> dict[str, Any]:
    """A study with one planted generator; each seed has phantoms, split and trainings of its own.

    "null" compares real images drawn again with real images drawn again: there is no difference.
    """
    extra = {"name": kind, "extra": kind, "ratio": 1.0}
    arms = [{"name": "real"}, extra]
    if kind == "null":
        arms = [{"name": "real"}, {"name": "duplicates", "extra": "duplicates"}]
        arms.append(extra | {"against": "duplicates"})
    return {
        "phantoms": {
            "num_images": PHANTOMS,
            "seed": 100 + seed,
            "folder": str(folder / "phantoms"),
        },
        "output_dir": str(folder / f"{kind}_{seed}"),
        "cache_dir": str(folder / "cache"),
        "image_size": 32,
        "split": {"seed": seed, "validation": 0.1, "test": 0.5},
        "seeds": [10 * seed, 10 * seed + 1, 10 * seed + 2],
        "steps": 300,
        "validations": 10,
        "extractors": [],
        "models": {
            "vit": {"model_options": {"patch_size": 4, "embed_dim": 48, "depth": 2, "num_heads": 3}}
        },
        "generators": {kind: {"folder": str(folder / "made" / f"{kind}_{seed}")}},
        "arms": arms,
    }


def plant(study: Study, kind: str, seed: int) -> None:
    """Make the generator's images, as many as the study can want."""
    folder = Path(study.generators[kind].folder)
    if (folder / "training_set.json").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    real = read_pictures(study)
    counts = real.counts()
    draw = DRAWS[kind](real, np.random.default_rng(seed))
    for label, name in enumerate(real.classes):
        (folder / name).mkdir(parents=True)
        for number in range((max(counts) - counts[label]) * len(study.seeds)):
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
    return _again(real.of("test"), random)


def _null(real: Pictures, random: np.random.Generator) -> Draw:
    """Training images drawn again, as duplicates are."""
    return _again(real.of("training"), random)


def _again(items: list[Picture], random: np.random.Generator) -> Draw:
    def draw(label: int) -> Levels:
        own = [one for one in items if one.label == label]
        return _levels(_pixels(own[int(random.integers(len(own)))]))

    return draw


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


def main(folder: Path) -> None:
    """All of them, the quick ones first; writes what was said after each."""
    asked = [(kind, seed) for kind in reversed(TRUTHS) for seed in SEEDS]
    asked += [("null", seed) for seed in NULL_SEEDS]
    said: dict[str, list[str]] = {}
    for kind, seed in asked:
        said.setdefault(kind, []).append(verdict(folder, kind, seed))
        (folder / "planted.json").write_text(json.dumps(said, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
