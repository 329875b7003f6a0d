"""Images to normalise, drawn by hypothesis or made from a seed."""

import numpy as np
from hypothesis import strategies as st

CONTENTS = ["constant", "gradient", "noise", "sparse", "radiograph"]


def make_image(content, height, width, bits, seed=0):
    """Return (H, W) levels below 2^bits: uint8 up to 8 bits, uint16 above."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    shares = {
        "constant": lambda: np.full((height, width), rng.random()),
        "gradient": lambda: (x * rng.random() + y * rng.random()) / 2,
        "noise": lambda: rng.random((height, width)),
        "sparse": lambda: (rng.random((height, width)) > 0.98) * rng.random((height, width)),
        "radiograph": lambda: _radiograph(x, y, rng),
    }
    levels = np.rint(shares[content]().clip(0, 1) * (2**bits - 1))
    return levels.astype(np.uint8 if bits <= 8 else np.uint16)


def _radiograph(x, y, rng):
    """Two dark lungs in a bright body, with quantum noise and a black border."""
    body = 0.8 - 0.3 * np.abs(x - 0.5)
    for centre in (0.3, 0.7):
        body = body - 0.5 * (((x - centre) / 0.15) ** 2 + ((y - 0.45) / 0.3) ** 2 < 1)
    body = body + rng.normal(0, 0.02, x.shape)
    return np.where(y < 0.05 * rng.random(), 0, body)


@st.composite
def cases(draw, bits, largest=70):
    """Draw (levels, windows, contrast_threshold)."""
    windows = draw(st.tuples(st.integers(1, 16), st.integers(1, 16)))
    # Sizes below the grid, divisible by it, and any.
    size = [
        draw(st.one_of(st.integers(1, largest), st.integers(1, 4).map(lambda k, n=n: k * n)))
        for n in windows
    ]
    image = make_image(
        draw(st.sampled_from(CONTENTS)), *size, bits, seed=draw(st.integers(0, 2**32 - 1))
    )
    threshold = draw(st.one_of(st.sampled_from([0.25, 1.0, 10.0, 100.0]), st.floats(0.25, 100)))
    return image, windows, threshold
