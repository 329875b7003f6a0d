"""Evaluation: features, metrics, floors, intervals and cache joined into one judged table.

`Evaluator` holds the real images and judges any number of generated sets beside them, and
`CineEvaluator` sequences; an `Evaluation` has `Figure`s, each with its interval and the real
images' own figure, and `Verdict`s in words. Handlers, ``evaluate.json``, the report and the study
all use it.
"""

from ._cache import default_cache
from ._cine_evaluator import CineEvaluator
from ._evaluation import Evaluation, Neighbour, Reading
from ._evaluator import Evaluator
from ._extractors import load_extractors
from ._features import DOMAIN, distance_name
from ._figures import Estimate, Figure, Gap, find
from ._images import ImageDataset, LabelledImages
from ._projection import Projection
from ._sequences import LabelledSequences
from ._verdicts import Answer, Verdict

__all__ = [
    "DOMAIN",
    "Answer",
    "CineEvaluator",
    "Estimate",
    "Evaluation",
    "Evaluator",
    "Figure",
    "Gap",
    "ImageDataset",
    "LabelledImages",
    "LabelledSequences",
    "Neighbour",
    "Projection",
    "Reading",
    "Verdict",
    "default_cache",
    "distance_name",
    "find",
    "load_extractors",
]
