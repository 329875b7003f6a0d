"""Everything joined: images in, one judged table out."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch.nn import functional as F

from ..errors import UserError
from ..features import Extractor, domain, find_extractor
from ..metrics import HyperScore, Ratings, quality_from_fid, quality_from_rating
from ._cache import cached_features
from ._classes import class_figures
from ._evaluation import Evaluation, Neighbour
from ._features import DOMAIN, Draws, Vectors, distance_name, draw_all, feature_figures
from ._figures import Figure, find
from ._images import LabelledImages, check_sets
from ._projection import Projection, project
from ._structure import nearest_pairs, structure_figures
from ._verdicts import verdicts

logger = logging.getLogger("medaug")

JUDGE_SIDE = 32
"""Pixels; in images as small as that a classifier can't go by blur and noise."""
LEAST = 10
"""Images that every set must have."""


class Evaluator:
    """Judge generated images beside real ones, again and again against the same real ones.

    Real images that the generator learned from and held-out ones of other patients are both needed:
    what held-out images give against the training images is the floor, or the ceiling, of every
    figure. Choose by validation patients, report on test patients.

    Args:
        train: what the generator learned from.
        held_out: of other patients, at least 10.
        classes: names, in the order of the labels.
        extractors: each one of `medaug.features`, or a name that its `find_extractor` knows, or
            "domain": a classifier trained here on `train`, where there are two classes.
        device: where extractors run.
        seed: of draws, resamples and the classifiers' training.
        cache: folder for the real images' features and the classifiers; None keeps nothing.
        ratings: readers' ratings of such images, for HyperScore's realism.

    Raises:
        UserError: sets that can't be compared, or too few images.
    """

    def __init__(
        self,
        train: LabelledImages,
        held_out: LabelledImages,
        classes: Sequence[str],
        *,
        extractors: Sequence[str | Extractor] = (DOMAIN,),
        device: torch.device | str = "cpu",
        seed: int = 0,
        cache: Path | None = None,
        ratings: Ratings | None = None,
    ) -> None:
        check_sets(classes, train=train, held_out=held_out)
        _require_enough(train=train, held_out=held_out)
        self.train = train
        self.held_out = held_out
        self.classes = tuple(classes)
        self.seed = seed
        self.cache = cache
        self.ratings = ratings
        self.left_out: dict[str, str] = {}
        self.extractors = list(self._build(extractors, device))
        self.judge = self._classifier(_reduced(train), device) if len(self.classes) > 1 else None
        self._real = {
            one.name: [cached_features(one, part, cache) for part in (train, held_out)]
            for one in self.extractors
        }

    def __call__(self, synthetic: LabelledImages) -> Evaluation:
        """Judge generated images.

        Args:
            synthetic: with the classes that were asked for; at least 10.

        Raises:
            UserError: they can't be compared with the real ones, or are too few.
        """
        check_sets(self.classes, train=self.train, synthetic=synthetic)
        _require_enough(synthetic=synthetic)
        vectors = {one.name: self._vectors(one, synthetic) for one in self.extractors}
        draws = draw_all(
            self.train.labels, self.held_out.labels, synthetic.labels, len(self.classes), self.seed
        )
        figures = [
            *(
                figure
                for name, found in vectors.items()
                for figure in feature_figures(name, found, draws, self.seed)
            ),
            *self._by_classes(synthetic, draws),
            *structure_figures(self.train, self.held_out, synthetic, self.classes, self.seed),
        ]
        return Evaluation(
            classes=self.classes,
            figures=tuple(figures),
            verdicts=verdicts(
                figures,
                self.classes,
                extractors=list(vectors),
                judge=self._judge_name,
            ),
            neighbours=tuple(
                Neighbour(*pair) for pair in nearest_pairs(self.train.images, synthetic.images)
            ),
            projection=next((project(*one) for one in vectors.items()), Projection()),
            hyperscore=self._hyperscore(figures),
            protocol={one.name: dict(one.protocol) for one in self.extractors},
            left_out=dict(self.left_out),
            counts={
                "train": len(self.train.labels),
                "held_out": len(self.held_out.labels),
                "synthetic": len(synthetic.labels),
            },
            seed=self.seed,
        )

    @property
    def _judge_name(self) -> str:
        side = min(JUDGE_SIDE, *self.train.images.shape[2:])
        return f"{DOMAIN}_{side}px"

    def _build(
        self, given: Sequence[str | Extractor], device: torch.device | str
    ) -> Iterator[Extractor]:
        for one in given:
            if isinstance(one, Extractor):
                yield one
            elif one != DOMAIN:
                yield find_extractor(one, device=device)
            elif len(self.classes) > 1:
                yield self._classifier(self.train, device)
            else:
                self.left_out[DOMAIN] = "a classifier needs two classes at least"

    def _classifier(self, images: LabelledImages, device: torch.device | str) -> Extractor:
        return domain(
            images.images,
            images.labels,
            num_classes=len(self.classes),
            seed=self.seed,
            device=device,
            cache_dir=self.cache,
        )

    def _vectors(self, extractor: Extractor, synthetic: LabelledImages) -> Vectors:
        parts = [*self._real[extractor.name], extractor(synthetic.images)]
        return Vectors(*(part.vectors.double() for part in parts))

    def _hyperscore(self, figures: Sequence[Figure]) -> HyperScore | None:
        """Of the first extractor's distance and readers' ratings; the rest needs pairs."""
        if not self.extractors:
            return None
        distance = find(figures, distance_name(self.extractors[0].name))
        assert distance is not None
        assert distance.real is not None
        parts = {"fid": quality_from_fid(distance.synthetic.value, distance.real.value)}
        if self.ratings is not None:
            parts["realism"] = quality_from_rating(self.ratings.synthetic, self.ratings.real)
        return HyperScore.combine(parts)

    def _by_classes(self, synthetic: LabelledImages, draws: Draws) -> Iterator[Figure]:
        if self.judge is None:
            return
        seen = [self.judge(_reduced(part).images) for part in (synthetic, self.held_out)]
        ours, theirs = (part.probabilities for part in seen)
        assert ours is not None
        assert theirs is not None
        yield from class_figures(
            self._judge_name,
            ours.double(),
            synthetic,
            theirs.double(),
            self.held_out,
            self.classes,
            draws,
            self.seed,
        )


def load_extractors(
    names: Sequence[str], device: torch.device | str = "cpu"
) -> list[str | Extractor]:
    """What `Evaluator` takes, loaded now, so that what is missing is found before any work.

    Raises:
        ConfigError, UserError: a name is unknown; weights or a package are missing.
    """
    return [name if name == DOMAIN else find_extractor(name, device=device) for name in names]


def _reduced(images: LabelledImages) -> LabelledImages:
    """Images of 32 × 32 pixels at most, by means over areas."""
    side = min(JUDGE_SIDE, *images.images.shape[2:])
    return images._replace(images=F.adaptive_avg_pool2d(images.images, side))


def _require_enough(**sets: LabelledImages) -> None:
    for name, images in sets.items():
        if len(images.labels) < LEAST:
            raise UserError(
                f"{name} images must be at least {LEAST} for an evaluation, "
                f"got {len(images.labels)}"
            )
