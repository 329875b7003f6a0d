"""Figures over sequences: distances of frames and of clips, variety, and what is copied."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..metrics import MSSSIM, NearestSequence, clip_vectors, msssim_all_pairs
from ._features import Draws, Vectors, distance_name, distances
from ._figures import Figure
from ._images import Indices
from ._sequences import LabelledSequences, phases
from ._strata import Measured, mean_figure
from ._structure import SIDE, Side, authenticity_figure, variety_figures

FRAMES = 10
"""Of a sequence, that extractors see: between them, a heart moves little."""
MOST_FRAMES = 1_000
"""On a side of a distance of frames; of more, fewer of each sequence are taken."""
MOTION_WEIGHT = 4.0
"""Of the steps in clips: at 1 they are so much smaller than the means that still hearts pass; at 4
(measured on phantoms) both halves count."""
PHASES = 4
"""At which sequences are compared with each other."""

PROTOCOL = {
    "frames": f"up to {FRAMES} evenly spaced ones of a sequence, {MOST_FRAMES:,} on a side; drawn "
    "and resampled by sequence, within each modality",
    "clips": "mean over the frames' vectors, joined with their mean absolute step, in up to 16 + "
    f"16 random orthogonal directions, steps × {MOTION_WEIGHT:g}",
    "MS-SSIM": f"of frames at the same phase, mean over {PHASES} phases",
    "nearest": "the training sequence with the least mean squared error at the best cyclic shift",
}


def network_figures(name: str, vectors: Vectors, draws: Draws, seed: int) -> list[Figure]:
    """Fréchet distances of frames and of clips by one extractor.

    Args:
        name: the extractor's.
        vectors: (N, T, d) of the frames of all sequences.
        draws: which sequences are compared.
        seed: of the resamples.
    """
    frames = Vectors(*(_thinned(part, draws.n) for part in vectors))
    clips = Vectors(*(clip_vectors(part, motion_weight=MOTION_WEIGHT) for part in vectors))
    group, strata = frames.train.shape[1], draws.strata
    rows = [
        *distances(distance_name(name), *_sides(frames, draws), seed, group=group, strata=strata),
        *distances(f"clip_fd_{name}", *_sides(clips, draws), seed, strata=strata),
    ]
    return [Figure(*row, n=draws.n) for row in rows]


def _thinned(vectors: Tensor, sequences: int) -> Tensor:
    count = max(1, MOST_FRAMES // sequences)
    return vectors[:, phases(vectors.shape[1], count)]


def _sides(vectors: Vectors, draws: Draws) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Held-out, training and generated vectors as rows, all frames of a drawn sequence together."""

    def rows(part: Tensor, index: Indices) -> Tensor:
        return part[index].flatten(0, -2)

    return (
        rows(vectors.held_out, draws.held_out),
        [rows(vectors.train, index) for index in draws.train],
        [rows(vectors.synthetic, index) for index in draws.synthetic],
    )


def thumbnails(sequences: Tensor) -> Tensor:
    """(N, 1, T, H, W) to (N, 128) float64: mean and deviation over time on 8 × 8 pixels.

    Neither hangs on the frame that a cycle begins with.
    """
    small = torch.stack([F.adaptive_avg_pool2d(one[0], SIDE) for one in sequences]).double()
    both = torch.cat([small.mean(1), small.std(1, correction=0)], dim=1)
    return both.flatten(1)


def variety(small: Vectors, train: LabelledSequences, synthetic: LabelledSequences,
            classes: tuple[str, ...], seed: int) -> list[Figure]:  # fmt: skip
    """MS-SSIM and Vendi score within each modality, and authenticity, on thumbnails."""
    centre = small.train.mean(dim=0)
    sides = (
        Side(part.labels.numpy(), vectors - centre, _Alike(part.sequences))
        for part, vectors in ((synthetic, small.synthetic), (train, small.train))
    )
    return [authenticity_figure(small), *variety_figures(*sides, classes=classes, seed=seed)]


class _Alike:
    """MS-SSIM of all pairs of sequences at the same phase, averaged over phases."""

    def __init__(self, sequences: Tensor) -> None:
        self.sequences = sequences

    def __call__(self, index: Indices) -> MSSSIM:
        chosen = self.sequences[index]
        found = [msssim_all_pairs(chosen[:, :, t]) for t in phases(chosen.shape[2], PHASES)]
        image_means = torch.stack([one.image_means for one in found]).mean(0)
        mean, zeroed = (
            sum(float(getattr(one, what)) for one in found) / len(found)
            for what in ("mean", "zeroed")
        )
        return MSSSIM(mean, image_means, zeroed, found[0].name)


def nearest_figures(
    made: NearestSequence,
    kept: NearestSequence,
    synthetic: LabelledSequences,
    held_out: LabelledSequences,
    num_classes: int,
    seed: int,
) -> list[Figure]:
    """PSNR and SSIM to the nearest training sequence.

    Args:
        made: of generated sequences.
        kept: of held-out real ones.
        synthetic: the generated sequences.
        held_out: the held-out ones.
        num_classes: of the modalities.
        seed: of the resamples.
    """
    figures = []
    for name in ("psnr", "ssim"):
        sides = (
            Measured(getattr(found, name).numpy(), part.labels.numpy())
            for found, part in ((made, synthetic), (kept, held_out))
        )
        figures.append(
            mean_figure(f"{name}_to_nearest", *sides, num_classes=num_classes, seed=seed)
        )
    return figures
