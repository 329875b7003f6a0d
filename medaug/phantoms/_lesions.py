"""What a disease adds: the part of the lung's air that is replaced by fluid."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ._anatomy import Anatomy, View
from ._raster import Map, blur, smooth_noise
from ._thorax import cage_width

# Lobes in the film's plane: side, middle (x over the half width, y over the height), reach in
# the same units, and which border is a fissure, sharp: "low", "high" or none.
_LOBES = (
    (-1, 0.54, 0.28, 0.48, 0.27, "low"),
    (-1, 0.46, 0.74, 0.44, 0.22, "high"),
    (-1, 0.58, 0.84, 0.44, 0.24, ""),
    (1, 0.54, 0.28, 0.48, 0.29, ""),
    (1, 0.66, 0.80, 0.36, 0.24, ""),
)


def _ellipse(x: Map, y: Map, place: tuple[float, float], reach: tuple[float, float]) -> Map:
    """Return the squared distance from `place` in units of `reach`."""
    u, v = (x - (place[0])) / (reach[0]), (y - (place[1]))
    v = v / (reach[1])
    out: Map = u * u + v * v
    return out


def _step(value: Map) -> Map:
    """Return a smooth step from 0 to 1 around 0, one unit wide."""
    t = np.clip(value + 0.5, 0, 1)
    out: Map = t * t * (3 - 2 * t)
    return out


def consolidation(anatomy: Anatomy, view: View, rng: np.random.Generator) -> Map:
    """Return the part of air replaced in pneumonia: one lobe, dense, with soft edges."""
    x, y = view.grid()
    side, cx, cy, rx, ry, fissure = _LOBES[rng.integers(len(_LOBES))]
    extent = rng.uniform(0.75, 1.1)
    place = (side * cx * anatomy.width * rng.normal(1, 0.06), cy * anatomy.height)
    reach = (rx * anatomy.width * extent, ry * anatomy.height * extent)
    rough = smooth_noise(rng, view.size, 3.0 / view.pixel)
    fine = smooth_noise(rng, view.size, 0.7 / view.pixel)
    field = _step((1 - _ellipse(x, y, place, reach)) * 0.55 + 0.27 * rough + 0.03 * fine)
    if fissure:
        sign = 1 if fissure == "low" else -1
        away = x - place[0]
        line = place[1] + sign * 0.62 * reach[1] + rng.normal(0.04, 0.06) * away + 0.012 * away**2
        field = field * _step(sign * (line - y) / rng.uniform(0.6, 1.8))
    dense = rng.uniform(0.4, 0.75)
    patchy = np.clip(1 + 0.08 * rough + 0.03 * fine, 0.5, 1.3)
    out: Map = np.clip(dense * field * patchy, 0, 0.95)
    return out


def ground_glass(anatomy: Anatomy, view: View, rng: np.random.Generator) -> Map:
    """Return the part of air replaced in COVID-19: faint patches, both sides, at the edge."""
    x, y = view.grid()
    out = np.zeros(view.size, np.float32)
    edge = cage_width(anatomy, y).astype(np.float32)
    for side in (-1, 1):
        for _ in range(rng.integers(2, 5)):
            height = rng.uniform(0.38, 0.92) * anatomy.height
            half = float(cage_width(anatomy, np.array(height)))
            place = (side * half * rng.uniform(0.72, 0.9), height)
            reach = (rng.uniform(1.6, 3.2), rng.uniform(1.8, 4.0))
            patch = np.exp(-1.2 * _ellipse(x, y, place, reach)) * rng.uniform(0.7, 1)
            out = np.maximum(out, patch) + 0.3 * np.minimum(out, patch)
    coarse = smooth_noise(rng, view.size, 1.6 / view.pixel)
    fine = smooth_noise(rng, view.size, 0.5 / view.pixel)
    peripheral = _step((np.abs(x) / edge - 0.52) / 0.35)
    haze = out * peripheral * np.clip(1 + 0.3 * coarse + 0.18 * fine, 0.2, 1.7)
    strength = rng.uniform(0.14, 0.31)
    faint: Map = np.clip(strength * haze, 0, 0.55)
    return faint


def _healthy(_anatomy: Anatomy, view: View, _rng: np.random.Generator) -> Map:
    return np.zeros(view.size, np.float32)


LESIONS: dict[str, Callable[[Anatomy, View, np.random.Generator], Map]] = {
    "covid": ground_glass,
    "normal": _healthy,
    "pneumonia": consolidation,
}


def lesion_outline(replaced: Map, clear: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where (H, W) bool more than a third of the lesion's strongest part is seen."""
    seen = blur(replaced, 1.5) * clear
    peak = float(seen.max())
    return np.asarray(seen > 0.33 * peak) if peak > 0 else np.zeros(seen.shape, bool)
