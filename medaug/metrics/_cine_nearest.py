"""The real sequence that a synthetic one is nearest to, and how like it it is."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ._cine import Sequences, checked_sequences
from ._pairwise import psnr, ssim

_NUMBERS = 2**21  # of a block of pixels, in float64: 16 MB a side


class NearestSequence(NamedTuple):
    """What `nearest_sequence` finds for each synthetic sequence.

    Attributes:
        indices: (N,) int64, which real sequence it is nearest to.
        shifts: (N,) int64: frame t stands beside phase (t + shift) mod T of the real one.
        psnr: (N,) float64, decibels, mean over the frames; infinite if one is equal.
        ssim: (N,) float64, at most 1, mean over the frames.
    """

    indices: Tensor
    shifts: Tensor
    psnr: Tensor
    ssim: Tensor


@torch.no_grad()
def nearest_sequence(synthetic: Sequences, real: Sequences) -> NearestSequence:
    """PSNR and SSIM of each synthetic sequence to the real one that it is nearest to.

    Nearest is what has the least mean squared error over aligned frames: real sequences are
    brought to as many frames as the synthetic ones have (`at_phases`), and each cyclic shift by
    whole frames is tried. A high figure may be a copy: set held-out real sequences beside it.

    Args:
        synthetic: (N, 1, T, H, W) floats in [0, 1], T at least 2, sides of at least 11.
        real: (M, 1, T', H, W) of the same size, T' at least 2; T' may be another than T.

    Raises:
        UserError: another shape, NaN, values out of range, or a single frame.

    References:
        Wang et al., "Image quality assessment: from error visibility to structural similarity",
        2004, for SSIM.
    """
    made, known = checked_sequences("synthetic", synthetic), checked_sequences("real", real)
    if made.shape[3:] != known.shape[3:]:
        raise UserError(
            "synthetic and real must have frames of the same size, "
            f"got {tuple(made.shape[3:])} and {tuple(known.shape[3:])}"
        )
    length = made.shape[2]
    known = at_phases(known, length)
    best = _errors(made[:, 0], known[:, 0]).flatten(1).argmin(1)
    indices, shifts = best // length, best % length
    figures = []
    for sequence, index, shift in zip(made, indices.tolist(), shifts.tolist(), strict=True):
        pair = sequence[0, :, None].double(), known[index, 0].roll(-shift, 0)[:, None].double()
        figures.append((psnr(*pair).mean(), ssim(*pair).mean()))
    ratios, similarities = (torch.stack(values) for values in zip(*figures, strict=True))
    return NearestSequence(indices, shifts, ratios, similarities)


def at_phases(sequences: Tensor, length: int) -> Tensor:
    """Sequences (N, 1, T, H, W) with `length` frames: linear between phases, cyclic.

    Frame k of the result is at k/length of the cycle, frame 0 stays.
    """
    frames = sequences.shape[2]
    if frames == length:
        return sequences
    before, over = np.divmod(np.arange(length) * frames, length)
    part = torch.from_numpy(over / length).to(sequences.dtype).view(-1, 1, 1)
    first = torch.from_numpy(before)
    return sequences[:, :, first] * (1 - part) + sequences[:, :, (first + 1) % frames] * part


def _errors(made: Tensor, known: Tensor) -> Tensor:
    """Squared errors (N, M, T) of all pairs at all shifts, less what doesn't hang on the pair.

    Σ (a[t] − b[t+s])² = Σ a² + Σ b² − 2 Σ a[t]·b[t+s]; the last for all s at once by Fourier's
    transform over time, and a matrix product over pixels at each frequency.
    """
    length, lengths = made.shape[1], torch.zeros(len(known), dtype=torch.float64)
    products = torch.zeros(length // 2 + 1, len(made), len(known), dtype=torch.complex128)
    for one, other in _blocks(made, known):
        lengths += other.square().sum((1, 2))
        products += _frequencies(one).conj() @ _frequencies(other).mT
    overlaps: Tensor = torch.fft.irfft(products, length, dim=0).permute(1, 2, 0)
    return lengths[:, None] - 2 * overlaps


def _frequencies(pixels: Tensor) -> Tensor:
    """(F, N, P) of (N, T, P)."""
    spectrum: Tensor = torch.fft.rfft(pixels, dim=1)
    return spectrum.transpose(0, 1)


def _blocks(made: Tensor, known: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Float64 around 0 of some pixels at a time, (N, T, P) and (M, T, P)."""
    sides = made.flatten(2), known.flatten(2)
    step = max(1, _NUMBERS // (max(len(made), len(known)) * made.shape[1]))
    for start in range(0, sides[0].shape[2], step):
        one, other = (side[..., start : start + step].double() - 0.5 for side in sides)
        yield one, other
