"""Bones: one map (H, W) of cm of cortical bone along the beam."""

import numpy as np

from ._anatomy import Anatomy, Vector, View
from ._raster import Map, blur
from ._thorax import cage_depth, cage_width
from ._tubes import tube

# Places (x, y) in cm for a half width of 16.4 cm at the shoulders, radii in cm.
_CLAVICLE = ((1.9, 3.6), (3.4, 3.2), (6.2, 2.1), (9.5, 0.9), (12.6, 0.4), (14.6, 0.7), (16.0, 0.9))
_CLAVICLE_RADII = (0.95, 0.72, 0.55, 0.52, 0.6, 0.72, 0.6)
_UPPER_ARM = ((15.7, 3.4), (16.4, 5.2), (17.5, 11), (18.3, 24), (18.7, 36))
_UPPER_ARM_RADII = (1.9, 1.45, 1.15, 1.1, 1.1)
_Path = tuple[tuple[float, float], ...]
# Points, radii, thickness along the beam over that of a round tube, and its hollow part.
_SHOULDER: tuple[tuple[_Path, tuple[float, ...], float, float], ...] = (
    (((15.4, 2.6), (15.7, 3.5)), (2.1, 2.1), 0.6, 0.0),  # head of the upper arm
    (((14.0, 3.2), (14.0, 4.9)), (0.7, 0.7), 0.35, 0.0),  # its socket
    (  # the shoulder blade's outer border
        ((14.2, 4.4), (14.0, 6.0), (13.6, 8.5), (12.6, 11.2), (11.8, 13.2)),
        (0.75, 0.5, 0.38, 0.32, 0.2), 1.3, 0.5,
    ),
    (  # its inner border
        ((9.6, 1.5), (9.0, 4.0), (9.6, 8.0), (10.6, 11.5), (11.4, 13.2)),
        (0.18, 0.18, 0.18, 0.18, 0.18), 0.9, 0.0,
    ),
    # its spine
    (((9.4, 4.2), (12, 2.6), (14.5, 0.8), (16.4, 0.2)), (0.3, 0.4, 0.5, 0.6), 0.6, 0.0),
)  # fmt: skip


def _rib(anatomy: Anatomy, view: View, number: int, side: int, wobble: Vector) -> Vector:
    """Return places (N, 3) along a rib: back, side and front of the rib cage's ellipse."""
    last = np.radians(np.interp(number, [1, 2, 7, 10, 12], [152, 150, 142, 122, 78]))
    angle = np.linspace(np.radians(9), last, 16)
    head = 0.3 + anatomy.rib_pitch * (number - 1) - 0.1 * wobble[0]
    fall = np.interp(number, [1, 2, 4, 8, 12], [4.6, 6.2, 8.6, 10.6, 8.0]) * anatomy.rib_slope
    part = angle / np.pi
    y = head + (fall + 0.3 * wobble[1]) * (part**1.25 - 0.09 * np.sin(2 * angle))
    y = y + 0.35 * view.breath * part**2
    where = head + 0.42 * fall
    width = (cage_width(anatomy, np.array(where)) + 0.25) * (1 + 0.012 * view.breath)
    if number <= 2:
        width = width * (0.80, 0.93)[number - 1]
    depth = cage_depth(anatomy, np.array(where))
    z = -depth * np.cos(angle)
    x = side * width * np.sin(angle) ** 0.92 + view.turn * z
    return np.stack([x, y, z], axis=1)


def _ribs(canvas: Map, anatomy: Anatomy, view: View, rng: np.random.Generator) -> None:
    """Draw twelve pairs of ribs: cortex brighter at their borders."""
    for number in range(1, 13):
        for side in (-1, 1):
            points = _rib(anatomy, view, number, side, rng.normal(size=2))
            radii = np.linspace(0.56, 0.72, len(points)) * rng.normal(1, 0.05)
            radii = radii * (0.85 if number in (1, 11, 12) else 1.0)
            radii[:2] *= 1.1
            tube(canvas, view, points, radii, flat=0.62)
            tube(canvas, view, points, radii * 0.84, flat=-0.48)
    # Where a rib runs along the beam, its flat side faces sideways.
    np.minimum(canvas, 1.2, out=canvas)


def _spine(canvas: Map, anatomy: Anatomy, view: View) -> None:
    """Draw vertebrae: bodies with end plates, pedicles, spinous and transverse processes."""
    x, y = view.grid()
    bend = anatomy.scoliosis * np.sin((y - 4) / 7)
    u = np.abs(x - bend - (-4 * view.turn))
    pitch = np.interp(y, [-12, 0, 24], [0.80, 0.97, 1.14]) * anatomy.rib_pitch
    phase = np.cumsum(np.full_like(y, view.pixel) / pitch, axis=0)
    v = (np.mod(phase - phase[np.abs(y).argmin()] + 0.15, 1) - 0.5).astype(np.float32) * 2
    half = np.interp(y, [-12, 0, 12, 30], [1.2, 1.45, 1.6, 2.2]).astype(np.float32)
    inside = 1 / (1 + np.exp(np.clip((u - half * (1 + 0.1 * v * v)) * 9, -30, 30)))
    body = inside * (0.42 + 0.25 * np.exp(-(((np.abs(v) - 0.8) / 0.09) ** 2)))
    body *= 1 - 0.5 * (np.abs(v) > 0.88)
    ring = np.hypot((u - 0.62 * half) / 0.36, (v + 0.25) / 0.34)
    pedicle = 0.2 * np.exp(-(((ring - 1) / 0.35) ** 2))
    process = 0.45 * np.exp(-((u / 0.22) ** 2) - ((v - 0.55) / 0.4) ** 2)
    across = (
        0.3
        * np.exp(-(((v + 0.3) / 0.3) ** 2))
        / (1 + np.exp(np.clip((u - half - 1.2) * 5, -30, 30)))
    )
    canvas += (body + pedicle + process + across).astype(np.float32)


def _girdle(canvas: Map, anatomy: Anatomy, view: View, rng: np.random.Generator) -> None:
    """Draw clavicles, shoulder blades and upper arms on both sides."""
    wide = (anatomy.width + anatomy.wall) / 16.4
    for side in (-1, 1):
        lift = anatomy.shoulder + rng.normal(0, 0.35)
        for points, radii, flat, hollow in _SHOULDER:
            places = np.array(points) * (side * wide, 1) + (0, lift)
            tube(canvas, view, places, np.array(radii), flat=flat, hollow=hollow)
        # The inner end stays at the breastbone, which moves when the patient turns.
        clavicle = np.array(_CLAVICLE) * (side * wide, 1)
        inner = np.linspace(1, 0, len(clavicle))
        clavicle[:, 0] += 4 * view.turn * inner
        clavicle[:, 1] += lift * (1 - 0.8 * inner)
        tube(canvas, view, clavicle, np.array(_CLAVICLE_RADII), flat=1.4, hollow=0.7)
        shaft = np.array(_UPPER_ARM)
        shaft[:, 0] += view.arms * np.array([0, 0, 0.13, 0.6, 1.0])
        shaft = shaft * (side * wide, 1) + (0, lift)
        tube(canvas, view, shaft, np.array(_UPPER_ARM_RADII), flat=0.8, hollow=0.6)


def skeleton(anatomy: Anatomy, view: View) -> Map:
    """Return the bones of `anatomy` as `view` sees them, in cm of cortical bone."""
    rng = np.random.default_rng(np.random.SeedSequence([anatomy.seed, 1]))
    canvas = np.zeros(view.size, np.float32)
    _ribs(canvas, anatomy, view, rng)
    _spine(canvas, anatomy, view)
    _girdle(canvas, anatomy, view, rng)
    return blur(canvas, 0.05 / view.pixel + 0.2) * anatomy.bone
