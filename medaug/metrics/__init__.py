"""Figures over images and vectors: pure functions, with no network and no file behind them.

`msssim_all_pairs` says how alike the images of one class are; a generator that has collapsed gives
a higher value than real images do. `coverage` says what share of the real images has a generated
one near, `conditional_check` adds whether the images show the classes that were asked for, with a
`wilson_interval`. A figure's name says how it was made.
"""

from ._conditional import ConditionalCheck, conditional_check, wilson_interval
from ._coverage import coverage
from ._msssim import MSSSIM, msssim_all_pairs

__all__ = [
    "MSSSIM",
    "ConditionalCheck",
    "conditional_check",
    "coverage",
    "msssim_all_pairs",
    "wilson_interval",
]
