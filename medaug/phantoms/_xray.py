"""From thickness maps to a film: Beer–Lambert, scatter, quantum noise, the film's curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ._anatomy import Anatomy, View, draw_anatomy, draw_view
from ._lesions import LESIONS, lesion_outline
from ._raster import Map, blur, resize, smooth_noise
from ._skeleton import skeleton
from ._thorax import SoftParts, soft_parts
from ._tubes import tube
from ._vessels import vessels

# Linear attenuation in 1/cm at 60 keV, about the mean energy of a 120 kVp beam: μ/ρ of NIST's
# tables (Hubbell and Seltzer, NISTIR 5632, table 4, ICRU-44 tissues) times the density in g/cm³.
SOFT = 0.2048 * 1.06
FAT = 0.1974 * 0.95
LUNG = 0.2053 * 0.26
BONE = 0.3148 * 1.92
LEAD_LETTER = 4.0  # optical thickness: as good as opaque


@dataclass(frozen=True, slots=True)
class ChestXRayPhantom:
    """One simulated chest radiograph and the truth behind it.

    Attributes:
        image: float32 (H, W) in [0, 1], upright, bone bright, patient's left at the right side.
        film: float32 (H, W), the film's density before the window: 0 and 1 are shown as black
            and white, values beyond are cut off in `image`.
        lung_mask: bool (H, W), the lungs clear of heart, mediastinum and diaphragm.
        lesion_mask: bool (H, W), the lesion within the lungs; empty for "normal".
        pixel_spacing: Side of a pixel at the detector in mm.
        label: "covid", "normal" or "pneumonia".
    """

    image: NDArray[np.float32]
    film: NDArray[np.float32]
    lung_mask: NDArray[np.bool_]
    lesion_mask: NDArray[np.bool_]
    pixel_spacing: float
    label: str


def _marker(view: View) -> Map:
    """Return the optical thickness of a lead letter L at the patient's left shoulder."""
    canvas = np.zeros(view.size, np.float32)
    if view.marker is not None:
        height, width = view.size
        u, v = (view.marker[0] - 0.5) * width, (view.marker[1] - 0.5) * height
        y = view.centre[1] + v * view.pixel
        x = view.centre[0] + u * view.pixel - view.lean * y
        stroke = np.array([(x, y), (x, y + 1.3), (x, y + 1.3), (x + 0.75, y + 1.3)])
        tube(canvas, view, stroke, np.full(4, 0.13), flat=20.0)
    return np.minimum(canvas, 1) * LEAD_LETTER


def _optical_thickness(
    anatomy: Anatomy, view: View, parts: SoftParts, replaced: Map, rng: np.random.Generator
) -> Map:
    """Return Σ μ·t (H, W) along each ray."""
    bone = skeleton(anatomy, view)
    inside = np.clip(parts.lung / 4, 0, 1)
    branches = np.minimum(vessels(anatomy, view) * inside, 2.6)
    grain = smooth_noise(rng, view.size, 0.45 / view.pixel)
    cloud = smooth_noise(rng, view.size, 2.0 / view.pixel)
    lung = parts.lung * (1 + 0.012 * grain + 0.02 * cloud) - branches
    lung = np.maximum(lung * (1 - replaced), 0)
    soft = np.maximum(parts.body - lung - np.minimum(parts.air, parts.body) - bone, 0)
    muscle = smooth_noise(rng, view.size, 1.2 / view.pixel)
    soft = soft * (1 + 0.006 * muscle)
    total: Map = (
        SOFT * soft + FAT * parts.fat
        + LUNG * lung + BONE * np.minimum(bone, parts.body)
    )  # fmt: skip
    return total + _marker(view)


def _detect(thickness: Map, view: View, rng: np.random.Generator) -> Map:
    """Return the signal of each pixel over that of the open beam: scatter and quantum noise."""
    primary = np.exp(-thickness)
    small = resize(primary, (64, 64))
    spread = blur(np.minimum(small, 0.3), 3.2 / (view.pixel * max(view.size) / 64))
    signal = primary + view.scatter * resize(spread, view.size)
    # Thousands of photons a pixel: Poisson's law is the normal one here.
    photons = signal * (view.exposure * (view.pixel * 14) ** 2)
    noise = rng.standard_normal(view.size, dtype=np.float32)
    seen: Map = np.maximum(photons + noise * np.sqrt(photons), 1)
    return seen / (view.exposure * (view.pixel * 14) ** 2)


def _curve(film: Map, gamma: float) -> Map:
    """Return `film` bent by the film's curve: gamma at the dark end, a shoulder at the bright."""
    bent = np.sign(film) * np.abs(film) ** gamma
    shoulder: Map = bent * (1 + 0.4 * (1 - np.clip(bent, 0, 1)))
    return shoulder


def _develop(signal: Map, view: View, parts: SoftParts) -> Map:
    """Return the film's density: 0 and 1 are the ends of the window that shows it best."""
    density = -np.log(signal)
    # Unsharp masks: organs' borders, then fine structure.
    for radius, weight in ((1.1, 0.4), (0.25, 0.45)):
        density = density + view.detail * weight * (density - blur(density, radius / view.pixel))
    body = density[parts.body > 3]
    dark, bright = (float(v) for v in np.percentile(body[::7], (2.0, 98.5)))
    low = dark - (0.06 - view.window[0]) * (bright - dark)
    high = bright + view.window[1] * (bright - dark)
    film = (density - low) / (high - low)
    return _curve(film, view.gamma)


def simulate_chest_xray(
    label: str,
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (512, 512),
    anatomy: Anatomy | None = None,
) -> ChestXRayPhantom:
    """Simulate one postero-anterior chest radiograph.

    Every ray's thickness of soft tissue, fat, lung and bone gives the primary beam by
    Beer–Lambert's law; scatter and quantum noise are added; the film's density is the negative
    logarithm, with the detail enhancement and the window of a digital system.

    Args:
        label: "normal"; "pneumonia": a lobar consolidation; "covid": faint, patchy, bilateral
            and peripheral opacities.
        rng: Where all randomness comes from.
        size: Rows and columns, each 32 or more.
        anatomy: The patient; drawn from `rng` if None.

    Raises:
        UserError: `label` or `size` is not one of the above.
    """
    if label not in LESIONS:
        raise UserError(f"label must be one of {', '.join(LESIONS)}, got {label!r}")
    if min(size) < 32:
        raise UserError(f"size must be at least 32 x 32 pixels, got {size[0]} x {size[1]}")
    anatomy = draw_anatomy(rng) if anatomy is None else anatomy
    view = draw_view(anatomy, rng, size)
    parts = soft_parts(anatomy, view)
    replaced = LESIONS[label](anatomy, view, rng)
    thickness = _optical_thickness(anatomy, view, parts, replaced, rng)
    film = _develop(_detect(thickness, view, rng), view, parts).astype(np.float32, copy=False)
    return ChestXRayPhantom(
        image=np.clip(film, 0, 1),
        film=film,
        lung_mask=parts.clear,
        lesion_mask=lesion_outline(replaced, parts.clear),
        pixel_spacing=10 * view.pixel,
        label=label,
    )
