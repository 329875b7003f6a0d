"""Do synthetic images help a classifier? Arms compared in pairs, on the same real test patients."""

from ._comparison import Comparison, Predictions, compare, holm, mcnemar
from ._scores import accuracy, balanced_accuracy, macro_auprc, recalls

__all__ = [
    "Comparison",
    "Predictions",
    "accuracy",
    "balanced_accuracy",
    "compare",
    "holm",
    "macro_auprc",
    "mcnemar",
    "recalls",
]
