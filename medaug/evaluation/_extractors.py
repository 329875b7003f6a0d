"""The networks that an evaluation looks through."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..features import Extractor, domain, find_extractor
from ..metrics import HyperScore, Ratings, quality_from_fid, quality_from_rating
from ._features import DOMAIN
from ._figures import Figure
from ._images import LabelledImages

JUDGE_SIDE = 32
"""Pixels; in images as small as that a classifier can't go by blur and noise."""


def load_extractors(
    names: Sequence[str], device: torch.device | str = "cpu"
) -> list[str | Extractor]:
    """What `Evaluator` and `CineEvaluator` take, loaded now: what is missing is found before work.

    Raises:
        ConfigError, UserError: a name is unknown; weights or a package are missing.
    """
    return [name if name == DOMAIN else find_extractor(name, device=device) for name in names]


class Networks:
    """Extractors by name, and a classifier of the real training images as a judge of classes.

    Args:
        given: names or extractors, as for `Evaluator`.
        images: real training images.
        classes: names.
        device: where they run.
        seed: of the classifiers' training.
        cache: folder that keeps the classifiers; None keeps nothing.
        epochs: of the classifiers' training; see `medaug.features.domain`.

    Attributes:
        extractors: in the order given.
        judge: None where there is only one class.
        left_out: what couldn't be built, and why.
    """

    def __init__(
        self,
        given: Sequence[str | Extractor],
        images: LabelledImages,
        classes: Sequence[str],
        *,
        device: torch.device | str,
        seed: int,
        cache: Path | None,
        epochs: int | None = None,
    ) -> None:
        def classifier(part: LabelledImages) -> Extractor:
            return domain(
                part.images,
                part.labels,
                num_classes=len(classes),
                epochs=epochs,
                seed=seed,
                device=device,
                cache_dir=cache,
            )

        def built(one: str | Extractor) -> Extractor:
            if isinstance(one, Extractor):
                return one
            return classifier(images) if one == DOMAIN else find_extractor(one, device=device)

        several = len(classes) > 1
        self.left_out: dict[str, str] = {}
        if DOMAIN in given and not several:
            self.left_out[DOMAIN] = "a classifier needs two classes at least"
        self.extractors = [built(one) for one in given if one != DOMAIN or several]
        self.judge = classifier(reduced(images)) if several else None
        self._side = min(JUDGE_SIDE, *images.images.shape[2:])

    @property
    def judge_name(self) -> str:
        """For the names of its figures."""
        return f"{DOMAIN}_{self._side}px"

    def classes_in(self, images: LabelledImages) -> Tensor:
        """(N, K) float64 probabilities, as the judge sees them."""
        assert self.judge is not None
        found = self.judge(reduced(images).images).probabilities
        assert found is not None
        return found.double()


def reduced(images: LabelledImages) -> LabelledImages:
    """Images of 32 × 32 pixels at most, by means over areas."""
    side = min(JUDGE_SIDE, *images.images.shape[2:])
    return images._replace(images=F.adaptive_avg_pool2d(images.images, side))


def combined(
    distance: Figure | None, ratings: Ratings | None, parts: dict[str, float] | None = None
) -> HyperScore | None:
    """HyperScore of a distance, readers' ratings and other parts; None without a distance."""
    if distance is None:
        return None
    assert distance.real is not None
    found = {"fid": quality_from_fid(distance.synthetic.value, distance.real.value)} | (parts or {})
    if ratings is not None:
        found["realism"] = quality_from_rating(ratings.synthetic, ratings.real)
    return HyperScore.combine(found)
