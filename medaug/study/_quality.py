"""Scores of generated images: by which generators are chosen, and by which they are told apart."""

from collections.abc import Sequence

import numpy as np

from ..evaluation import Evaluation, Evaluator, LabelledImages, distance_name, find
from ._config import Study
from ._images import Pictures, load
from ._keys import key_of, versions
from ._pools import LEAST, Pool

SCORES = ("fd_ratio", "kid", "inception_score", "ms_ssim")


def judge(pool: Pool, real: Pictures, study: Study, split: str) -> Evaluation:
    """Evaluate a generator's images beside real ones of a split; kept from one time to the next.

    Args:
        pool: the images; the first 60 of each class are looked at.
        real: prepared as they are.
        study: whose extractors and cache are used.
        split: "test" to report, "validation" to choose.

    Raises:
        UserError: there are fewer than ten images of the split, or an extractor can't be had.
    """
    chosen = [one for label in range(len(real.classes)) for one in pool.of(label)[:LEAST]]
    held_out = real.of(split)
    content = [[one.source_id for one in part] for part in (real.of("training"), held_out, chosen)]
    key = key_of([content, study.extractors, versions()])
    path = study.cache / "quality" / f"{key}.json"
    if path.exists():
        return Evaluation.load(path)
    evaluator = Evaluator(
        load(real.of("training")),
        load(held_out),
        real.classes,
        extractors=list(study.extractors),
        seed=0,
        cache=study.cache / "features",
    )
    found = evaluator(_sized(load(chosen), study.image_size))
    found.save(path)
    return found


def _sized(made: LabelledImages, size: int) -> LabelledImages:
    from torch.nn import functional as F

    if made.images.shape[-1] == size:
        return made
    return made._replace(images=F.interpolate(made.images, size=(size, size), mode="area"))


def scores(evaluation: Evaluation, extractor: str) -> dict[str, float]:
    """The four figures that a table has; those that couldn't be made are left out."""
    name = distance_name(extractor)
    found = {}
    for key, wanted in (("fd_ratio", f"{name}_ratio"), ("kid", f"kid_{extractor}")):
        figure = find(evaluation.figures, wanted)
        if figure is not None:
            found[key] = figure.synthetic.value
    for key, prefix in (("inception_score", "is_"), ("ms_ssim", "msssim_")):
        values = [one.synthetic.value for one in evaluation.figures if one.name.startswith(prefix)]
        if values:
            found[key] = float(np.mean(values))
    return found


def shapley_rows(
    by_arm: Sequence[tuple[dict[str, float], float]],
) -> tuple[list[list[float]], list[float]]:
    """Scores and outcomes of the arms that have all of the scores."""
    whole = [(row, gain) for row, gain in by_arm if set(SCORES) <= row.keys()]
    return [[row[name] for name in SCORES] for row, _ in whole], [gain for _, gain in whole]
