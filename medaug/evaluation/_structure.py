"""Figures over what is to be seen in a thumbnail: variety within a class, and copies.

Networks' features say how good images look; blur and noise move them as much as a missing heart
does. Whether a generator has collapsed, or copies, is to be told apart from that: it is judged on
thumbnails of 8 × 8 pixels, in which neither is seen: by EfficientNet-Lite0
authenticity of blurred or noisy fresh images is 0.95 to 1.00 where real ones have 0.79, by
thumbnails 0.56 to 0.63 where they have 0.64; copies have 0.04 at most (200 chest X-rays).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..metrics import MSSSIM, centred_interval, msssim_all_pairs, nearest, vendi
from ._features import NORMAL, TINY, Vectors, novelty
from ._figures import ALL, Estimate, Figure
from ._images import LabelledImages

SIDE = 8
THUMBNAILS = f"thumbnail{SIDE}"
MOST = 500
"""Images of a class that all pairs are made of."""
RESAMPLES = 200


def thumbnails(images: Tensor, centre: Tensor | None = None) -> Tensor:
    """(N, C, H, W) shrunk to vectors (N, C · 8 · 8) float64, less the mean image's."""
    small = F.adaptive_avg_pool2d(images.double(), SIDE).flatten(1)
    return small if centre is None else small - centre


def structure_figures(
    train: LabelledImages,
    held_out: LabelledImages,
    synthetic: LabelledImages,
    classes: tuple[str, ...],
    seed: int,
) -> list[Figure]:
    """MS-SSIM and Vendi score within each class, and authenticity, on thumbnails."""
    centre = thumbnails(train.images).mean(dim=0)
    small = Vectors(*(thumbnails(part.images, centre) for part in (train, held_out, synthetic)))
    sides = (
        Side(part.labels.numpy(), vectors, _Alike(part.images))
        for part, vectors in ((synthetic, small.synthetic), (train, small.train))
    )
    return [authenticity_figure(small), *variety_figures(*sides, classes=classes, seed=seed)]


class _Alike:
    """MS-SSIM of all pairs of some images."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __call__(self, index: NDArray[np.intp]) -> MSSSIM:
        return msssim_all_pairs(self.images[index])


class Side(NamedTuple):
    """What variety is judged by.

    Attributes:
        labels: (N,) classes.
        small: (N, d) thumbnails.
        alike: how alike those of some indices are.
    """

    labels: NDArray[np.int64]
    small: Tensor
    alike: Callable[[NDArray[np.intp]], MSSSIM]


def authenticity_figure(small: Vectors) -> Figure:
    """Of thumbnails, beside that of held-out real ones."""
    new, fresh = (novelty(small.train, part) for part in (small.synthetic, small.held_out))
    return Figure(f"authenticity_{THUMBNAILS}", ALL, new, fresh, "real", len(small.synthetic))


def variety_figures(
    synthetic: Side, train: Side, *, classes: tuple[str, ...], seed: int
) -> list[Figure]:
    """MS-SSIM and Vendi score within each class, beside those of real training ones."""
    figures = []
    random = np.random.default_rng(seed)
    for label, name in enumerate(classes):
        found = [np.flatnonzero(side.labels == label) for side in (synthetic, train)]
        made, real = (random.permutation(part)[:MOST] for part in found)
        n = min(len(made), len(real))
        if n < 2:
            continue
        ours, theirs = synthetic.alike(made), train.alike(real)
        # the score depends on n, a mean doesn't
        kinds = _vendi(synthetic.small[made[:n]], seed), _vendi(train.small[real[:n]], seed)
        figures += [
            Figure(ours.name, name, _similarity(ours), _similarity(theirs), "real", n),
            Figure(f"vendi_{THUMBNAILS}", name, *kinds, "real", n),
        ]
    return figures


def _similarity(found: MSSSIM) -> Estimate:
    error = NORMAL * found.standard_error
    return Estimate(found.mean, found.mean - error, found.mean + error)


def _vendi(vectors: Tensor, seed: int) -> Estimate:
    """The score, with an interval by resampling images.

    Resamples hold images twice, and so are less various: their spread is what counts.
    """
    random = np.random.default_rng(seed)
    n = len(vectors)
    drawn = [vendi(vectors[random.integers(n, size=n)]) for _ in range(RESAMPLES)]
    value = vendi(vectors)
    return Estimate(value, *centred_interval(value, np.array(drawn), bounds=(1, n)))


def nearest_pairs(
    train: Tensor, synthetic: Tensor, count: int = 10
) -> list[tuple[int, int, float]]:
    """The generated images nearest to training images, as (generated, training, ratio).

    The ratio is the distance by that training image's distance to its nearest other one.
    """
    centre = thumbnails(train).mean(dim=0)
    known, made = thumbnails(train, centre), thumbnails(synthetic, centre)
    found = nearest(made, known)
    ratios = nearness(known, made, found.indices)
    chosen = np.argsort(ratios, kind="stable")[:count]
    return [(int(one), int(found.indices[one]), float(ratios[one])) for one in chosen]


def nearness(known: Tensor, made: Tensor, partners: NDArray[np.intp]) -> NDArray[np.float64]:
    """Distance of each made one to its partner among the known, by that one's to its nearest other.

    Args:
        known: (M, d) vectors.
        made: (N, d) vectors.
        partners: (N,) indices of known ones.
    """
    own = nearest(known, known, itself=True).distances
    apart = np.linalg.norm((made - known[partners]).numpy(), axis=1)
    ratios: NDArray[np.float64] = apart / np.maximum(own[partners], TINY)
    return ratios
