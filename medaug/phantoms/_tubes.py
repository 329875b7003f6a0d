"""Tubes along smooth curves: the way ribs, vessels, arms and the windpipe are drawn."""

import numpy as np

from ._anatomy import Vector, View
from ._raster import Map, splat


def bend(points: Vector, parameters: Vector) -> Vector:
    """Return the Catmull-Rom curve through `points` (N, D) at `parameters` in [0, N − 1]."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    i = np.clip(parameters.astype(int), 0, len(points) - 2)
    t = (parameters - i)[:, None]
    p0, p1, p2, p3 = (padded[i + k] for k in range(4))
    out: Vector = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )  # fmt: skip
    return out


def tube(
    canvas: Map, view: View, points: Vector, radii: Vector, *, flat: float, hollow: float = 0.0
) -> None:
    """Add the thickness of a tube along a smooth curve to `canvas` (H, W), in place.

    Args:
        canvas: Thickness map in cm.
        view: Where the pixels lie.
        points: (N, 2) or (N, 3) places in cm: x, y and, if the tube also runs along the beam, z.
        radii: (N,) radii in cm, in the plane of the image.
        flat: Thickness along the beam over that of a round tube.
        hollow: Part of the radius that is empty.
    """
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    count = max(8, int(length / max(0.25 * radii.min(), 0.06)))
    parameters = np.linspace(0, len(points) - 1, count)
    places = bend(points, parameters)
    step = np.linalg.norm(np.gradient(places, axis=0), axis=1)
    radius = np.interp(parameters, np.arange(len(points)), radii) / view.pixel
    columns, rows = view.columns(places[:, 0], places[:, 1]), view.rows(places[:, 1])
    # A disc of radius r in pixels stands for one of r·pixel cm: weights are in cm of path.
    splat(canvas, columns, rows, radius, step * flat)
    if hollow:
        splat(canvas, columns, rows, radius * hollow, -step * flat)
