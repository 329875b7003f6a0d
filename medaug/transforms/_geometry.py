"""Where the windows of an image lie, and which ones a pixel's result is interpolated between.

The arithmetic of OpenCV's ``clahe.cpp``; tests/transforms holds it against the plain reference.
"""

import numpy as np
from numpy.typing import NDArray


def window_shape(size: tuple[int, ...], windows: tuple[int, int]) -> tuple[int, int]:
    """Return a window's height and width in pixels, padding included."""
    bottom, right = padding(size, windows)
    return (size[0] + bottom) // windows[0], (size[1] + right) // windows[1]


def padding(size: tuple[int, ...], windows: tuple[int, int]) -> tuple[int, int]:
    """Return the rows and columns to add at the bottom and at the right, to whole windows."""
    return padding_of(size[0], size[1], windows)


def padding_of(height: int, width: int, windows: tuple[int, int]) -> tuple[int, int]:
    """Do as `padding`, in a form that TorchScript can compile."""
    spare_rows, spare_columns = height % windows[0], width % windows[1]
    if spare_rows == 0 and spare_columns == 0:
        return 0, 0
    # A divisible axis gets a full count of rows or columns if the other isn't divisible.
    return windows[0] - spare_rows, windows[1] - spare_columns


def neighbours(
    size: int, tile: int, windows: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.float32]]:
    """Return for each pixel of an axis the windows before and after it, and the latter's weight."""
    place = np.arange(size, dtype=np.float32) * (np.float32(1) / np.float32(tile)) - np.float32(0.5)
    before = np.floor(place)
    first = np.maximum(before, 0).astype(np.uint64)
    last = np.minimum(before + 1, windows - 1).astype(np.uint64)
    return first, last, place - before
