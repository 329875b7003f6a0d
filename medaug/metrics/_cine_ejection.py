"""The ejection fraction, read back from pictures of a heart in its short axis."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from torch import Tensor

from ._cine import Sequences, checked_sequences

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LEVELS = 256  # of the histogram in which the threshold is sought
_LEAST, _MOST = 0.01, 0.25  # of the image: a cavity, in the mean of all frames
_SHARED = 0.1  # of that cavity must be blood in each frame
_ROUND = 0.6  # a disc is at 1; crescents and rings of blood and fat are below
_REACH = 0.2  # of the image's side: how far from its middle a cavity usually is
_WALL = 1 / 16  # of the image's side: as far around the blood is muscle
_FINE = 128  # pixels a side, at least: between them, bilinear
_STEPS = 3  # of thresholds: above the first lies all tissue in a CT, above the second its blood
_CROSS = ndimage.generate_binary_structure(2, 1)


def blood_area(sequences: Sequences) -> Tensor:
    """Area of the left ventricle's cavity in each frame, in pixels.

    For a short axis with bright blood, as cine MRI and CT show it; for ultrasound give
    1 − sequences. Not for X-ray, where the cavity fades towards its border. On the mean of all
    frames, the region that is roundest and nearest to the middle is taken, above three thresholds:
    Otsu's, and that of what is brighter, twice. One more over that region and the muscle around it
    then parts blood and muscle in each frame, without bridges of one pixel. The area is that of
    the convex hull: the papillary muscles belong to the cavity, as readers draw it. Images of less
    than 128 pixels a side are made larger for it. What is no heart may still have a round region.

    Args:
        sequences: (N, 1, T, H, W) floats in [0, 1], T at least 2; the heart near the middle.

    Returns:
        (N, T) float64; NaN in frames in which no cavity is found.

    Raises:
        UserError: another shape, NaN, values out of range, or a single frame.

    References:
        Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on
        Systems, Man, and Cybernetics 9:62, 1979.
    """
    frames = checked_sequences("sequences", sequences)[:, 0]
    areas = [_areas(sequence.double().numpy()) for sequence in frames]
    return torch.from_numpy(np.stack(areas))


def ejection_fraction(sequences: Sequences) -> Tensor:
    """Ejection fraction of the left ventricle, read back from its area: 1 − (min / max)^1.5.

    The volume of a ventricle whose length stays in proportion to its diameter grows as
    area^1.5: the definition of `medaug.phantoms.cavity_volume`. See `blood_area` for the area. The
    least and the largest frame are taken as they are: flicker counts as ejection. A blurred image
    reads too high: by 0.02 at a blur of one pixel (deviation) in 64.

    Args:
        sequences: (N, 1, T, H, W) floats in [0, 1], T at least 2; bright blood.

    Returns:
        (N,) float64 in [0, 1]; NaN where a frame shows no cavity.

    Raises:
        UserError: another shape, NaN, values out of range, or a single frame.
    """
    areas = blood_area(sequences)
    return 1 - (areas.amin(1) / areas.amax(1)) ** 1.5


def _areas(frames: Image) -> Image:
    """(T,) of one sequence (T, H, W)."""
    areas: Image = np.full(len(frames), np.nan)
    finer = math.ceil(_FINE / max(frames.shape[1:]))
    frames = ndimage.zoom(frames, (1, finer, finer), order=1, mode="nearest", grid_mode=True)
    seed = _cavity(frames.mean(0))
    if seed is None:
        return areas
    wall = max(2, round(_WALL * max(seed.shape)))
    around = ndimage.binary_dilation(seed, _CROSS, wall)
    threshold = _otsu(frames[:, around])
    for t, frame in enumerate(frames):
        areas[t] = _hull_area(_touching(_opened(frame > threshold), seed))
    areas /= finer * finer
    return areas


def _otsu(values: Image) -> float:
    """The level that parts the values into two classes with the largest variance between."""
    counts, edges = np.histogram(values, _LEVELS)
    middles = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sums = np.cumsum(counts * middles)
    difference = sums[:-1] / np.maximum(below, 1) - (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    between = below * above * difference**2
    return float(edges[1:-1][between == between.max()].mean())


def _opened(mask: Mask) -> Mask:
    """Without bridges between two cavities."""
    opened: Mask = ndimage.binary_opening(mask, _CROSS)
    return opened


def _cavity(mean: Image) -> Mask | None:
    """The region that is most like a left ventricle: round, and near the middle."""
    regions: list[Mask] = []
    level = -np.inf
    for _ in range(_STEPS):
        above = mean[mean > level]
        if above.size < 2 or above.max() == above.min():
            break
        level = _otsu(above)
        labels, count = ndimage.label(_opened(mean > level))
        regions += [labels == label for label in range(1, count + 1)]
    scores = [_likeness(region) for region in regions]
    if not scores or max(scores) <= 0:
        return None
    return regions[int(np.argmax(scores))]


def _likeness(region: Mask) -> float:
    """0 for what is no cavity; else up to 1 for a disc in the middle of the image."""
    if not _LEAST <= region.mean() <= _MOST:
        return 0.0
    points = np.argwhere(region)
    # a disc of area A has second moments that add up to A / 2π; +1/6 is that of the pixels
    roundness = len(points) / (2 * np.pi * (points.var(axis=0).sum() + 1 / 6))
    away = points.mean(axis=0) - (np.array(region.shape) - 1) / 2
    distance = np.linalg.norm(away) / (_REACH * max(region.shape))
    return float(roundness * np.exp(-(distance**2))) if roundness > _ROUND else 0.0


def _touching(mask: Mask, seed: Mask) -> Mask:
    """The region that shares most pixels with the seed; none if all share too few."""
    labels, count = ndimage.label(mask)
    shared = np.bincount(labels[seed], minlength=count + 1)
    shared[0] = 0
    region: Mask = labels == shared.argmax()
    return region if shared.max() >= _SHARED * seed.sum() else np.zeros_like(mask)


def _hull_area(region: Mask) -> float:
    """Of the convex hull of the pixels' middles, and half a pixel around it (Steiner's formula)."""
    points = np.argwhere(region & ~ndimage.binary_erosion(region, _CROSS))
    if not len(points):
        return float("nan")
    try:
        hull: Any = ConvexHull(points)
    except QhullError:  # all on one line
        return float(len(points))
    # in two dimensions, `volume` is the area and `area` the perimeter
    return float(hull.volume + hull.area / 2 + np.pi / 4)
