"""Ignite handlers: what watches a training, writes down its figures, and shows its pictures."""

from ._agreement import ClassAgreement
from ._diversity import ClassDiversity, DiversityReport, SyntheticDiversity, format_table
from ._metrics_csv import MetricsCSV
from ._progress import ProgressBar
from ._samples import SampleGrid, generate, save_grid, to_uint8
from ._standard import gan_handlers

__all__ = [
    "ClassAgreement",
    "ClassDiversity",
    "DiversityReport",
    "MetricsCSV",
    "ProgressBar",
    "SampleGrid",
    "SyntheticDiversity",
    "format_table",
    "gan_handlers",
    "generate",
    "save_grid",
    "to_uint8",
]
