"""The lungs' vessels: a tree that branches from each hilum."""

import numpy as np

from ._anatomy import Anatomy, View
from ._raster import Map, splat
from ._tubes import tube

_STEPS = 14
_GENERATIONS = 6


def _grow(
    rng: np.random.Generator, start: np.ndarray, angle: np.ndarray, radius: np.ndarray,
    length: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return paths (N, steps, 2) in cm, their angles and radii (N, steps)."""
    turn = rng.normal(0, 0.5, (len(angle), 1)) / _STEPS + rng.normal(0, 0.05, (len(angle), _STEPS))
    angles = angle[:, None] + np.cumsum(turn, axis=1)
    step = (length / _STEPS)[:, None]
    moves = np.stack([np.cos(angles) * step, np.sin(angles) * step], axis=-1)
    paths = start[:, None] + np.cumsum(moves, axis=1)
    return paths, angles, radius[:, None] * np.linspace(1, 0.86, _STEPS)


def _arteries(canvas: Map, anatomy: Anatomy, view: View) -> None:
    """Draw the two lower pulmonary arteries, the largest part of each hilum."""
    scale = anatomy.height / 20
    for path in (
        [(-1.5, 8.6), (-3.3, 9.2), (-4.5, 10.8), (-4.9, 13.4)],
        [(1.8, 8.2), (3.7, 7.9), (4.7, 9.2), (5.0, 12.0)],
    ):
        points = np.array(path) * scale
        points[:, 0] += 2 * view.turn
        points[:, 1] += 0.4 * view.breath
        radii = np.array([1.0, 0.95, 0.8, 0.45]) * anatomy.vessels
        tube(canvas, view, points, radii, flat=0.8)


def vessels(anatomy: Anatomy, view: View) -> Map:
    """Return the thickness (H, W) in cm of the vessels of both lungs."""
    rng = np.random.default_rng(np.random.SeedSequence([anatomy.seed, 2]))
    canvas = np.zeros(view.size, np.float32)
    _arteries(canvas, anatomy, view)
    scale = anatomy.height / 20
    for side, height in ((-1, 9.6), (1, 8.9)):
        fan = np.radians([-78, -50, -22, 4, 28, 50, 68, 82])
        fan = np.concatenate([fan, fan + 0.15]) + rng.normal(0, 0.13, 16)
        start = np.tile([3.1, height * scale], (16, 1)) + rng.normal(0, 0.35, (16, 2))
        start[:, 1] += 1.3 * np.sin(fan)
        radius = rng.uniform(0.28, 0.55, 16) * anatomy.vessels
        length = rng.uniform(2.6, 4.2, 16) * scale
        angle = fan
        for _ in range(_GENERATIONS):
            paths, angles, radii = _grow(rng, start, angle, radius, length)
            x = paths[..., 0].ravel() * side
            y = paths[..., 1].ravel() + 0.4 * view.breath
            weights = np.repeat(length / _STEPS, _STEPS) * 0.9
            splat(canvas, view.columns(x, y), view.rows(y), radii.ravel() / view.pixel, weights)
            start = np.repeat(paths[:, -1], 2, axis=0)
            spread = rng.uniform(0.2, 0.55, len(start)) * np.tile([-1, 1], len(paths))
            angle = np.repeat(angles[:, -1], 2) + spread
            radius = np.repeat(radii[:, -1], 2) * rng.uniform(0.66, 0.88, len(start))
            length = np.repeat(length, 2) * rng.uniform(0.62, 0.92, len(start))
    return canvas
