"""The thorax of one patient, and one view of it: sizes in cm, x to the patient's left, y down."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What the images of one patient share; draw one with `draw_anatomy`.

    Lengths are in cm. The origin lies between the tops of the lungs; x grows to the patient's
    left, which is the right side of an image, and y towards the feet.

    Attributes:
        width: Half of the rib cage's inner width at its widest.
        depth: Half of the rib cage's inner depth, front to back.
        height: From the tops of the lungs to the right dome of the diaphragm.
        wall: Thickness of the chest wall at the side.
        breast: Thickness of the breasts, 0 for none.
        shoulder: How far the shoulders' line lies below its usual place.
        heart_size: Half of the heart's width.
        heart_turn: Angle of the heart's long axis below the horizontal, in radians.
        dome_difference: How much higher the right dome of the diaphragm stands than the left.
        aorta: Radius of the aortic arch.
        bone: Mineral content of the bones, 1 for the usual.
        rib_slope: How steeply the ribs fall, 1 for the usual.
        rib_pitch: From one rib to the next at the spine.
        scoliosis: Sideways bend of the spine, from the midline.
        stomach: Radius of the gas bubble in the stomach, 0 for none.
        vessels: Calibre of the lungs' vessels, 1 for the usual.
        seed: Of the details: branching of the vessels, small irregularities of each bone.
    """

    width: float
    depth: float
    height: float
    wall: float
    breast: float
    shoulder: float
    heart_size: float
    heart_turn: float
    dome_difference: float
    aorta: float
    bone: float
    rib_slope: float
    rib_pitch: float
    scoliosis: float
    stomach: float
    vessels: float
    seed: int


@dataclass(frozen=True, slots=True)
class View:
    """What differs between two images of one patient; draw one with `draw_view`.

    Attributes:
        size: Rows and columns of the image.
        pixel: Side of a pixel in cm.
        centre: Place (x, y) of the image's middle in the patient's system, in cm.
        lean: Sideways shift for each cm down: the patient stands a little aslant.
        turn: Shift of the front against the back in cm for each cm of depth.
        breath: Depth of the breath: cm that the diaphragm stands lower than usual.
        arms: How far the arms are held from the body, in cm at the elbow.
        exposure: Photons that reach one pixel (1/14 cm wide) beside the patient.
        scatter: Scattered over primary radiation, mean over the image (with a grid).
        detail: Strength of the film's edge enhancement.
        gamma: Of the film's curve.
        window: Film densities shown as black and white, as offsets from the image's own.
        marker: Place (x, y) of the lead letter at the patient's left as parts of the image's
            width and height, or None.
    """

    size: tuple[int, int]
    pixel: float
    centre: tuple[float, float]
    lean: float
    turn: float
    breath: float
    arms: float
    exposure: float
    scatter: float
    detail: float
    gamma: float
    window: tuple[float, float]
    marker: tuple[float, float] | None

    def columns(self, x: Vector, y: Vector) -> Vector:
        """Return the columns, in pixels, of places in the patient's system."""
        return (x + self.lean * y - self.centre[0]) / self.pixel + (self.size[1] - 1) / 2

    def rows(self, y: Vector) -> Vector:
        """Return the rows, in pixels, of heights in the patient's system."""
        return (y - self.centre[1]) / self.pixel + (self.size[0] - 1) / 2

    def grid(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return x (H, W) and y (H, 1) of the pixels in the patient's system."""
        height, width = self.size
        y = (np.arange(height) - (height - 1) / 2) * self.pixel + self.centre[1]
        x = (np.arange(width) - (width - 1) / 2) * self.pixel + self.centre[0]
        x = x[None, :] - self.lean * y[:, None]
        return x.astype(np.float32), y[:, None].astype(np.float32)


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Return the thorax of a random patient; sizes scatter as in adults."""
    scale = rng.normal(1.0, 0.045)
    female = rng.random() < 0.45
    stout = rng.gamma(2.0, 0.5)
    return Anatomy(
        width=(13.2 if female else 14.4) * scale * rng.normal(1, 0.035),
        depth=(8.6 if female else 9.4) * scale * rng.normal(1, 0.06),
        height=(18.6 if female else 20.2) * scale * rng.normal(1, 0.06),
        wall=2.8 + 0.9 * stout,
        breast=float(female) * rng.uniform(0.8, 4.2),
        shoulder=rng.normal(0, 0.8),
        heart_size=(6.0 if female else 6.6)
        * scale
        * float(np.clip(rng.normal(0.96, 0.09), 0.78, 1.22)),
        heart_turn=rng.uniform(0.45, 0.85),
        dome_difference=rng.uniform(0.6, 2.0),
        aorta=rng.uniform(1.15, 1.65),
        bone=float(np.clip(rng.normal(1, 0.15), 0.6, 1.4)),
        rib_slope=float(np.clip(rng.normal(1, 0.14), 0.65, 1.35)),
        rib_pitch=2.25 * scale * rng.normal(1, 0.04),
        scoliosis=rng.normal(0, 0.25),
        stomach=rng.uniform(1.2, 2.6) * (rng.random() < 0.75),
        vessels=float(np.clip(rng.normal(1, 0.12), 0.7, 1.4)),
        seed=int(rng.integers(2**32)),
    )


def draw_view(anatomy: Anatomy, rng: np.random.Generator, size: tuple[int, int]) -> View:
    """Return a random view of `anatomy` for an image of `size` (H, W)."""
    field = anatomy.height + rng.uniform(11.5, 16.5)
    pixel = field / min(size)
    middle = anatomy.height * 0.5 + rng.normal(1.6, 0.8)
    marker = (rng.uniform(0.86, 0.95), rng.uniform(0.05, 0.2))
    return View(
        size=size,
        pixel=pixel,
        centre=(rng.normal(0, 0.7), middle),
        lean=rng.normal(0, 0.022),
        turn=rng.normal(0, 0.05),
        breath=float(np.clip(rng.normal(0, 0.8), -2.2, 1.2)),
        arms=rng.uniform(0.5, 7.0),
        exposure=float(np.exp(rng.uniform(np.log(2e4), np.log(1e5)))),
        scatter=rng.uniform(0.4, 0.9),
        detail=rng.uniform(0.3, 1.5),
        gamma=rng.uniform(0.9, 1.3),
        window=(rng.uniform(-0.1, 0.1), rng.uniform(-0.05, 0.15)),
        marker=marker if rng.random() < 0.6 else None,
    )
