"""Everything joined: images in, one judged table out."""

from collections.abc import Sequence, Sized
from pathlib import Path

import torch

from ..errors import UserError
from ..features import Extractor
from ..metrics import Ratings
from ._cache import cached_features
from ._classes import Seen, class_figures
from ._evaluation import Evaluation, Neighbour
from ._extractors import Networks, combined
from ._features import DOMAIN, Draws, Vectors, distance_name, draw_all, feature_figures
from ._figures import Figure, find
from ._images import LabelledImages, check_sets
from ._projection import Projection, project
from ._structure import nearest_pairs, structure_figures
from ._verdicts import verdicts

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
        require_enough("images", train=train.labels, held_out=held_out.labels)
        self.train = train
        self.held_out = held_out
        self.classes = tuple(classes)
        self.seed = seed
        self.ratings = ratings
        self.networks = Networks(extractors, train, classes, device=device, seed=seed, cache=cache)
        self._real = {
            one.name: [cached_features(one, part, cache) for part in (train, held_out)]
            for one in self.networks.extractors
        }

    def __call__(self, synthetic: LabelledImages) -> Evaluation:
        """Judge generated images.

        Args:
            synthetic: with the classes that were asked for; at least 10.

        Raises:
            UserError: they can't be compared with the real ones, or are too few.
        """
        check_sets(self.classes, train=self.train, synthetic=synthetic)
        require_enough("images", synthetic=synthetic.labels)
        vectors = {one.name: self._vectors(one, synthetic) for one in self.networks.extractors}
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
                judge=self.networks.judge_name,
            ),
            neighbours=tuple(
                Neighbour(*pair) for pair in nearest_pairs(self.train.images, synthetic.images)
            ),
            projection=next((project(*one) for one in vectors.items()), Projection()),
            hyperscore=combined(self._distance(figures), self.ratings),
            protocol={one.name: dict(one.protocol) for one in self.networks.extractors},
            left_out=dict(self.networks.left_out),
            counts={
                "train": len(self.train.labels),
                "held_out": len(self.held_out.labels),
                "synthetic": len(synthetic.labels),
            },
            seed=self.seed,
        )

    def _vectors(self, extractor: Extractor, synthetic: LabelledImages) -> Vectors:
        parts = [*self._real[extractor.name], extractor(synthetic.images)]
        return Vectors(*(part.vectors.double() for part in parts))

    def _distance(self, figures: Sequence[Figure]) -> Figure | None:
        """The first extractor's."""
        first = [one.name for one in self.networks.extractors[:1]]
        return next((find(figures, distance_name(name)) for name in first), None)

    def _by_classes(self, synthetic: LabelledImages, draws: Draws) -> list[Figure]:
        if self.networks.judge is None:
            return []
        ours, theirs = (
            Seen(self.networks.classes_in(part), part.labels) for part in (synthetic, self.held_out)
        )
        name = self.networks.judge_name
        return class_figures(name, ours, theirs, self.classes, draws, self.seed)


def require_enough(what: str, **sets: Sized) -> None:
    """Refuse sets of which nothing could be said.

    Args:
        what: they are of.
        sets: by name.

    Raises:
        UserError: one is too small.
    """
    for name, one in sets.items():
        if len(one) < LEAST:
            raise UserError(
                f"{name} {what} must be at least {LEAST} for an evaluation, got {len(one)}"
            )
