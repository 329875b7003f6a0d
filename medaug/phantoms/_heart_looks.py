"""How a scanner shows the heart: four looks, each simple, each easily told from the others."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ._heart_shapes import Body, Grid, Parts, Plane
from ._raster import smooth_noise

Render = Callable[[Parts, float], Plane]
"""Makes one frame in [0, 1] of its parts, and of the part of the beat that has gone by."""
Start = Callable[[Body, Grid, np.random.Generator, float], Render]
"""Begins a sequence: the body, the pixels, all that is random, and how strong the noise is."""

_COMPLEX = NDArray[np.complex64]

# Balanced steady-state free precession: blood and fat are bright; parts of the full scale.
_MRI = {
    "air": 0.015, "fat": 0.78, "muscle": 0.24, "ribs": 0.34, "lung": 0.045, "liver": 0.36,
    "stomach": 0.22, "around": 0.68, "right_wall": 0.28, "right": 0.82, "heart": 0.26,
    "cavity": 0.86, "papillaries": 0.26,
}  # fmt: skip
# Hounsfield units in the arterial phase: the left side's blood is the brightest.
_CT = {
    "air": -1000, "fat": -100, "muscle": 55, "ribs": 420, "lung": -850, "liver": 95, "stomach": 25,
    "around": -90, "right_wall": 100, "right": 250, "heart": 110, "cavity": 390, "papillaries": 115,
}  # fmt: skip
_CT_WINDOW = (-180.0, 520.0)  # shown as black and white
# Mean echo on a logarithmic scale, parts of the dynamic range: blood is black.
_ECHO = {
    "air": 0.42, "fat": 0.5, "muscle": 0.46, "ribs": 0.52, "lung": 0.3, "liver": 0.44,
    "stomach": 0.36, "around": 0.66, "right_wall": 0.46, "right": 0.02, "heart": 0.45,
    "cavity": 0.01, "papillaries": 0.56,
}  # fmt: skip
_ECHO_RANGE = 60.0  # dB
_RAYLEIGH_DB = 2.507  # 10·γ/ln 10: by how much the mean of its logarithm lies below its power's
_SECTOR, _MARGIN = 0.78, 4.0  # half of the opening in radians; mm from image to transducer
_CELL = (1.7, 0.034)  # of the speckle: mm along a beam, radians across


def _still(body: Body, values: dict[str, float]) -> Plane:
    """Paint what doesn't move."""
    image = np.full(body.lung.shape, values["air"], np.float32)
    for cover, name in (
        (body.inside, "fat"), (body.muscle, "muscle"), (body.ribs, "ribs"), (body.lung, "lung"),
    ):  # fmt: skip
        image += cover * (np.float32(values[name]) - image)
    return image


def _paint(still: Plane, body: Body, parts: Parts, values: dict[str, float]) -> Plane:
    """Paint what moves on a copy of what doesn't."""
    image = still.copy()
    for cover, name in (
        (parts.liver * body.lung, "liver"), (parts.stomach * body.lung, "stomach"),
        (parts.fat * body.lung, "around"), (parts.right_wall, "right_wall"),
        (parts.right, "right"), (parts.heart, "heart"), (parts.cavity, "cavity"),
        (parts.papillaries, "papillaries"),
    ):  # fmt: skip
        image += cover * (np.float32(values[name]) - image)
    return image


def _soften(image: Plane, part: float) -> Plane:
    """Return the image with `part` of each pixel's value in either neighbour, rows and columns."""
    p = np.float32(part)
    for axis in (0, 1):
        padded = np.pad(image, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        ahead, behind = (padded[2:], padded[:-2]) if axis == 0 else (padded[:, 2:], padded[:, :-2])
        image = image + p * (ahead + behind - 2 * image)
    return image


def _softened_deviation(part: float) -> float:
    """Return the deviation of softened white noise of deviation 1."""
    return (1 - 2 * part) ** 2 + 2 * part**2


def _varied(
    values: Mapping[str, float], rng: np.random.Generator, scale: float
) -> dict[str, float]:
    """Return the values of one patient."""
    return {k: v * (1 + scale * float(rng.uniform(-1, 1))) for k, v in values.items()}


def start_mri(body: Body, grid: Grid, rng: np.random.Generator, noise: float) -> Render:
    """Begin a bright-blood magnetic resonance sequence: coil shading and Rician noise.

    Rician noise is what the magnitude of a complex signal has (Gudbjartsson and Patz, Magn Reson
    Med 34:910, 1995).
    """
    values = _varied(_MRI, rng, 0.07)
    sigma = np.float32(noise * rng.uniform(0.018, 0.035))
    texture = smooth_noise(rng, body.lung.shape, 6.0 / grid.pixel).astype(np.float32)
    still = _still(body, values) * (1 + np.float32(0.07) * texture)
    # Surface coils lie in front: signal falls towards the back.
    far = (grid.y + np.float32(0.35) * grid.x) / np.float32(grid.width)
    coils = np.float32(0.95) - np.float32(rng.uniform(0.2, 0.4)) * far

    def render(parts: Parts, _: float) -> Plane:
        signal = _soften(_paint(still, body, parts, values), 0.14) * coils
        real = signal + sigma * rng.standard_normal(signal.shape, dtype=np.float32)
        imaginary = sigma * rng.standard_normal(signal.shape, dtype=np.float32)
        return np.asarray(np.hypot(real, imaginary))

    return render


def start_ct(body: Body, grid: Grid, rng: np.random.Generator, noise: float) -> Render:
    """Begin a computed tomography with contrast agent: a window on HU, coarse-grained noise."""
    values = _varied(_CT, rng, 0.08)
    sigma = noise * rng.uniform(14, 28)
    texture = smooth_noise(rng, body.lung.shape, 5.0 / grid.pixel).astype(np.float32)
    still = _still(body, values) + 10 * texture
    low, high = _CT_WINDOW
    grain = np.float32(sigma / _softened_deviation(0.2))

    def render(parts: Parts, _: float) -> Plane:
        units = _soften(_paint(still, body, parts, values), 0.1)
        white = rng.standard_normal(units.shape, dtype=np.float32)
        units = units + grain * _soften(white, 0.2)
        return (units - np.float32(low)) / np.float32(high - low)

    return render


class _Beams:
    """A sector of ultrasound beams from the top of the image, and the speckle along them."""

    def __init__(self, grid: Grid, rng: np.random.Generator) -> None:
        self.top = np.float32(-grid.width / 2 - _MARGIN)
        self.depth, self.angle = self._polar(grid.x, grid.y)
        inside = np.minimum(_SECTOR - np.abs(self.angle), 0.2) * self.depth
        inside = np.minimum(inside, grid.width - self.depth)
        inside = np.minimum(inside, self.depth - np.float32(_MARGIN + 1.5))
        self.cover = grid.cover(inside)
        shape = (int(1.5 * grid.width / _CELL[0]) + 2, int(3.2 / _CELL[1]) + 2)
        self._fields = [self._field(rng, shape) for _ in range(3)]

    @staticmethod
    def _field(rng: np.random.Generator, shape: tuple[int, int]) -> _COMPLEX:
        parts = rng.standard_normal((2, *shape), dtype=np.float32)
        return np.asarray((parts[0] + 1j * parts[1]) / np.sqrt(2), np.complex64)

    def _polar(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        down = y - self.top
        return np.sqrt(x * x + down * down), np.arctan2(x, np.maximum(down, np.float32(1e-3)))

    def speckle(self, material: tuple[Plane, Plane], phase: float) -> Plane:
        """Return the amplitude (H, W), of mean square 1: it moves with the tissue.

        A little of it changes over the beat, as tissue moves through the plane, and comes back.
        """
        depth, angle = self._polar(*material)
        turn, change = 2 * np.pi * phase, 0.3
        first, cosine, sine = self._fields
        field = first + change * (np.cos(turn) * cosine + np.sin(turn) * sine)
        seen = _between(field, depth / _CELL[0], (angle + np.float32(1.6)) / _CELL[1])
        return np.asarray(np.abs(seen) / np.sqrt(1 + change**2), np.float32)


def _between(field: NDArray[np.complexfloating], row: Plane, column: Plane) -> _COMPLEX:
    """Return white noise between its nodes, of the same variance everywhere."""
    height, width = field.shape
    i = np.clip(row.astype(np.intp), 0, height - 2)
    j = np.clip(column.astype(np.intp), 0, width - 2)
    u, v = np.clip(row - i, 0, 1), np.clip(column - j, 0, 1)
    flat, at = field.astype(np.complex64).ravel(), i * width + j
    seen = (1 - u) * ((1 - v) * flat[at] + v * flat[at + 1])
    seen += u * ((1 - v) * flat[at + width] + v * flat[at + width + 1])
    weights = ((1 - u) ** 2 + u**2) * ((1 - v) ** 2 + v**2)
    return np.asarray(seen / np.sqrt(weights), np.complex64)


def start_ultrasound(body: Body, grid: Grid, rng: np.random.Generator, noise: float) -> Render:
    """Begin an echocardiogram: a sector, fully developed speckle (Rayleigh), log compression."""
    values = _varied(_ECHO, rng, 0.06)
    beams = _Beams(grid, rng)
    # Amplification makes up for attenuation, but not wholly.
    weaker = np.float32(rng.uniform(0.06, 0.16)) * (beams.depth / np.float32(grid.width))
    still = _still(body, values) - weaker
    scale = np.float32(noise / _ECHO_RANGE)

    def render(parts: Parts, phase: float) -> Plane:
        level = _soften(_paint(still, body, parts, values), 0.2)
        if noise:
            amplitude = np.maximum(beams.speckle(parts.material, phase), np.float32(1e-3))
            level = level + scale * (20 * np.log10(amplitude) + np.float32(_RAYLEIGH_DB))
        return np.clip(level, 0, 1) * beams.cover

    return render


def _shadows(body: Body, grid: Grid, rng: np.random.Generator) -> Plane:
    """Return the optical thickness of what stands still: ribs before and behind, the spine."""
    dense = 0.28 + 0.8 * np.exp(-(((grid.x / grid.width + np.float32(0.62)) / 0.2) ** 2))
    dense = dense + 0.04 * smooth_noise(rng, body.lung.shape, 14.0 / grid.pixel)
    across = grid.x / grid.width
    for slope, bend, pitch in ((-14.0, 40.0, 27.0), (26.0, -30.0, 31.0)):
        way = grid.y + np.float32(slope * rng.uniform(0.7, 1.3)) * across
        way = way + np.float32(bend) * across * across + np.float32(rng.uniform(0, pitch))
        ridge = np.cos(way * np.float32(2 * np.pi / pitch))
        dense = dense + 0.11 / (1 + np.exp(-(ridge - np.float32(0.5)) * 9))
    return np.asarray(dense, np.float32)


def start_xray(body: Body, grid: Grid, rng: np.random.Generator, noise: float) -> Render:
    """Begin an X-ray ventriculogram: everything in the beam adds up, contrast agent is dark.

    Optical thickness by Beer–Lambert's law; of a shadow only what lies in this plane is drawn.
    """
    photons = rng.uniform(1500, 4000)
    iodine = rng.uniform(1.0, 1.4)
    still = _shadows(body, grid, rng)

    def render(parts: Parts, _: float) -> Plane:
        shadow = np.maximum(0.5 * parts.ball, 0.35 * parts.right_wall)
        dense = still + np.maximum(0.7 * parts.liver - 0.25 * parts.stomach, shadow)
        dense += 0.22 * parts.right * (1 - parts.heart)
        dense += iodine * parts.dome * (1 - 0.55 * parts.papillaries)
        light = _soften(_soften(np.exp(-dense, dtype=np.float32), 0.2), 0.2)
        white = rng.standard_normal(light.shape, dtype=np.float32)
        light = light + white * np.sqrt(light) * np.float32(noise / np.sqrt(photons))
        return np.float32(0.02) + np.float32(1.1) * light

    return render


LOOKS: dict[str, Start] = {
    "ct": start_ct,
    "mri": start_mri,
    "ultrasound": start_ultrasound,
    "xray": start_xray,
}
