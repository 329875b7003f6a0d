"""From a heart to a cine: one beat, as one of four modalities shows it, with the truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ._heart import Heart, Vector, beat, cavity_volume, draw_heart
from ._heart_looks import LOOKS
from ._heart_shapes import Mask, Parts, draw_body, draw_parts, make_grid

CINE_MODALITIES = tuple(LOOKS)
_SMALLEST = 32


@dataclass(frozen=True, slots=True)
class CinePhantom:
    """One beat of a simulated heart in its short axis, and the truth behind it.

    The right ventricle is on the image's left, the heart's anterior wall at the top. Frame 0 is at
    end diastole, and the last frame leads into it.

    Attributes:
        frames: float32 (T, H, W) in [0, 1].
        left_ventricle: bool (T, H, W), the left cavity, papillary muscles included.
        right_ventricle: bool (T, H, W), the right cavity.
        myocardium: bool (T, H, W), the left ventricle's muscle without the papillary ones.
        papillaries: bool (T, H, W), the papillary muscles.
        area: float64 (T,), the left cavity's in mm²: the model's own, not counted in pixels.
        volume: float64 (T,), the left ventricle's in ml, by `cavity_volume`.
        ejection_fraction: Part of its volume that it ejects, in [0, 1]; exact.
        modality: One of `CINE_MODALITIES`.
        frame_times: float64 (T,), ms from the first frame, in even steps.
        pixel_spacing: Side of a pixel in mm.
        heart: What was drawn.
    """

    frames: NDArray[np.float32]
    left_ventricle: Mask
    right_ventricle: Mask
    myocardium: Mask
    papillaries: Mask
    area: Vector
    volume: Vector
    ejection_fraction: float
    modality: str
    frame_times: Vector
    pixel_spacing: float
    heart: Heart


def simulate_cine(
    seed: int | np.random.Generator,
    *,
    modality: str = "mri",
    size: int = 128,
    num_frames: int = 20,
    ejection_fraction: float | None = None,
    segment: str = "",
    motion: float = 0.0,
    breathing: float = 1.5,
    noise: float = 1.0,
    heart: Heart | None = None,
) -> CinePhantom:
    """Simulate one beat of a heart in its short axis.

    Muscle moves along the radius and keeps its area: the wall thickens as the cavity shrinks. The
    same seed gives the same heart in every modality, at any size and number of frames.

    Args:
        seed: Of all that is random, or where it comes from.
        modality: "ct" (contrast agent, a window on HU), "mri" (bright blood, Rician noise),
            "ultrasound" (sector, speckle, log compression) or "xray" (a ventriculogram:
            everything in the beam adds up).
        size: Rows and columns, 32 or more.
        num_frames: Of the beat, 2 or more.
        ejection_fraction: As in `draw_heart`; not with `heart`.
        segment: As in `draw_heart`; not with `heart`.
        motion: As in `draw_heart`; not with `heart`.
        breathing: How far the heart and the liver move up and down, in mm either way: one breath
            a sequence, so that it closes.
        noise: Over what is usual for the modality; 0 for none, of speckle too.
        heart: The heart; drawn if None.

    Raises:
        UserError: An argument is not one of the above.
    """
    _check(modality, size, num_frames, breathing, noise)
    rng = np.random.default_rng(seed)
    if heart is None:
        heart = draw_heart(rng, ejection_fraction=ejection_fraction, segment=segment, motion=motion)
    elif ejection_fraction is not None or segment or motion:
        raise UserError("heart must be None with ejection_fraction, segment or motion, got both")
    grid = make_grid(size, round(float(rng.uniform(138, 154)), 1))
    body = draw_body(heart, grid)
    breath = float(rng.uniform(0, 2 * np.pi))
    contracted = beat(num_frames, heart.systole)
    render = LOOKS[modality](body, grid, rng, noise)
    frames = np.empty((num_frames, size, size), np.float32)
    masks = np.empty((4, *frames.shape), bool)
    for t in range(num_frames):
        shift = breathing * np.sin(2 * np.pi * t / num_frames + breath)
        parts = draw_parts(heart, grid, contracted=float(contracted[t]), shift=float(shift))
        np.clip(render(parts, t / num_frames), 0, 1, out=frames[t])
        masks[:, t] = _masks(parts)
    area = np.array([heart.area(float(c)) for c in contracted])
    step = round(60_000 / heart.rate / num_frames, 3)  # as files say it
    return CinePhantom(
        frames=frames,
        left_ventricle=masks[0],
        right_ventricle=masks[1],
        myocardium=masks[2],
        papillaries=masks[3],
        area=area,
        volume=cavity_volume(area),
        ejection_fraction=heart.ejection_fraction,
        modality=modality,
        frame_times=step * np.arange(num_frames, dtype=np.float64),
        pixel_spacing=grid.pixel,
        heart=heart,
    )


def _masks(parts: Parts) -> tuple[Mask, Mask, Mask, Mask]:
    """Return which pixels are mostly left cavity, right cavity, muscle and papillary muscle."""
    left, heart = parts.cavity >= 0.5, parts.heart >= 0.5
    return left, (parts.right >= 0.5) & ~heart, heart & ~left, parts.papillaries >= 0.5


def _check(modality: str, size: int, num_frames: int, breathing: float, noise: float) -> None:
    """Refuse what can't be simulated."""
    if modality not in LOOKS:
        raise UserError(f"modality must be one of {', '.join(LOOKS)}, got {modality!r}")
    for name, value, least in (
        ("size", size, _SMALLEST), ("num_frames", num_frames, 2),
        ("breathing", breathing, 0), ("noise", noise, 0),
    ):  # fmt: skip
        if not value >= least:
            raise UserError(f"{name} must be at least {least}, got {value:g}")
