"""A beating heart in its short axis: sizes in mm, and how its walls move over one beat.

Angles are counted from the image's right, counter-clockwise as seen; the heart's own lie `turn`
behind. The walls are those of the middle of the ventricle in the model of 17 segments (Cerqueira
et al., Circulation 105:539, 2002, figure 3): six of 60 degrees, the septum towards the right
ventricle.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError

Vector = NDArray[np.float64]

HEART_SEGMENTS = {
    "anterior": 90.0, "anteroseptal": 150.0, "inferoseptal": 210.0,
    "inferior": 270.0, "inferolateral": 330.0, "anterolateral": 30.0,
}  # fmt: skip
LEAST, MOST = 0.15, 0.75  # ejection fractions of hearts that can be drawn
ANGLES: Vector = np.linspace(0, 2 * np.pi, 1440, endpoint=False)
_LENGTH = 1.7  # of the cavity over its diameter, at every phase
_CORE, _RIM = np.radians(10), np.radians(50)  # a segment's motion fades out around its border


@dataclass(frozen=True, slots=True)
class Heart:
    """One heart and the body around it; draw one with `draw_heart`.

    Attributes:
        radius: Mean radius of the left ventricle's cavity at end diastole, in mm.
        outline: Parts of the radius by which the cavity is not round: the cosine and sine of
            twice the angle, and of three times.
        wall: Thickness of the left ventricle's muscle at end diastole, in mm.
        contraction: Part of its squared radius that a healthy wall loses until end systole.
        segment: Wall that moves less, one of `HEART_SEGMENTS`; empty if none does.
        motion: Its motion over that of a healthy wall, in [0, 1]: 0 is akinetic, 1 healthy.
        turn: Angle by which the heart is turned, in radians.
        place: Where the cavity's middle lies, right of and below the image's, in mm.
        papillaries: Angle (radians) and radius (mm) of both papillary muscles.
        right: The right ventricle: its half-axes across and along the septum and the distance
            of its middle, all over the left one's outer radius, and the part of its half-axes
            that it loses until end systole.
        fat: Thickness of the fat around the heart, in mm.
        systole: Part of the beat until end systole.
        rate: Beats a minute.
        seed: Of the details of the body around it.
    """

    radius: float
    outline: tuple[float, float, float, float]
    wall: float
    contraction: float
    segment: str
    motion: float
    turn: float
    place: tuple[float, float]
    papillaries: tuple[tuple[float, float], tuple[float, float]]
    right: tuple[float, float, float, float]
    fat: float
    systole: float
    rate: float
    seed: int

    @property
    def ejection_fraction(self) -> float:
        """Part of the left ventricle's volume that a beat ejects, in [0, 1]."""
        full, emptied = cavity_volume(np.array([self.area(0.0), self.area(1.0)]))
        return float(1 - emptied / full)

    def cavity(self, contracted: float) -> Vector:
        """Return the left cavity's radius at `ANGLES`; `contracted` is 0 to 1."""
        return np.asarray(np.sqrt(self._relaxed() ** 2 - self.lost(contracted)))

    def outer(self, contracted: float) -> Vector:
        """Return the muscle's outer radius at `ANGLES`: its area is the same at any time."""
        return np.asarray(np.sqrt((self._relaxed() + self.wall) ** 2 - self.lost(contracted)))

    def lost(self, contracted: float) -> Vector:
        """Return by how much the squared radii at `ANGLES` are smaller than at end diastole."""
        return self.contraction * contracted * self._moving() * self._relaxed() ** 2

    def area(self, contracted: float) -> float:
        """Return the area of the left cavity, papillary muscles included, in mm²."""
        return float(np.pi * np.mean(self.cavity(contracted) ** 2))

    def _relaxed(self) -> Vector:
        a, b, c, d = self.outline
        lobes = a * np.cos(2 * ANGLES) + b * np.sin(2 * ANGLES)
        lobes += c * np.cos(3 * ANGLES) + d * np.sin(3 * ANGLES)
        return np.asarray(self.radius * (1 + lobes))

    def _moving(self) -> Vector:
        """Return the motion of the walls at `ANGLES` over a healthy one's."""
        if not self.segment:
            return np.ones_like(ANGLES)
        away = ANGLES - np.radians(HEART_SEGMENTS[self.segment])
        away = np.abs(np.angle(np.exp(1j * away)))
        fade = np.clip((away - _CORE) / (_RIM - _CORE), 0, 1)
        return np.asarray(1 - (1 - self.motion) * (0.5 + 0.5 * np.cos(np.pi * fade)))


def cavity_volume(area: Vector) -> Vector:
    """Return the left ventricle's volume in ml, from its cavity's area in the middle, in mm².

    Half an ellipsoid on a cylinder, V = 5/6 · area · length, which is 1.7 times the diameter at
    every phase: the volume grows as area ** 1.5. So an ejection fraction is read back from an
    image as 1 − (smallest area / largest area) ** 1.5.
    """
    diameter = 2 * np.sqrt(np.asarray(area, float) / np.pi)
    return np.asarray(5 / 6 * np.asarray(area, float) * _LENGTH * diameter / 1000)


def draw_heart(
    seed: int | np.random.Generator,
    *,
    ejection_fraction: float | None = None,
    segment: str = "",
    motion: float = 0.0,
) -> Heart:
    """Return a random heart; sizes scatter as in adults, and weak hearts are larger.

    Args:
        seed: Of all that is random, or where it comes from.
        ejection_fraction: Of the whole ventricle, 0.15 to 0.75: if a wall moves less, the others
            move more. If None, that of a heart with healthy walls is drawn, and a wall that moves
            less lowers it.
        segment: Wall that moves less, one of `HEART_SEGMENTS`; none if empty.
        motion: Its motion over that of a healthy wall: 0 (akinetic) to 1.

    Raises:
        UserError: An argument is not one of the above.
    """
    _check(ejection_fraction, segment, motion)
    rng = np.random.default_rng(seed)
    drawn = float(rng.uniform(LEAST, MOST))
    wanted = drawn if ejection_fraction is None else float(ejection_fraction)
    healthy = _random_heart(rng, wanted)
    sick = replace(healthy, segment=segment, motion=float(motion) if segment else 1.0)
    if ejection_fraction is None:
        return sick
    # Areas are linear in the contraction, so what the sick wall doesn't do is known exactly.
    share = np.mean(sick.lost(1.0)) / np.mean(healthy.lost(1.0))
    return replace(sick, contraction=float(healthy.contraction / share))


def beat(num_frames: int, systole: float) -> Vector:
    """Return how far the heart is contracted, 0 to 1, in each of `num_frames` of one beat.

    The first frame is at end diastole, and one is at end systole. Filling is fast at first, rests,
    and ends with the atria's part; the frame after the last one would be the first.
    """
    last = min(max(round(systole * num_frames), 1), num_frames - 1)
    frames = np.arange(num_frames)
    emptying = 0.5 - 0.5 * np.cos(np.pi * frames / last)
    u = (frames - last) / (num_frames - last)
    filled = 0.72 * _ease(u / 0.5) + 0.28 * _ease((u - 0.65) / 0.35)
    return np.where(frames <= last, emptying, 1 - filled)


def _ease(x: Vector) -> Vector:
    """Return a smooth step from 0 at 0 to 1 at 1."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def _random_heart(rng: np.random.Generator, ejection_fraction: float) -> Heart:
    """Return a heart with healthy walls."""
    radius = float((28.0 - 6.5 * ejection_fraction) * np.clip(rng.normal(1, 0.06), 0.86, 1.14))
    return Heart(
        radius=radius,
        outline=tuple(rng.normal(0, (0.02, 0.02, 0.01, 0.01)).tolist()),
        wall=float(rng.uniform(7.5, 10.5)),
        # V goes as the area ** 1.5, and the area as 1 − contraction.
        contraction=1 - (1 - ejection_fraction) ** (2 / 3),
        segment="",
        motion=1.0,
        turn=float(rng.normal(-0.25, 0.12)),
        place=(float(rng.normal(10, 3)), float(rng.normal(4, 3))),
        papillaries=(
            (float(rng.normal(0.5, 0.12)), float(rng.uniform(0.15, 0.2) * radius)),
            (float(rng.normal(4.4, 0.12)), float(rng.uniform(0.15, 0.2) * radius)),
        ),
        right=(
            float(rng.uniform(0.68, 0.8)),
            float(rng.uniform(0.95, 1.08)),
            float(rng.uniform(0.85, 0.95)),
            float(np.clip(0.35 * ejection_fraction + rng.normal(0.02, 0.02), 0.04, 0.3)),
        ),
        fat=float(rng.uniform(2.0, 5.0)),
        systole=float(rng.uniform(0.34, 0.42)),
        rate=float(rng.uniform(52, 92)),
        seed=int(rng.integers(2**32)),
    )


def _check(ejection_fraction: float | None, segment: str, motion: float) -> None:
    """Refuse what `draw_heart` can't draw."""
    if ejection_fraction is not None and not LEAST <= ejection_fraction <= MOST:
        raise UserError(
            f"ejection_fraction must be {LEAST:g} to {MOST:g}, got {ejection_fraction:g}"
        )
    if segment and segment not in HEART_SEGMENTS:
        raise UserError(f"segment must be one of {', '.join(HEART_SEGMENTS)}, got {segment!r}")
    if not 0 <= motion <= 1:
        raise UserError(f"motion must be 0 to 1, got {motion:g}")
