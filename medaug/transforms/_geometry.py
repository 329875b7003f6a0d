"""How an image is padded to whole windows, in plain integers that TorchScript can compile too."""


def window_shape(size: tuple[int, ...], windows: tuple[int, int]) -> tuple[int, int]:
    """Return a window's height and width in pixels, padding included."""
    return window_shape_of(size[0], size[1], windows)


def window_shape_of(height: int, width: int, windows: tuple[int, int]) -> tuple[int, int]:
    """Do as `window_shape`."""
    bottom, right = padding_of(height, width, windows)
    return (height + bottom) // windows[0], (width + right) // windows[1]


def padding(size: tuple[int, ...], windows: tuple[int, int]) -> tuple[int, int]:
    """Return the rows and columns to add at the bottom and at the right, to whole windows."""
    return padding_of(size[0], size[1], windows)


def padding_of(height: int, width: int, windows: tuple[int, int]) -> tuple[int, int]:
    """Do as `padding`."""
    spare_rows, spare_columns = height % windows[0], width % windows[1]
    if spare_rows == 0 and spare_columns == 0:
        return 0, 0
    # A divisible axis gets a full count of rows or columns if the other isn't divisible.
    return windows[0] - spare_rows, windows[1] - spare_columns
