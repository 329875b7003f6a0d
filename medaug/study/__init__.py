"""Do synthetic images help a classifier? Arms compared in pairs, on the same real test patients.

``python -m medaug.study --config study.json`` trains a classifier with and without extra images,
by the bundles' own recipes, and writes a page with verdicts; without ``--config`` on phantoms.
`read_study`, `run_study` and `write_study` do so from Python; `compare` compares two arms.
"""

from ._comparison import Comparison, Predictions, compare, estimate, holm, mcnemar
from ._config import Arm, Generator, Study, read_study, study_of
from ._output import write_study
from ._result import StudyResult, Verdict
from ._scores import accuracy, balanced_accuracy, macro_auprc, macro_precision, recalls
from ._study import run_study

__all__ = [
    "Arm",
    "Comparison",
    "Generator",
    "Predictions",
    "Study",
    "StudyResult",
    "Verdict",
    "accuracy",
    "balanced_accuracy",
    "compare",
    "estimate",
    "holm",
    "macro_auprc",
    "macro_precision",
    "mcnemar",
    "read_study",
    "recalls",
    "run_study",
    "study_of",
    "write_study",
]
