"""Ignite handlers: what watches a training, writes down its figures, and shows its pictures."""

from ._agreement import ClassAgreement
from ._collapse import CollapseMonitor
from ._generation import MSSSIM_EXCESS, MSSSIM_GAP, GenerationMetrics
from ._metrics_csv import MetricsCSV
from ._progress import ProgressBar
from ._samples import SampleGrid, generate, save_grid, to_uint8
from ._standard import gan_handlers

__all__ = [
    "MSSSIM_EXCESS",
    "MSSSIM_GAP",
    "ClassAgreement",
    "CollapseMonitor",
    "GenerationMetrics",
    "MetricsCSV",
    "ProgressBar",
    "SampleGrid",
    "gan_handlers",
    "generate",
    "save_grid",
    "to_uint8",
]
