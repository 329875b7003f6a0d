"""Sequences in, one judged table out."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor

from ..errors import UserError
from ..features import Extractor
from ..metrics import (
    HyperScore,
    NearestSequence,
    Ratings,
    clip_vectors,
    nearest_sequence,
    quality_from_psnr,
    quality_from_ssim,
)
from ._cache import cached_features
from ._cine_figures import (
    FRAMES,
    MOTION_WEIGHT,
    PROTOCOL,
    nearest_figures,
    network_figures,
    thumbnails,
    variety,
)
from ._cine_verdicts import cine_verdicts
from ._classes import Seen, class_figures
from ._ejection import NAME, NONE_ASKED, ejection_figures, read_all
from ._evaluation import Evaluation, Neighbour
from ._evaluator import require_enough
from ._extractors import Networks, combined
from ._features import DOMAIN, Draws, Vectors, distance_name, draw_all
from ._figures import Figure, find
from ._motion import Motion
from ._projection import Projection, project
from ._sequences import LabelledSequences, check_sequences
from ._structure import nearness

SETS = ("train", "held_out", "synthetic")
CLASSIFIED = 12_800
"""Frames that a classifier of modalities is trained by, one after the other: they are told apart
sooner than diseases are."""


class CineEvaluator:
    """Judge generated sequences beside real ones, again and again against the same real ones.

    As `Evaluator` does for images. What is drawn, for floors and intervals alike, is sequences,
    never frames: the frames of one heart say little more than one of them does.

    Args:
        train: what the generator learned from.
        held_out: of other patients, at least 10; as many frames of the same size.
        classes: modalities, in the order of the labels.
        extractors: see `Evaluator`; they see frames.
        vgg_weights: file of VGG16's weights, for the distance of consecutive frames; None looks
            for them, and leaves it out where there are none.
        device: where networks run.
        seed: of draws, resamples and the classifiers' training.
        cache: folder for the real frames' features and the classifiers; None keeps nothing.
        ratings: readers' ratings of such sequences, for HyperScore's realism.

    Raises:
        UserError: sets that can't be compared, or too few sequences.
        CheckpointError: `vgg_weights` are missing or damaged.
    """

    def __init__(
        self,
        train: LabelledSequences,
        held_out: LabelledSequences,
        classes: Sequence[str],
        *,
        extractors: Sequence[str | Extractor] = (DOMAIN,),
        vgg_weights: str | Path | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
        cache: Path | None = None,
        ratings: Ratings | None = None,
    ) -> None:
        check_sequences(classes, train=train, held_out=held_out)
        require_enough("sequences", train=train.labels, held_out=held_out.labels)
        self.train, self.held_out = train, held_out
        self.classes = tuple(classes)
        self.seed = seed
        self.ratings = ratings
        self.motion = Motion(
            train, held_out, self.classes, weights=vgg_weights, device=device, seed=seed
        )
        frames = [part.frames(FRAMES) for part in (train, held_out)]
        self.networks = Networks(
            extractors,
            frames[0],
            classes,
            device=device,
            seed=seed,
            cache=cache,
            epochs=max(1, CLASSIFIED // len(frames[0].labels)),
        )
        self._real = {
            one.name: [cached_features(one, part, cache).vectors for part in frames]
            for one in self.networks.extractors
        }
        self._kept = nearest_sequence(held_out.sequences, train.sequences)
        self._readings = read_all("real", held_out, self.classes)

    def __call__(self, synthetic: LabelledSequences) -> Evaluation:
        """Judge generated sequences.

        Args:
            synthetic: with the modalities and ejection fractions that were asked for; at least 10.

        Raises:
            UserError: they can't be compared with the real ones, or are too few.
        """
        sets = self.train, self.held_out, synthetic
        self._check(synthetic)
        vectors = self._vectors(synthetic)
        made = nearest_sequence(synthetic.sequences, self.train.sequences)
        small = Vectors(*(thumbnails(part.sequences) for part in sets))
        readings = read_all("synthetic", synthetic, self.classes)
        figures = [
            *self._by_networks(vectors, synthetic),
            *self.motion.figures(synthetic),
            *variety(small, self.train, synthetic, self.classes, self.seed),
            *nearest_figures(
                made, self._kept, synthetic, self.held_out, len(self.classes), self.seed
            ),
            *ejection_figures(readings, self._readings),
        ]
        left_out = self.networks.left_out | self.motion.left_out
        return Evaluation(
            classes=self.classes,
            figures=tuple(figures),
            verdicts=cine_verdicts(
                figures, self.classes, extractors=list(vectors), judge=self.networks.judge_name
            ),
            neighbours=_neighbours(made, small),
            projection=_projection(vectors),
            hyperscore=self._hyperscore(figures),
            protocol={one.name: dict(one.protocol) for one in self.networks.extractors}
            | {"sequences": PROTOCOL | self.motion.protocol},
            left_out=left_out if readings else left_out | {NAME: NONE_ASKED},
            counts=dict(zip(SETS, (len(part.labels) for part in sets), strict=True)),
            seed=self.seed,
            readings=(*readings, *self._readings),
        )

    def _check(self, synthetic: LabelledSequences) -> None:
        check_sequences(self.classes, train=self.train, synthetic=synthetic)
        require_enough("sequences", synthetic=synthetic.labels)
        labels = (part.labels for part in (self.train, self.held_out, synthetic))
        if not set.intersection(*(set(part.tolist()) for part in labels)):
            raise UserError("all sets must have sequences of one modality at least, got none")

    def _by_networks(
        self, vectors: Mapping[str, Vectors], synthetic: LabelledSequences
    ) -> list[Figure]:
        """Distances, and what the judge sees, of as many of each modality on each side."""
        labels = self.train.labels, self.held_out.labels, synthetic.labels
        draws = draw_all(*labels, len(self.classes), self.seed)
        figures = [
            figure
            for name, found in vectors.items()
            for figure in network_figures(name, found, draws, self.seed)
        ]
        return figures + self._by_classes(synthetic, draws)

    def _vectors(self, synthetic: LabelledSequences) -> dict[str, Vectors]:
        """(N, T, d) of each set's frames, by extractor."""
        images = synthetic.frames(FRAMES).images
        count = len(images) // len(synthetic.labels)
        return {
            one.name: Vectors(
                *(
                    part.double().unflatten(0, (-1, count))
                    for part in (*self._real[one.name], one(images).vectors)
                )
            )
            for one in self.networks.extractors
        }

    def _by_classes(self, synthetic: LabelledSequences, draws: Draws) -> list[Figure]:
        if self.networks.judge is None:
            return []
        ours, theirs = (
            Seen(self._modalities_in(part), part.labels) for part in (synthetic, self.held_out)
        )
        name = self.networks.judge_name
        return class_figures(name, ours, theirs, self.classes, draws, self.seed)

    def _modalities_in(self, part: LabelledSequences) -> Tensor:
        """(N, K) probabilities: means over the frames of a sequence."""
        found = self.networks.classes_in(part.frames(FRAMES))
        return found.reshape(len(part.labels), -1, len(self.classes)).mean(1)

    def _hyperscore(self, figures: Sequence[Figure]) -> HyperScore | None:
        """Of the first extractor's distance of frames, PSNR, SSIM, and ratings."""
        if not self.networks.extractors:
            return None
        parts = {}
        for name, quality in (("psnr", quality_from_psnr), ("ssim", quality_from_ssim)):
            found = find(figures, f"{name}_to_nearest")
            assert found is not None
            assert found.real is not None
            if isfinite(found.real.value) and found.real.value != 1:  # copies among real ones
                parts[name] = quality(found.synthetic.value, found.real.value)
        distance = find(figures, distance_name(self.networks.extractors[0].name))
        return combined(distance, self.ratings, parts)


def _neighbours(made: NearestSequence, small: Vectors) -> tuple[Neighbour, ...]:
    """Of all generated sequences, in their order; how near they are is told by thumbnails."""
    partners = made.indices.numpy()
    ratios = nearness(small.train, small.synthetic, partners).round(6)  # of copies, noise is left
    told = zip(partners.tolist(), ratios.tolist(), made.shifts.tolist(), strict=True)
    return tuple(Neighbour(k, *one) for k, one in enumerate(told))


def _projection(vectors: dict[str, Vectors]) -> Projection:
    for name, found in vectors.items():
        clips = (clip_vectors(part, motion_weight=MOTION_WEIGHT) for part in found)
        return project(name, Vectors(*clips))
    return Projection()
