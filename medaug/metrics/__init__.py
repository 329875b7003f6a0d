"""Figures over images and vectors: pure functions, with no network and no file behind them.

`msssim_all_pairs` says how alike the images of one class are; a generator that has collapsed gives
a higher value than real images do. `frechet` and `kid` say how far a whole set is from the real
one; `prdc` and `coverage` who lies within reach of whom; `vendi` and `inception_score` how various
a set is; `nearest`, `authenticity` and `mifid` whether it copies; `ssim` and `psnr` compare pairs.
`conditional_check` says whether images show the classes that were asked for, with a
`wilson_interval`; `bootstrap` gives an interval of any other figure, and `AccumulatedMetric` makes
it an Ignite metric over all ranks. `HyperScore` makes one number of several, each brought to
(0, 1] by its `quality_from_...`, with `shapley_weights` where an outcome is known and readers'
ratings from `read_ratings`. Sequences of a beating heart have `motion_energy`, `frame_distance`,
`nearest_sequence`, `clip_vectors` for a Fréchet distance, and an `ejection_fraction` read back from
the picture. A figure's name says how it was made.
"""

from ._accumulated import AccumulatedMetric
from ._bootstrap import Interval, bootstrap, centred_interval
from ._cine import clip_vectors, frame_distance, m_mode, motion_curve, motion_energy
from ._cine_ejection import blood_area, ejection_fraction
from ._cine_nearest import NearestSequence, nearest_sequence
from ._conditional import ConditionalCheck, conditional_check, wilson_interval
from ._frechet import FrechetStatistics, frechet, frechet_statistics
from ._frechet_resamples import frechet_resamples
from ._hyperscore import HyperScore, gamma_for_midpoint, hyperscore
from ._inception_score import inception_score
from ._kid import KID, kid
from ._memorisation import Nearest, authenticity, mifid, nearest
from ._msssim import MSSSIM, msssim_all_pairs
from ._pairwise import psnr, ssim
from ._prdc import PRDC, PRDCByImage, coverage, prdc, prdc_by_image
from ._qualities import (
    quality_from_fid,
    quality_from_psnr,
    quality_from_rating,
    quality_from_ssim,
)
from ._ratings import Ratings, read_ratings
from ._shapley import ShapleyWeights, shapley_weights
from ._vendi import vendi

__all__ = [
    "KID",
    "MSSSIM",
    "PRDC",
    "AccumulatedMetric",
    "ConditionalCheck",
    "FrechetStatistics",
    "HyperScore",
    "Interval",
    "Nearest",
    "NearestSequence",
    "PRDCByImage",
    "Ratings",
    "ShapleyWeights",
    "authenticity",
    "blood_area",
    "bootstrap",
    "centred_interval",
    "clip_vectors",
    "conditional_check",
    "coverage",
    "ejection_fraction",
    "frame_distance",
    "frechet",
    "frechet_resamples",
    "frechet_statistics",
    "gamma_for_midpoint",
    "hyperscore",
    "inception_score",
    "kid",
    "m_mode",
    "mifid",
    "motion_curve",
    "motion_energy",
    "msssim_all_pairs",
    "nearest",
    "nearest_sequence",
    "prdc",
    "prdc_by_image",
    "psnr",
    "quality_from_fid",
    "quality_from_psnr",
    "quality_from_rating",
    "quality_from_ssim",
    "read_ratings",
    "shapley_weights",
    "ssim",
    "vendi",
    "wilson_interval",
]
