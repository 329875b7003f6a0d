"""A plain threshold that looks for two lungs in a chest radiograph normalised by AIIN.

    python -m tests.references.two_lungs FOLDER [FOLDER ...]

prints for each folder of PNGs in how many of (at most) 100 images, drawn with seed 0, it finds
them. Nothing is learned: dark regions of fair size on either side, that is all. After AIIN the
darker 45 % of a radiograph are lungs and air; before it, exposure would decide.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

DARKEST_PERCENT = 45
LEAST_AREA, LEAST_HEIGHT = 0.03, 0.3
"""Of a lung, as shares of the image."""


def finds_two_lungs(image: NDArray[np.floating]) -> bool:
    """Whether a dark region that may be a lung lies in the left half, and one in the right.

    Args:
        image: (H, W) in any range, upright, air dark, normalised by AIIN.
    """
    height, width = image.shape
    smooth = cv2.GaussianBlur(np.ascontiguousarray(image, np.float32), (0, 0), width / 43)
    inside = np.zeros(image.shape, bool)
    inside[height // 10 : 9 * height // 10, width // 12 : -(width // 12)] = True
    dark = inside & (smooth < np.percentile(smooth[inside], DARKEST_PERCENT))
    _, _, boxes, centres = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=4)
    left = right = False
    for (x, _, wide, high, area), (cx, cy) in zip(boxes[1:], centres[1:], strict=True):
        if area < LEAST_AREA * image.size or high < LEAST_HEIGHT * height:
            continue
        if not 0.2 * height < cy < 0.75 * height:
            continue
        left |= cx < width / 2 and x + wide < 0.6 * width
        right |= cx > width / 2 and x > 0.4 * width
    return bool(left and right)


def main(folders: list[str]) -> None:
    """Count over folders."""
    for folder in folders:
        files = sorted(Path(folder).rglob("*.png"))
        chosen = np.random.default_rng(0).permutation(len(files))[:100]
        images = [cv2.imread(str(files[k]), cv2.IMREAD_GRAYSCALE) for k in chosen]
        found = sum(finds_two_lungs(image) for image in images)
        sys.stdout.write(f"{folder}: two lungs in {found} of {len(images)} images\n")


if __name__ == "__main__":
    main(sys.argv[1:])
