"""Can the labels be told without the disease? Then no figure of the study means what it says."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..evaluation import LabelledImages
from ..features import domain
from ._comparison import Predictions, estimate
from ._images import Picture, Pictures, load
from ._scores import balanced_accuracy

CENTRE = (0.08, 0.86, 0.08, 0.92)
"""Of a radiograph's height and width, what holds the lungs where no mask of them is known."""
BORDER = 0.06
"""Of the sides, what counts as border."""
MARGIN = 0.05
"""By so much an interval's low end must lie above chance, for small sets have luck."""


class Shortcut(NamedTuple):
    """A classifier that can't see the disease, or not all of it.

    Attributes:
        name: "whole images" for comparison, "lungs blacked out", "border alone", "source alone".
        how: in words, what was seen.
        value: balanced accuracy on test patients.
        low: end of its 95 % interval.
        high: its other end.
        chance: balanced accuracy of guessing.
        alarm: whether labels can be told by it.
    """

    name: str
    how: str
    value: float
    low: float
    high: float
    chance: float
    alarm: bool


def shortcuts(
    pictures: Pictures, prepared: Pictures, source: str, *, seed: int, cache: Path
) -> list[Shortcut]:
    """Train small classifiers on what should tell nothing, and test them on the test patients.

    Args:
        pictures: as they came; phantoms have the truth about their lungs beside them.
        prepared: not normalised.
        source: what the images were read from; a manifest.csv may name their sources.
        seed: of the trainings.
        cache: folder that keeps them.
    """
    train, test = prepared.of("training"), prepared.of("test")
    seen, judged = load(train), load(test)
    inside, what = _lungs(pictures, seen.images.shape[-1])
    frame = _frame(seen.images.shape[-1])
    everything = dict.fromkeys(inside, torch.ones_like(frame))
    views = {
        "whole images": ("nothing hidden, for comparison", everything),
        "lungs blacked out": (what, {split: ~lungs for split, lungs in inside.items()}),
        "border alone": (
            f"the outermost {BORDER:.0%} of each side; the rest is black",
            dict.fromkeys(inside, frame),
        ),
    }
    found = [
        _judged(
            name,
            how,
            seen._replace(images=seen.images * shown["training"]),
            judged._replace(images=judged.images * shown["test"]),
            test,
            len(prepared.classes),
            seed,
            cache,
        )
        for name, (how, shown) in views.items()
    ]
    return [*found, *_by_source(pictures, source)]


def _judged(
    name: str,
    how: str,
    seen: LabelledImages,
    judged: LabelledImages,
    items: Sequence[Picture],
    classes: int,
    seed: int,
    cache: Path,
) -> Shortcut:
    images, labels = _balanced(seen, classes)
    network = domain(images, labels, num_classes=classes, seed=seed, cache_dir=cache)
    probabilities = network(judged.images).probabilities
    assert probabilities is not None
    return _shortcut(name, how, _predictions(probabilities.double().numpy(), items), classes)


def _shortcut(name: str, how: str, made: Predictions, classes: int) -> Shortcut:
    found = estimate([made], balanced_accuracy)
    chance = 1 / classes
    alarm = name != "whole images" and found.low > chance + MARGIN
    return Shortcut(name, how, found.difference, found.low, found.high, chance, alarm)


def _predictions(probabilities: NDArray[np.float64], items: Sequence[Picture]) -> Predictions:
    labels = np.array([one.label for one in items])
    return Predictions(labels, probabilities, np.array([one.patient for one in items]))


def _balanced(images: LabelledImages, classes: int) -> LabelledImages:
    """Rare classes repeated, so that they count as much as common ones."""
    members = [torch.nonzero(images.labels == label).flatten() for label in range(classes)]
    most = max(map(len, members))
    return images.only(torch.cat([part.repeat(-(-most // len(part)))[:most] for part in members]))


# ---- what is hidden


def _lungs(pictures: Pictures, side: int) -> tuple[dict[str, Tensor], str]:
    """True where the lungs are, by split, (N or 1, 1, side, side); and in words how."""
    parts = {split: pictures.of(split) for split in ("training", "test")}
    if all(_truth(one).is_file() for part in parts.values() for one in part):
        masks = {
            split: torch.stack([_mask(_truth(one), side) for one in part])
            for split, part in parts.items()
        }
        return masks, "the lungs, as the simulator knows them, are black"
    top, bottom, left, right = CENTRE
    box = torch.zeros(1, 1, side, side, dtype=torch.bool)
    rows, columns = (
        slice(round(low * side), round(high * side)) for low, high in ((top, bottom), (left, right))
    )
    box[..., rows, columns] = True
    return dict.fromkeys(parts, box), (
        f"black from {top:.0%} to {bottom:.0%} of the height and {left:.0%} to {right:.0%} of the "
        "width, where the lungs are"
    )


def _truth(one: Picture) -> Path:
    """Where `medaug.phantoms.chest_xrays` puts it."""
    path = Path(one.path)
    return path.parents[2] / "truth" / f"{path.stem}.npz" if len(path.parents) > 2 else path / "no"


def _mask(file: Path, side: int) -> Tensor:
    with np.load(file) as found:
        lung = torch.from_numpy(found["lung"] | found["lesion"]).float()
    # any pixel that has some of it, and its neighbours: opacities show beyond the edge
    covered = F.adaptive_max_pool2d(lung[None, None], side)
    return F.max_pool2d(covered, 3, stride=1, padding=1)[0] > 0


def _frame(side: int) -> Tensor:
    """True at the border."""
    width = max(1, round(BORDER * side))
    frame = torch.ones(side, side, dtype=torch.bool)
    frame[width:-width, width:-width] = False
    return frame


# ---- what stands in the list


def _by_source(pictures: Pictures, source: str) -> list[Shortcut]:
    """Guess each test image's class from its source, where a manifest.csv has such a column."""
    sources = _sources(Path(source))
    items = {split: pictures.of(split) for split in ("training", "test")}
    if not sources or not all(one.path in sources for part in items.values() for one in part):
        return []
    classes = len(pictures.classes)
    counts = Counter((sources[one.path], one.label) for one in items["training"])
    whole = Counter(one.label for one in items["training"])
    probabilities = np.array(
        [
            [(counts[sources[one.path], label] + 1e-9) / whole[label] for label in range(classes)]
            for one in items["test"]
        ]
    )
    probabilities /= probabilities.sum(1, keepdims=True)
    number = len(set(sources.values()))
    how = f"the column 'source' of manifest.csv, {number} of them; no image is looked at"
    return [_shortcut("source alone", how, _predictions(probabilities, items["test"]), classes)]


def _sources(source: Path) -> dict[str, str]:
    path = source / "manifest.csv" if source.is_dir() else source
    if path.suffix != ".csv" or not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "source"} <= rows[0].keys():
        return {}
    return {str(path.parent / row["file"]): row["source"] for row in rows}
