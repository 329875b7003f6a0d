"""Pixels inside the page: PNGs as data URIs."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..evaluation import LabelledImages, Neighbour
from ._html import Markup, tag
from ._numbers import number

OF_A_CLASS = 10
"""Images of a class that are shown on each side."""
LARGEST = 160
"""Pixels of the longer side; larger images are shown smaller, so that the page stays light."""
SMALL = 48
"""Pixels of the longer side below which an image is shown as squares rather than smoothed."""


def classes_side_by_side(
    classes: Sequence[str], real: LabelledImages, synthetic: LabelledImages, seed: int
) -> Markup:
    """For each class, images drawn by chance: held-out real ones beside generated ones."""
    random = np.random.default_rng(seed)
    return tag(
        "div",
        (
            tag(
                "section",
                tag("h3", name),
                tag(
                    "div",
                    _sheet("Real, held out", _drawn(real, label, random), name),
                    _sheet("Generated", _drawn(synthetic, label, random), name),
                    class_="sides",
                ),
                class_="class",
            )
            for label, name in enumerate(classes)
        ),
    )


def neighbour_pairs(neighbours: Sequence[Neighbour], train: Tensor, synthetic: Tensor) -> Markup:
    """Generated images beside the training images that are nearest to them."""
    return tag(
        "ol",
        (
            tag(
                "li",
                tag(
                    "div",
                    picture(synthetic[one.synthetic], f"Generated image, pair {place}"),
                    picture(train[one.train], f"Training image nearest to it, pair {place}"),
                    class_="pair",
                ),
                tag("p", tag("span", "generated"), tag("span", "training"), class_="sidewords"),
                tag("p", "distance ", tag("b", number(one.ratio)), class_="ratio"),
            )
            for place, one in enumerate(neighbours, start=1)
        ),
        class_="pairs",
    )


def picture(image: Tensor, alt: str) -> Markup:
    """One image (C, H, W) in [0, 1], C 1 or 3, as an element with its pixels inside."""
    height, width = image.shape[1:]
    scale = LARGEST / max(height, width)
    if scale < 1:
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        image = F.adaptive_avg_pool2d(image.float(), size)
    return tag(
        "img",
        src=data_uri(levels_of(image)),
        alt=alt,
        width=image.shape[2],
        height=image.shape[1],
        class_="squares" if max(height, width) < SMALL else None,
    )


def data_uri(levels: NDArray[np.uint8]) -> str:
    """A PNG of (H, W) or (H, W, 3) 8-bit levels."""
    content = io.BytesIO()
    Image.fromarray(levels).save(content, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"


def _drawn(images: LabelledImages, label: int, random: np.random.Generator) -> Tensor:
    found = np.flatnonzero(images.labels.numpy() == label)
    chosen = random.permutation(found)[:OF_A_CLASS]
    return images.images[np.sort(chosen)]


def _sheet(title: str, images: Tensor, name: str) -> Markup:
    pictures = [
        picture(image, f"{title}, {name}, {place} of {len(images)}")
        for place, image in enumerate(images, start=1)
    ]
    return tag(
        "figure",
        tag("figcaption", title),
        tag("div", pictures, class_="sheet") if pictures else tag("p", "none", class_="soft"),
    )


def levels_of(image: Tensor) -> NDArray[np.uint8]:
    """The 8-bit levels of (C, H, W) in [0, 1]."""
    scaled = (image.detach().float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    levels: NDArray[np.uint8] = scaled.cpu().numpy()
    return levels[:, :, 0] if levels.shape[2] == 1 else levels
