"""Ignite handlers: what watches a training, writes down its figures, and shows its pictures."""

from ._agreement import ClassAgreement
from ._cine_standard import FilmStrips, GrowthFigures, cine_handlers
from ._classification import (
    ClassificationFigures,
    ClassificationMetrics,
    classification_figures,
)
from ._classifier_standard import VALIDATION_LOSS, classifier_handlers
from ._collapse import CollapseMonitor
from ._generation import MSSSIM_EXCESS, MSSSIM_GAP, GenerationMetrics
from ._metrics_csv import MetricsCSV
from ._progress import ProgressBar
from ._samples import SampleGrid, generate, save_grid, to_uint8
from ._standard import gan_handlers
from ._validation import Validation
from ._weight_validation import WeightValidation

__all__ = [
    "MSSSIM_EXCESS",
    "MSSSIM_GAP",
    "VALIDATION_LOSS",
    "ClassAgreement",
    "ClassificationFigures",
    "ClassificationMetrics",
    "CollapseMonitor",
    "FilmStrips",
    "GenerationMetrics",
    "GrowthFigures",
    "MetricsCSV",
    "ProgressBar",
    "SampleGrid",
    "Validation",
    "WeightValidation",
    "cine_handlers",
    "classification_figures",
    "classifier_handlers",
    "gan_handlers",
    "generate",
    "save_grid",
    "to_uint8",
]
