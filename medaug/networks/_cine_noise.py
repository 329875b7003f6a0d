"""Noise of the cine generator: of each frame its own, and the same whenever the frame is made.

A generator's frames are a function of latent vectors and phases, however many are made at once, in
which pieces, and by which form of the network. So no random numbers are drawn: a pixel's is the
hash of its place and of its frame's key (a counter-based generator: Salmon et al. 2011, "Parallel
random numbers: as easy as 1, 2, 3"; hashes for it: Jarzynski & Olano 2020, JCGT 9(3):20).
"""

import torch
from torch import Tensor


def frame_keys(latent: Tensor, phase: Tensor) -> Tensor:
    """A key for each frame, by integers alone, whose sums don't hang on their order.

    Args:
        latent: (N, L).
        phase: (N, T) in cycles; whole cycles later the key is the same.

    Returns:
        (N, T) int32.
    """
    numbers = (latent.float() * 65536).round().long()
    factors = 2 * torch.arange(latent.shape[1], device=latent.device) + 1
    total = (numbers * (factors * 0x1E3779B97F4A7C15)).sum(1)
    sequence = hashed(((total ^ (total >> 32)) & 0x7FFFFFFF).int())
    moment = ((phase.float() * 65536).round().long() % 65536).int()
    return hashed(sequence.unsqueeze(1) + hashed(moment))


def noise(key: Tensor, top: int, height: int, width: int) -> Tensor:
    """Some rows of the noise of images, nearly N(0, 1): the sum of four even numbers.

    Args:
        key: (B,) int32.
        top: the first row.
        height: how many rows.
        width: of the whole image.

    Returns:
        (B, 1, height, width) float32, of steps of 1/148, within ±3.46.
    """
    first = top * width
    place = torch.arange(first, first + height * width, dtype=torch.int32, device=key.device)
    bits = hashed(place.view(1, 1, height, width) + hashed(key + width).view(-1, 1, 1, 1))
    pairs = (bits & 0xFF00FF) + ((bits >> 8) & 0xFF00FF)
    total = (pairs & 0xFFFF) + (pairs >> 16)
    return (total - 510).float() * 0.0067658  # a byte's variance is (256² − 1) / 12


def hashed(x: Tensor) -> Tensor:
    """Mix the bits of int32: Wellons' lowbias32, in which every bit moves half of the others."""
    x = x ^ ((x >> 16) & 0xFFFF)  # masked, since shifts of negative numbers bring ones
    x *= 0x7FEB352D  # in place: the line above made a copy
    x ^= (x >> 15) & 0x1FFFF
    x *= -0x7B935975  # 0x846CA68B as int32
    x ^= (x >> 16) & 0xFFFF
    return x
