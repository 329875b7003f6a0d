"""Figures over images and vectors: pure functions, with no network and no file behind them.

`msssim_all_pairs` says how alike the images of one class are; a generator that has collapsed gives
a higher value than real images do. A figure's name says how it was made.
"""

from ._msssim import MSSSIM, msssim_all_pairs

__all__ = ["MSSSIM", "msssim_all_pairs"]
