"""The parts of a chest in a plane across the heart: how much of each pixel they cover."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._heart import ANGLES, Heart

Plane = NDArray[np.float32]  # (H, W), or to be broadcast to it
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels lie: mm right of and below the image's middle.

    Attributes:
        x: (1, W).
        y: (H, 1).
        pixel: Side of a pixel in mm.
        width: Side of the image in mm.
    """

    x: Plane
    y: Plane
    pixel: float
    width: float

    def cover(self, depth: Plane) -> Plane:
        """Return how much of each pixel lies inside, from how deep its middle does, in mm."""
        return np.asarray(np.clip(depth / np.float32(self.pixel) + np.float32(0.5), 0, 1))


@dataclass(frozen=True, slots=True)
class Body:
    """What stands still: parts of each pixel, (H, W) in [0, 1].

    Attributes:
        inside: The body, without the air around it.
        muscle: The wall of the chest below the fat.
        ribs: The bones in it.
        lung: All within the wall.
        skin: Distance from the skin into the body, in mm.
    """

    inside: Plane
    muscle: Plane
    ribs: Plane
    lung: Plane
    skin: Plane


@dataclass(frozen=True, slots=True)
class Parts:
    """What moves, in one frame: parts of each pixel, (H, W) in [0, 1].

    Attributes:
        liver: Below the diaphragm.
        stomach: Its left part, instead of the liver.
        fat: The heart with the fat around it.
        right_wall: The right ventricle with its wall.
        right: The right ventricle's cavity.
        heart: The left ventricle with its muscle.
        cavity: The left ventricle's cavity, papillary muscles included.
        papillaries: The papillary muscles, within the cavity.
        dome: How thick the cavity is along a ray through the image, 1 in its middle.
        ball: The same of the left ventricle with its muscle.
        material: Where the tissue at each pixel lies at end diastole without breathing: x and y
            in mm.
    """

    liver: Plane
    stomach: Plane
    fat: Plane
    right_wall: Plane
    right: Plane
    heart: Plane
    cavity: Plane
    papillaries: Plane
    dome: Plane
    ball: Plane
    material: tuple[Plane, Plane]


def make_grid(size: int, width: float) -> Grid:
    """Return a square of `size` pixels a side that are `width` mm together."""
    pixel = width / size
    line = ((np.arange(size) - (size - 1) / 2) * pixel).astype(np.float32)
    return Grid(x=line[None, :], y=line[:, None], pixel=pixel, width=width)


def _ellipse(grid: Grid, centre: tuple[float, float], axes: tuple[float, float]) -> Plane:
    """Return about how deep in an ellipse each pixel lies, in mm."""
    a, b = axes
    u, v = (grid.x - centre[0]) / a, (grid.y - centre[1]) / b
    root = np.sqrt(u * u + v * v)
    return np.asarray((1 - root) * min(a, b), np.float32)


def draw_body(heart: Heart, grid: Grid) -> Body:
    """Return the chest's wall, an arch above and to the left of the heart, and the lungs in it."""
    rng = np.random.default_rng(np.random.SeedSequence([heart.seed, 1]))
    # The wall touches the right ventricle, wherever the heart lies.
    reach = heart.radius + heart.wall
    top = heart.place[1] - 1.18 * reach - rng.uniform(5, 9)
    across, along = rng.uniform(88, 98), rng.uniform(105, 120)
    centre = (float(rng.uniform(14, 22)), float(top + along))
    fat, muscle = rng.uniform(6, 14), rng.uniform(9, 13)
    lung = _ellipse(grid, centre, (across, along))
    skin = _ellipse(grid, centre, (across + fat + muscle, along + fat + muscle))
    ribs = np.zeros(np.broadcast_shapes(grid.x.shape, grid.y.shape), np.float32)
    for angle in np.arange(-2.9, 0.2, 0.42) + rng.uniform(0, 0.42):
        x = centre[0] + (across + muscle * 0.45) * np.cos(angle)
        y = centre[1] + (along + muscle * 0.45) * np.sin(angle)
        rib = _ellipse(grid, (float(x), float(y)), (5.5, 4.0))
        np.maximum(ribs, grid.cover(rib), out=ribs)
    return Body(
        inside=grid.cover(skin),
        muscle=grid.cover(lung + np.float32(muscle)),
        ribs=ribs,
        lung=grid.cover(lung),
        skin=skin,
    )


@dataclass(frozen=True, slots=True)
class _Polar:
    """Pixels as seen from the middle of the left ventricle: mm, and an index of `ANGLES`."""

    x: Plane
    y: Plane
    radius: Plane
    index: NDArray[np.intp]


def _polar(grid: Grid, heart: Heart, shift: float) -> _Polar:
    x = grid.x - np.float32(heart.place[0])
    y = grid.y - np.float32(heart.place[1] + shift)
    angle = np.arctan2(-y, x) - np.float32(heart.turn)
    index = np.rint(angle * np.float32(len(ANGLES) / (2 * np.pi))).astype(np.intp) % len(ANGLES)
    return _Polar(x, y, np.sqrt(x * x + y * y), index)


def _right(heart: Heart, contracted: float, polar: _Polar, reach: float) -> Plane:
    """Return how deep in the right ventricle's ellipse each pixel lies, in mm."""
    across, along, distance, loss = heart.right
    # The heart's own axes: towards the right ventricle, and along the septum.
    cos, sin = np.float32(np.cos(heart.turn)), np.float32(np.sin(heart.turn))
    towards = -polar.x * cos + polar.y * sin
    beside = polar.x * sin + polar.y * cos
    scale = (heart.radius + heart.wall) * (1 - loss * contracted)
    u = (towards - np.float32(distance * reach)) / np.float32(across * scale)
    v = beside / np.float32(along * scale)
    return np.asarray((1 - np.sqrt(u * u + v * v)) * (across * scale), np.float32)


def _papillaries(heart: Heart, cavity: NDArray[np.float64], polar: _Polar, grid: Grid) -> Plane:
    """Return the papillary muscles, which stay at the wall that they stand on."""
    seen = np.zeros(polar.radius.shape, np.float32)
    for angle, radius in heart.papillaries:
        at = cavity[round(angle / (2 * np.pi) * len(ANGLES)) % len(ANGLES)] - 0.85 * radius
        way = angle + heart.turn
        x, y = np.float32(at * np.cos(way)), np.float32(-at * np.sin(way))
        apart = np.sqrt((polar.x - x) ** 2 + (polar.y - y) ** 2)
        np.maximum(seen, grid.cover(np.float32(radius) - apart), out=seen)
    return seen


def _material(
    heart: Heart, contracted: float, polar: _Polar, inner: Plane, outer: Plane
) -> tuple[Plane, Plane]:
    """Return where the tissue of each pixel lies at end diastole, unshifted.

    Muscle flows along the radius and keeps its area: r² at end diastole is r² now and what the
    wall has lost. Blood shrinks evenly; around the heart, the motion fades out over 2 cm.
    """
    lost = heart.lost(contracted).astype(np.float32)[polar.index]
    fade = np.exp(-np.maximum(polar.radius - outer, 0) / np.float32(20))
    stretch = np.sqrt(1 + fade * lost / np.maximum(polar.radius, inner) ** 2)
    return (
        polar.x * stretch + np.float32(heart.place[0]),
        polar.y * stretch + np.float32(heart.place[1]),
    )


def _fat(heart: Heart) -> NDArray[np.float64]:
    """Return the thickness in mm of the fat at `ANGLES`: most in the grooves of the ventricles."""
    grooves = [np.angle(np.exp(1j * (ANGLES - np.radians(place)))) for place in (115, 245)]
    more = sum(np.exp(-((away / 0.5) ** 2)) for away in grooves)
    return np.asarray(heart.fat * (0.35 + 1.3 * more))


def _abdomen(heart: Heart, grid: Grid, reach: float, shift: float) -> tuple[Plane, Plane]:
    """Return liver and stomach below the diaphragm, on which the heart rests."""
    # It follows half of what the heart's lower wall does.
    base = heart.place[1] + shift + 0.46 * (heart.radius + heart.wall + reach)
    dome = grid.y - np.float32(base) - np.float32(0.0035) * (grid.x + np.float32(30)) ** 2
    liver = grid.cover(dome)
    wave = np.float32(7) * np.sin((grid.y - np.float32(shift)) / np.float32(11))
    return liver, liver * grid.cover((grid.x - np.float32(heart.place[0] - 8) + wave) * 0.7)


def draw_parts(heart: Heart, grid: Grid, *, contracted: float, shift: float) -> Parts:
    """Return the parts that move, `contracted` by 0 to 1 and lower by `shift` mm."""
    polar = _polar(grid, heart, shift)
    radii, outers = heart.cavity(contracted), heart.outer(contracted)
    inner, outer = (v.astype(np.float32)[polar.index] for v in (radii, outers))
    cavity = grid.cover(inner - polar.radius)
    right = _right(heart, contracted, polar, float(outers.mean()))
    fat = _fat(heart).astype(np.float32)[polar.index]
    around = np.maximum(outer - polar.radius + fat, right + np.float32(3 + 0.5 * heart.fat))
    liver, stomach = _abdomen(heart, grid, float(outers.mean()), shift)
    return Parts(
        liver=liver,
        stomach=stomach,
        fat=grid.cover(around),
        right_wall=grid.cover(right + np.float32(3)),
        right=grid.cover(right),
        heart=grid.cover(outer - polar.radius),
        cavity=cavity,
        papillaries=_papillaries(heart, radii, polar, grid) * cavity,
        dome=np.sqrt(np.maximum(1 - (polar.radius / inner) ** 2, 0)),
        ball=np.sqrt(np.maximum(1 - (polar.radius / outer) ** 2, 0)),
        material=_material(heart, contracted, polar, inner, outer),
    )
