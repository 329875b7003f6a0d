"""Evaluation: features, metrics, floors, intervals and cache joined into one judged table.

`Evaluator` holds the real images and judges any number of generated sets beside them; an
`Evaluation` has `Figure`s, each with its interval and the real images' own figure, and four
`Verdict`s in words. Handlers, ``evaluate.json``, the report and the study all use it.
"""

from ._cache import default_cache
from ._evaluation import Evaluation, Neighbour
from ._evaluator import Evaluator
from ._figures import Estimate, Figure, find
from ._images import LabelledImages
from ._projection import Projection
from ._verdicts import Answer, Verdict

__all__ = [
    "Answer",
    "Estimate",
    "Evaluation",
    "Evaluator",
    "Figure",
    "LabelledImages",
    "Neighbour",
    "Projection",
    "Verdict",
    "default_cache",
    "find",
]
