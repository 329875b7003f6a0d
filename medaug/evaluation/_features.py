"""Figures over feature vectors: are generated images as good, as various, as new as real ones?"""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..metrics import (
    PRDC,
    authenticity,
    centred_interval,
    frechet,
    frechet_resamples,
    kid,
    mifid,
    nearest,
    prdc,
    vendi,
    wilson_interval,
)
from ._figures import ALL, Estimate, Figure
from ._images import Indices, draw

DRAWS = 20
"""Of real training images, and of generated ones where there are more than are needed."""
K = 5
"""Neighbours, for precision, recall, density and coverage."""
NORMAL = 1.959964
"""Deviations within which 95 % of a normal distribution lie."""
TINY = 1e-12
DOMAIN = "domain"
"""The extractor that is trained on the real images themselves."""
FID_NETWORK = "inception2015_tf1"
"""Only by this network a Fréchet distance may be called FID."""


def distance_name(extractor: str) -> str:
    """What the Fréchet distance by an extractor's features is called."""
    return "fid" if extractor == FID_NETWORK else f"fd_{extractor}"


class Vectors(NamedTuple):
    """Features of the three sets, (n, d) float64 each."""

    train: Tensor
    held_out: Tensor
    synthetic: Tensor


class Draws(NamedTuple):
    """Which images are compared: equally many of each class on each side, one class by one."""

    held_out: Indices
    train: list[Indices]
    synthetic: list[Indices]
    strata: tuple[int, ...]

    @property
    def n(self) -> int:
        """Images on each side."""
        return len(self.held_out)


def draw_all(
    train: Tensor, held_out: Tensor, synthetic: Tensor, num_classes: int, seed: int
) -> Draws:
    """Draw as many of each class as all three sets of labels have."""
    random = np.random.default_rng(seed)
    found = [
        np.bincount(part.numpy(), minlength=num_classes) for part in (train, held_out, synthetic)
    ]
    counts = np.minimum.reduce(found).tolist()
    again = DRAWS if (found[2] > counts).any() else 1
    return Draws(
        draw(held_out, counts, random),
        [draw(train, counts, random) for _ in range(DRAWS)],
        [draw(synthetic, counts, random) for _ in range(again)],
        tuple(count for count in counts if count),
    )


def feature_figures(name: str, vectors: Vectors, draws: Draws, seed: int) -> list[Figure]:
    """All figures that one extractor's features give.

    Args:
        name: the extractor's.
        vectors: its features of all images.
        draws: which of them are compared.
        seed: of the resamples.
    """
    held_out = vectors.held_out[draws.held_out]
    floors = [vectors.train[index] for index in draws.train]
    made = [vectors.synthetic[index] for index in draws.synthetic]
    rows = [
        *distances(distance_name(name), held_out, floors, made, seed),
        kernel_distance(f"kid_{name}", held_out, floors, made),
        *_neighbourhoods(name, held_out, floors, made),
        *_novelty(name, vectors),
    ]
    return [Figure(*row, n=draws.n) for row in rows]


Row = tuple[str, str, Estimate, Estimate | None, str]


def distances(
    label: str,
    held_out: Tensor,
    floors: Sequence[Tensor],
    made: Sequence[Tensor],
    seed: int,
    *,
    group: int = 1,
    strata: Sequence[int] = (),
) -> list[Row]:
    """The Fréchet distance beside its floor, and floor / distance.

    Args:
        label: of the distance.
        held_out: (n, d) vectors of held-out real ones.
        floors: of draws of real training ones.
        made: of draws of generated ones.
        seed: of the resamples.
        group: rows that are drawn together; see `medaug.metrics.frechet_resamples`.
        strata: groups of each class; see there, too.
    """
    floor = _over_draws([frechet(held_out, part) for part in floors])
    value = float(np.mean([frechet(held_out, part) for part in made]))
    resamples = frechet_resamples(held_out, made[0], seed=seed, group=group, strata=strata)
    distance = Estimate(value, *centred_interval(value, resamples, bounds=(0, inf)))
    ratio = _inverse(floor.value, value, resamples)
    return [
        (label, ALL, distance, floor, "lower"),
        (f"{label}_ratio", ALL, ratio, Estimate(1.0), "higher"),
    ]


def kernel_distance(
    label: str, held_out: Tensor, floors: Sequence[Tensor], made: Sequence[Tensor]
) -> Row:
    """KID beside that of real training ones; arguments as in `distances`."""
    ours, theirs = ([kid(held_out, part) for part in parts] for parts in (made, floors))
    return label, ALL, _with_error(ours), _with_error(theirs), "lower"


def _inverse(floor: float, value: float, resamples: NDArray[np.float64]) -> Estimate:
    """Floor / distance; the resamples' spread taken as factors, which never make it infinite."""
    middle = max(float(np.median(resamples)), TINY)
    low, high = (max(float(end), TINY) / middle for end in np.quantile(resamples, (0.025, 0.975)))
    ratio = floor / max(value, TINY)
    return Estimate(ratio, ratio / high, ratio / low)


def _with_error(kids: Sequence[tuple[float, float]]) -> Estimate:
    value, error = (float(np.mean(part)) for part in zip(*kids, strict=True))
    return Estimate(value, value - NORMAL * error, value + NORMAL * error)


def _neighbourhoods(
    name: str, held_out: Tensor, floors: Sequence[Tensor], made: Sequence[Tensor]
) -> list[Row]:
    k = min(K, len(held_out) - 1)
    if k < 1:
        return []
    ours, theirs = ([prdc(held_out, part, k=k) for part in parts] for parts in (made, floors))
    rows: list[Row] = []
    for which in PRDC._fields:
        values = [[float(getattr(one, which)) for one in side] for side in (ours, theirs)]
        own = Estimate(float(np.mean(values[0])))
        if which != "density":
            own = share(own.value, len(held_out))
        rows.append((f"{which}_k{k}_{name}", ALL, own, _over_draws(values[1]), "higher"))
    diversity = [vendi(part) for part in made]
    rows.append((f"vendi_{name}", ALL, Estimate(float(np.mean(diversity))),
                 Estimate(vendi(held_out)), "higher"))  # fmt: skip
    return rows


def _novelty(name: str, vectors: Vectors) -> list[Row]:
    """Of all images: how near the training images lie to the generated and the held-out ones."""
    train, held_out, synthetic = vectors
    new, fresh = (novelty(train, part) for part in (synthetic, held_out))
    distances = [
        Estimate(float(np.median(nearest(part, train).distances))) for part in (synthetic, held_out)
    ]
    return [
        (f"authenticity_{name}", ALL, new, fresh, "real"),
        (f"train_distance_{name}", ALL, distances[0], distances[1], "real"),
        (f"mifid_{name}", ALL, Estimate(mifid(train, synthetic)), Estimate(mifid(train, held_out)),
         "lower"),
    ]  # fmt: skip


def novelty(train: Tensor, images: Tensor) -> Estimate:
    """Authenticity, with Wilson's interval for as many images as have neighbours of their own.

    A thousand equal images near one training image say no more than one of them does: images that
    share their nearest training image count by Kish's effective number, n² / Σ m².
    """
    crowd = np.bincount(nearest(images, train).indices)
    effective = len(images) ** 2 / float(np.square(crowd).sum())
    return share(authenticity(train, images), max(1, round(effective)))


def share(value: float, n: int) -> Estimate:
    """A share of n, with Wilson's interval."""
    return Estimate(value, *wilson_interval(round(value * n), n))


def _over_draws(values: Sequence[float]) -> Estimate:
    """Mean and the range that 95 % of the draws lie in."""
    low, high = (float(end) for end in np.quantile(values, (0.025, 0.975)))
    return Estimate(float(np.mean(values)), low, high)
