"""Evaluation: features, metrics, floors, intervals and cache joined into one judged table.

`Evaluator` holds the real images and judges any number of generated sets beside them; an
`Evaluation` has `Figure`s, each with its interval and the real images' own figure, and four
`Verdict`s in words. Handlers, ``evaluate.json``, the report and the study all use it.
"""

from ._cache import default_cache
from ._evaluation import Evaluation, Neighbour
from ._evaluator import Evaluator, load_extractors
from ._features import DOMAIN, distance_name
from ._figures import Estimate, Figure, Gap, find
from ._images import ImageDataset, LabelledImages
from ._projection import Projection
from ._verdicts import Answer, Verdict

__all__ = [
    "DOMAIN",
    "Answer",
    "Estimate",
    "Evaluation",
    "Evaluator",
    "Figure",
    "Gap",
    "ImageDataset",
    "LabelledImages",
    "Neighbour",
    "Projection",
    "Verdict",
    "default_cache",
    "distance_name",
    "find",
    "load_extractors",
]
