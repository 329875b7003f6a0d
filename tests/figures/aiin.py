"""The pictures of docs/how-to/aiin.md, from ../shared/data.

python -m tests.figures.aiin docs/how-to
"""

import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medaug.transforms import aiin, apply_look_ups, fit_look_ups

from ..shared import SHARED

NIH = SHARED / "data" / "cxr_full" / "normal"
CINE = SHARED / "data" / "cine_sax" / "pig_gip17_sax_4d.nii.gz"
WINDOWS, THRESHOLDS = (4, 8, 16), (1.0, 3.0, 10.0, 40.0)


def grey(name: str) -> np.ndarray:
    """One of the NIH's radiographs, 1024 x 1024, uint8."""
    return np.asarray(Image.open(NIH / name).convert("L"))


def panel(image: np.ndarray, text: str, side: int = 230) -> Image.Image:
    """An image with a line of text above it."""
    made = Image.new("L", (side, side + 22), 255)
    ImageDraw.Draw(made).text((4, 3), text, fill=0, font=ImageFont.load_default(14))
    made.paste(Image.fromarray(image).resize((side, side), Image.Resampling.BOX), (0, 22))
    return made


def sheet(rows: list[list[Image.Image]]) -> Image.Image:
    """Panels in rows."""
    width, height = rows[0][0].size
    made = Image.new("L", ((width + 4) * len(rows[0]), (height + 4) * len(rows)), 255)
    for y, row in enumerate(rows):
        for x, one in enumerate(row):
            made.paste(one, (x * (width + 4), y * (height + 4)))
    return made


def windows_and_thresholds() -> Image.Image:
    """One radiograph under each choice."""
    image = grey("00001650_000.png")
    return sheet(
        [
            [panel(image, "original")]
            + [panel(aiin(image, (n, n), t), f"windows {n}, threshold {t:g}") for t in THRESHOLDS]
            for n in WINDOWS
        ]
    )


def masks() -> Image.Image:
    """White bars of the collimator, which take levels from the windows that they lie in."""
    image = grey("00002452_000.png")
    mask = np.ones(image.shape, np.bool_)
    mask[:60], mask[900:] = False, False
    with_mask = np.where(mask, aiin(image, mask=mask), 0).astype(np.uint8)
    return sheet(
        [
            [
                panel(image, "original", 330),
                panel(aiin(image), "AIIN of everything", 330),
                panel(with_mask, "AIIN with mask (outside: black)", 330),
            ]
        ]
    )


def flicker() -> Image.Image:
    """What AIIN alone makes of a heart that stands still: one picture, by each phase's look-ups."""
    volume = np.asarray(nib.load(CINE).dataobj)[:, :, 10]
    frames = np.ascontiguousarray(volume.transpose(2, 1, 0)).astype(np.uint16)
    bits = int(frames.max()).bit_length()
    still = np.median(frames, axis=0).astype(np.uint16)
    normal = np.rint(255 / (2**bits - 1) * aiin(still, bits=bits)).astype(np.uint8)
    panels = [panel(normal, "median over time, AIIN", 330)]
    for text, pooled in (
        ("flicker x 80, each frame by itself", False),
        ("flicker × 80, pool_frames", True),
    ):
        look_ups = fit_look_ups(frames, bits=bits, pool_frames=pooled)
        shown = apply_look_ups(np.repeat(still[None], len(frames), axis=0), look_ups).astype(float)
        change = np.abs(np.diff(shown, axis=0)).mean(axis=0)
        panels.append(panel(np.rint(change * 80).clip(0, 255).astype(np.uint8), text, 330))
    return sheet([panels])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for make in (windows_and_thresholds, masks, flicker):
        make().save(folder / f"aiin_{make.__name__}.png", optimize=True)
