"""How a sequence moves: motion energy, distances of consecutive frames, clips, the M-mode line."""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError

Sequences = Tensor | NDArray[np.floating]
"""(N, 1, T, H, W) in [0, 1]: one whole cycle, the last frame leads into the first."""

_SLACK = 1e-5  # what resampling may add to the ends


@torch.no_grad()
def motion_curve(sequences: Sequences, *, cyclic: bool = True) -> Tensor:
    """How much each frame differs from the next, over the sequence's own variance.

    mean((x[t+1] − x[t])²) / var(x), with the variance over all pixels and frames of a sequence:
    grey values a·x + b give the same. 0 stands still; white noise is at 2, the highest mean over a
    cycle is 4. Noise counts as motion: set real sequences beside it. A blank sequence gives 0.

    Args:
        sequences: (N, 1, T, H, W) floats in [0, 1], T at least 2.
        cyclic: with the pair of the last frame and the first.

    Returns:
        (N, T) float64, entry t from frame t to the next; (N, T − 1) if not cyclic.

    Raises:
        UserError: another shape, NaN, values out of range, or a single frame.
    """
    frames = checked_sequences("sequences", sequences)
    curves = []
    for sequence in frames[:, 0]:  # one at a time: float64 copies stay small
        exact = sequence.double()
        change = _changes(exact[None], cyclic)[0].square().mean(dim=(1, 2))
        spread = exact.var(correction=0)
        curves.append(change / spread if spread > 0 else torch.zeros_like(change))
    return torch.stack(curves)


def motion_energy(
    sequences: Sequences, *, cyclic: bool = True, harmonics: int | None = None
) -> Tensor:
    """How much consecutive frames differ, over the sequence's own variance.

    The mean of `motion_curve`: mean((x[t+1] − x[t])²) / var(x), von Neumann's ratio over all
    pixels. Contrast and brightness alone don't change it, nor does the direction of time.

    Noise counts as much as it changes. With `harmonics`, only what is in the first so many of the
    cycle does: by Parseval's theorem Σ_k (2 − δ_{k,T/2}) · mean(|X_k|²) · 4 sin²(πk/T) / var(x),
    where X is the discrete Fourier transform of each pixel over the cycle, divided by T. A noisy
    curve of a ventricle's volume is described best by two harmonics where systole is looked at, by
    three to six where diastole is (Bacharach et al. 1983). Of white noise in 20 frames, four keep
    an eighth: what is left is the heart's motion.

    Args:
        sequences: (N, 1, T, H, W) floats in [0, 1], T at least 2.
        cyclic: with the pair of the last frame and the first.
        harmonics: of a whole cycle, at least 1; None for all.

    Returns:
        (N,) float64, 0 (stands still) to 4.

    Raises:
        UserError: another shape, NaN, values out of range, or a single frame; harmonics that are
            below 1, or of what isn't cyclic.

    References:
        von Neumann, "Distribution of the ratio of the mean square successive difference to the
        variance", Annals of Mathematical Statistics 12:367, 1941; Bacharach et al., "Optimum
        Fourier filtering of cardiac data: a minimum-error method", J Nucl Med 24:1176, 1983.
    """
    if harmonics is None:
        return motion_curve(sequences, cyclic=cyclic).mean(1)
    if harmonics < 1 or not cyclic:
        raise UserError(
            f"harmonics must be at least 1, of whole cycles, got {harmonics}, cyclic {cyclic}"
        )
    frames = checked_sequences("sequences", sequences)
    return torch.stack([_within(sequence.double(), harmonics) for sequence in frames[:, 0]])


def _within(frames: Tensor, harmonics: int) -> Tensor:
    """The motion energy of one sequence, (T, H, W), in its first harmonics."""
    length = len(frames)
    power = torch.fft.rfft(frames, dim=0, norm="forward").abs().square().mean((1, 2))
    orders = torch.arange(len(power), dtype=torch.float64)
    twice = torch.where(2 * orders == length, 1, 2)
    change = twice * power * 4 * (math.pi * orders / length).sin().square()
    spread = frames.var(correction=0)
    whole = change[1 : harmonics + 1].sum()
    return whole / spread if spread > 0 else torch.zeros_like(whole)


@torch.no_grad()
def frame_distance(
    frames: Sequences,
    maps: Callable[[Tensor], Tensor] | None = None,
    *,
    cyclic: bool = True,
) -> Tensor:
    """Mean squared difference of the features of each frame and the next.

    With `medaug.features.VGG16Maps` as `maps`, the inter-frame VGG distance. Not cyclic, it is
    what `medaug.losses.TemporalConsistencyLoss` sums up where its patches are whole frames: the
    mean of its `distances`.

    Args:
        frames: sequences (N, 1, T, H, W) in [0, 1] with `maps`; without, features (N, T, ...).
        maps: from images (T, 1, H, W) on the CPU to features (T, ...), of any shape and anywhere;
            one sequence at a time, so that the features of all need not be held.
        cyclic: with the pair of the last frame and the first.

    Returns:
        (N,) float64, 0 and up.

    Raises:
        UserError: another shape, values that aren't finite, or a single frame.
    """
    if maps is None:
        features = _checked_features("frames", frames)
        return torch.stack([_distance(one, cyclic) for one in features])
    found = []
    for sequence in checked_sequences("frames", frames):
        features = _checked_features("features", maps(sequence.transpose(0, 1))[None])
        found.append(_distance(features[0], cyclic))
    return torch.stack(found)


def _distance(features: Tensor, cyclic: bool) -> Tensor:
    """Of one sequence's features, (T, ...)."""
    return _changes(features.double()[None], cyclic).square().mean()


@torch.no_grad()
def clip_vectors(
    frame_vectors: Sequences, *, size: int = 32, motion_weight: float = 1.0, seed: int = 0
) -> Tensor:
    """Vectors of whole sequences from vectors of their frames, for a Fréchet distance.

    The mean over time, joined with the mean absolute difference of consecutive frames, cyclic. A
    Fréchet distance of them is a clip distance and no FVD, which has a network of its own (I3D)
    that sees motion. The direction of time and the frame to begin with don't change the vectors.

    Covariances of 50 to 200 sequences bear some tens of dimensions: wider halves are projected
    onto size/2 random orthogonal directions, scaled so that squared lengths are kept on average.
    The directions hang on the width and the seed alone, so that real and generated sequences meet.

    Args:
        frame_vectors: (N, T, d), T at least 2: as an extractor gives them for frames.
        size: the widest that a result may be; even.
        motion_weight: what the half of differences is multiplied by. They are smaller than the
            means, so that at 1 they count little.
        seed: of the directions.

    Returns:
        (N, D) float64, D = min(2·d, size).

    Raises:
        UserError: another shape, values that aren't finite, a single frame, or an option that is
            out of range.

    References:
        Unterthiner et al., "FVD: a new metric for video generation", 2019; Ge et al., "On the
        content bias in Fréchet video distance", CVPR 2024: motion drowns in what frames show.
    """
    if size < 2 or size % 2 or not 0 <= motion_weight < math.inf:
        raise UserError(
            "size must be even and at least 2, motion_weight finite and at least 0, "
            f"got {size} and {motion_weight}"
        )
    vectors = _checked_features("frame_vectors", frame_vectors)
    if vectors.ndim != 3:
        raise UserError(f"frame_vectors must be of (N, T, d), got {tuple(vectors.shape)}")
    vectors = vectors.double()
    halves = (vectors.mean(1), motion_weight * _changes(vectors, cyclic=True).abs().mean(1))
    directions = _directions(vectors.shape[2], size // 2, seed)
    return torch.cat([half @ directions for half in halves], dim=1)


def _directions(width: int, most: int, seed: int) -> Tensor:
    """(width, at most `most`): random, orthogonal, of length √(width / most)."""
    if width <= most:
        return torch.eye(width, dtype=torch.float64)
    drawn = np.random.default_rng([seed, width, most]).standard_normal((width, most))
    return torch.from_numpy(np.linalg.qr(drawn).Q * math.sqrt(width / most))


@torch.no_grad()
def m_mode(
    sequence: Sequences,
    line: tuple[tuple[float, float], tuple[float, float]],
    *,
    num_points: int | None = None,
) -> Tensor:
    """The M-mode picture: the grey values along a line through the image, over time.

    Args:
        sequence: (1, T, H, W) or (T, H, W) floats in [0, 1].
        line: its ends, (row, column) each, in pixels from the middle of the first one.
        num_points: on the line, its ends among them; by default about one a pixel.

    Returns:
        (T, L) float64: between pixels, bilinear.

    Raises:
        UserError: another shape, NaN, values out of range, or a line that leaves the image.
    """
    images = torch.as_tensor(sequence)
    if images.ndim not in (3, 4) or (images.ndim == 4 and len(images) != 1):
        raise UserError(f"sequence must be of (1, T, H, W), got {tuple(images.shape)}")
    images = checked_sequences("sequence", images.reshape(1, 1, *images.shape[-3:]), least=1)
    frames = images[0, 0].double()
    rows, columns = _points(line, frames.shape[1:], num_points).unbind(1)
    top, left = rows.long(), columns.long()
    bottom, right = (
        (at + 1).clamp(max=side - 1)  # of weight 0 where it is clamped
        for at, side in zip((top, left), frames.shape[1:], strict=True)
    )
    down, across = rows - top, columns - left
    above = frames[:, top, left] * (1 - across) + frames[:, top, right] * across
    below = frames[:, bottom, left] * (1 - across) + frames[:, bottom, right] * across
    return above * (1 - down) + below * down


def _points(
    line: tuple[tuple[float, float], tuple[float, float]],
    sides: torch.Size,
    num_points: int | None,
) -> Tensor:
    """Rows and columns of the points of a line, (L, 2)."""
    ends = torch.tensor(line, dtype=torch.float64)
    last = torch.tensor(sides) - 1
    if ends.shape != (2, 2) or not ((ends >= 0) & (ends <= last)).all():
        raise UserError(
            f"line must be two points (row, column) up to {tuple(last.tolist())}, got {line}"
        )
    count = num_points if num_points is not None else math.ceil(math.dist(*line)) + 1
    if count < 2:
        raise UserError(f"num_points must be at least 2, got {count}")
    part = torch.linspace(0, 1, count, dtype=torch.float64)[:, None]
    return ends[0] * (1 - part) + ends[1] * part


def _changes(frames: Tensor, cyclic: bool) -> Tensor:
    """From each frame to the next, (N, T, ...); T − 1 if not cyclic."""
    changes = frames.roll(-1, 1) - frames
    return changes if cyclic else changes[:, :-1]


def checked_sequences(name: str, sequences: Sequences, *, least: int = 2) -> Tensor:
    """They, on the CPU; UserError where they are none."""
    tensor = torch.as_tensor(sequences).detach().as_subclass(Tensor).cpu()
    shape = tuple(tensor.shape)
    if tensor.ndim != 5 or 0 in shape or shape[1] != 1 or not tensor.is_floating_point():
        raise UserError(f"{name} must be floats of (N, 1, T, H, W), got {tensor.dtype} of {shape}")
    _check_length(name, shape[2], least)
    low, high = float(tensor.min()), float(tensor.max())
    if not (low >= -_SLACK and high <= 1 + _SLACK):
        raise UserError(f"{name} must lie in 0 to 1, got values from {low:g} to {high:g}")
    return tensor


def _checked_features(name: str, features: Sequences) -> Tensor:
    tensor = torch.as_tensor(features).detach().as_subclass(Tensor).cpu()
    shape = tuple(tensor.shape)
    if tensor.ndim < 3 or 0 in shape or not tensor.is_floating_point():
        raise UserError(f"{name} must be floats of (N, T, ...), got {tensor.dtype} of {shape}")
    _check_length(name, shape[1], 2)
    if not tensor.isfinite().all():
        raise UserError(f"{name} must hold finite values, got NaN or infinity")
    return tensor


def _check_length(name: str, frames: int, least: int) -> None:
    if frames < least:
        raise UserError(f"{name} must have at least {least} frames, got {frames}")
