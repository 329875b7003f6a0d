"""Soft parts: thickness maps, in cm along the beam, of body, lungs, heart and abdomen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._anatomy import Anatomy, View
from ._raster import Map, blur
from ._tubes import tube

# Heights below the tops of the lungs, for a lung of 20 cm, and half widths or depths there.
_CAGE = ((-0.3, 4.6), (0.5, 6.6), (1.5, 8.2), (3, 9.9), (6, 11.8), (10, 13.1), (15, 13.9),
         (20, 14.2), (27, 13.6), (36, 13.0))  # fmt: skip
_CAGE_DEPTH = ((-0.5, 3.2), (2, 5.4), (6, 7.6), (11, 9.0), (17, 9.4), (30, 9.4))
_BODY = ((-14, 6.0), (-6, 5.9), (-4.5, 6.4), (-3.2, 8.0), (-2.2, 10.6), (-1.2, 13.4), (0, 15.6),
         (2, 16.8), (8, 16.6), (16, 16.6), (24, 16.0), (36, 15.6))  # fmt: skip
_BODY_DEPTH = (
    (-14, 6.2),
    (-6, 6.4),
    (-3, 8.4),
    (0, 10.0),
    (3, 10.8),
    (8, 11.0),
    (18, 11.2),
    (36, 11),
)
_MIDDLE_RIGHT = ((-6, 3.4), (0, 3.3), (2, 2.8), (5, 2.5), (8, 2.6), (11, 2.9), (14, 2.6), (20, 2.3))
_MIDDLE_LEFT = ((-6, 3.4), (0, 3.4), (2, 2.9), (5, 2.6), (8, 2.9), (10, 3.4), (13, 2.8), (20, 2.4))
# Radii of the heart's outline from its middle, every 30° from the apex clockwise on the film.
_HEART = (1.2, 1.08, 0.94, 0.9, 0.96, 1.02, 0.97, 0.98, 1.0, 0.92, 0.9, 1.04)


@dataclass(frozen=True, slots=True)
class SoftParts:
    """Thickness maps (H, W) in cm, and where (bool) the lungs are seen clear of the heart."""

    body: Map
    lung: Map
    air: Map
    fat: Map
    clear: NDArray[np.bool_]


def profile(knots: tuple[tuple[float, float], ...], y: Map, *, stretch: float = 1.0) -> Map:
    """Return the values of smooth curve through `knots` (height, value) at `y`."""
    heights, values = np.array(knots, float).T
    fine = np.arange(-20, 60, 0.1)
    window = np.hanning(27)[1:-1]
    bent = np.interp(fine, heights, values)
    smooth = np.convolve(np.pad(bent, 12, mode="edge"), window / window.sum(), mode="valid")
    out: Map = np.interp(y / stretch, fine, smooth).astype(np.float32)
    return out


def cage_width(anatomy: Anatomy, y: Map) -> Map:
    """Return half of the rib cage's inner width at the heights `y`."""
    return profile(_CAGE, y, stretch=anatomy.height / 20) * anatomy.width / 14


def cage_depth(anatomy: Anatomy, y: Map) -> Map:
    """Return half of the rib cage's inner depth at the heights `y`."""
    return profile(_CAGE_DEPTH, y, stretch=anatomy.height / 20) * anatomy.depth / 9.2


def _root(square: Map) -> Map:
    """Return the half chord of a unit circle whose 1 − ρ² is given, 0 outside."""
    out: Map = np.sqrt(np.maximum(square, 0))
    return out


def _arm(anatomy: Anatomy, view: View, x: Map, y: Map, scale: float) -> Map:
    """Return the thickness of the arm at positive `x`, round at the shoulder."""
    down = np.maximum(y - (anatomy.shoulder - 0.6), 0)
    radius = (3.9 + 0.45 * anatomy.wall) * (1 - 0.008 * down)
    cap = np.clip(1 - down / radius, 0, 1)
    radius = radius * _root(1 - cap * cap)
    reach = 15.2 * scale + np.clip(0.22 * down, 0, 3.0) + view.arms * (down / 25) ** 1.3
    u = (x - reach) / np.maximum(radius, 0.1)
    out: Map = 2 * radius * _root(1 - u * u)
    return out


def _body(anatomy: Anatomy, view: View, x: Map, y: Map) -> Map:
    """Return the thickness of trunk, neck and arms."""
    scale = (anatomy.width + anatomy.wall) / 16.4
    y1 = y - anatomy.shoulder * np.exp(-(((y + 1) / 4) ** 2))
    half = profile(_BODY, y1)
    half = half * (1 + (scale - 1) * np.clip((y + 6) / 8, 0.3, 1))
    deep = profile(_BODY_DEPTH, y) * (anatomy.depth + 0.6 * anatomy.wall) / 10.8
    cubed = (x / half) ** 2 * (x / half)
    trunk: Map = 2 * deep * _root(1 - cubed * cubed)
    arms = [_arm(anatomy, view, side * x, y, scale) for side in (-1, 1)]
    for arm in arms:
        trunk = np.maximum(trunk, arm) + 0.4 * np.minimum(trunk, arm)
    return trunk


def _breasts(anatomy: Anatomy, x: Map, y: Map) -> Map:
    """Return the thickness of the breasts: sharp below, fading upwards."""
    if not anatomy.breast:
        return np.zeros_like(x)
    low = anatomy.height * 0.98 + anatomy.breast * 0.7
    u = (np.abs(x) - anatomy.width * 0.66) / (5.2 + 0.5 * anatomy.breast)
    v = (y - low + 4.2) / np.where(y > low - 4.2, np.float32(4.2), np.float32(8.0))
    return 1.25 * anatomy.breast * _root(1 - u * u - v * v)


def heart_centre(anatomy: Anatomy) -> tuple[float, float]:
    """Return the place (x, y) of the middle of the heart."""
    return 0.32 * anatomy.heart_size, 0.815 * anatomy.height


def _heart(anatomy: Anatomy, view: View, x: Map, y: Map, cage: Map) -> Map:
    """Return which part of the cage's depth the heart fills; its apex is at the patient's left."""
    cx, cy = heart_centre(anatomy)
    cx += 3 * view.turn
    dx, dy = x - cx, y - (cy + 0.8 * view.breath)
    angle = (np.arctan2(dy, dx) - anatomy.heart_turn) * (6 / np.pi)
    harmonics = np.fft.rfft(np.array(_HEART)) / len(_HEART)
    fine = np.arange(361) * (12 / 360)
    outline = harmonics[0].real + 2 * sum(
        (harmonics[k] * np.exp(2j * np.pi * k * fine / 12)).real for k in range(1, 5)
    )
    radius = np.interp(np.mod(angle, 12).ravel(), fine, outline).astype(np.float32)
    radius = radius.reshape(angle.shape) * (anatomy.heart_size * 1.03)
    square = 1 - (dx * dx + dy * dy) / (radius * radius)
    thick = 1.1 * anatomy.heart_size * _root(square)
    return np.minimum(thick / np.maximum(cage, 1), 0.92)


def _abdomen(anatomy: Anatomy, view: View, x: Map, y: Map, cage: Map) -> tuple[Map, Map]:
    """Return the abdomen's thickness inside the rib cage, and its height above the domes."""
    dome = anatomy.height + view.breath + anatomy.dome_difference * (0.5 + 0.5 * np.tanh(x / 3))
    middle = 0.47 * anatomy.width
    u = (np.abs(x) - middle) / (0.66 * anatomy.width)
    below = (y - dome) / 5.2 - u * u * np.where(u > 0, np.float32(1.05), np.float32(0.35))
    half = 1.8 * anatomy.depth * _root(below)
    front = 0.25 * anatomy.depth
    inside = np.minimum(front + half, cage) - np.maximum(front - half, -cage)
    return np.clip(inside, 0, 2 * cage) * (half > 0), below


def _middle(anatomy: Anatomy, view: View, x: Map, y: Map, cage: Map) -> Map:
    """Return which part of the rib cage great vessels and the tissue around the spine fill."""
    stretch = anatomy.height / 20
    right = profile(_MIDDLE_RIGHT, y, stretch=stretch)
    left = profile(_MIDDLE_LEFT, y, stretch=stretch)
    shift = 4 * view.turn
    edge = np.where(x < shift, right, left) * (anatomy.width / 14)
    across = (x - shift) / edge
    # Lower down, the heart fills the front, and only spine and gullet stand behind it.
    full = profile(((-5, 0.93), (6, 0.93), (17, 0.6), (40, 0.6)), y, stretch=stretch)
    out: Map = full * _root(1 - np.abs(across * across * across))
    arch = np.array([(-1.2, 7.6, 5), (-0.6, 6.2, 3), (0.9, 5.2, 0), (2.4, 5.4, -3),
                     (2.7, 7.0, -4.5), (2.3, 11, -5), (1.6, 16, -5), (1.0, 22, -4.5)])  # fmt: skip
    arch[:, 1] *= stretch
    arch[:, 0] += view.turn * arch[:, 2]
    aorta = np.zeros_like(x)
    tube(aorta, view, arch, np.full(len(arch), anatomy.aorta), flat=1.0)
    part: Map = np.minimum(aorta, 7) / np.maximum(1.4 * cage, 8.5)
    return 1 - (1 - out) * (1 - part)


def _windpipe(anatomy: Anatomy, view: View, x: Map) -> Map:
    """Return the thickness of the air in the trachea and the main bronchi."""
    fork = 0.37 * anatomy.height
    shift = 3 * view.turn
    air = np.zeros_like(x)
    for path, radius in (
        ([(0, -16), (0, -6), (0.1, 0), (-0.2, fork * 0.6), (-0.1, fork)], 0.78),
        ([(-0.1, fork - 0.4), (-1.4, fork + 1.3), (-3.4, fork + 3.0)], 0.6),
        ([(-0.1, fork - 0.4), (1.8, fork + 1.2), (4.0, fork + 2.2)], 0.52),
    ):
        points = np.array(path, float)
        points[:, 0] += shift
        tube(air, view, points, np.full(len(points), radius), flat=1.0)
    return np.minimum(air, 1.7)


def _stomach(anatomy: Anatomy, view: View, x: Map, y: Map) -> Map:
    """Return the thickness of the gas under the left dome, level below."""
    if not anatomy.stomach:
        return np.zeros_like(x)
    r = anatomy.stomach
    top = anatomy.height + view.breath + anatomy.dome_difference + 0.9
    u = (x - (0.45 * anatomy.width)) / (1.5 * r)
    v = (y - (top + anatomy.stomach)) / r
    level = 1 / (1 + np.exp(np.clip((v - 0.35) * 9, -30, 30)))
    out: Map = 1.6 * r * _root(1 - u * u - v * v) * level
    return out


def soft_parts(anatomy: Anatomy, view: View) -> SoftParts:
    """Return the thickness maps of the soft parts of `anatomy` as `view` sees them."""
    x, y = view.grid()
    body = _body(anatomy, view, x, y)
    breathing = 1 + 0.012 * view.breath
    across = x / (cage_width(anatomy, y) * breathing)
    inward = np.minimum(np.abs(x) - 0.36 * anatomy.width, 0)
    apex = (y - 0.16 * inward * inward) / 3.2
    apex = np.clip(apex, 0, 1)
    cage = cage_depth(anatomy, y) * _root(1 - np.abs(across * across * across))
    cage = cage * np.sqrt(apex * (2 - apex))
    abdomen, below = _abdomen(anatomy, view, x, y, cage)
    heart = _heart(anatomy, view, x, y, cage)
    middle = _middle(anatomy, view, x, y, cage)
    # Heart, vessels and diaphragm move a little during the exposure.
    lung = np.maximum(2 * cage * (1 - heart) * (1 - middle) - abdomen, 0)
    lung = blur(lung, 0.09 / view.pixel)
    clear = (cage > 1.2) & (heart < 0.1) & (middle < 0.1) & (below < 0)
    fat = _breasts(anatomy, x, y)
    air = _windpipe(anatomy, view, x) + _stomach(anatomy, view, x, y)
    return SoftParts(body=body, lung=lung, air=air, fat=fat, clear=clear)
