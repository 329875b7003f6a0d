"""The judge of the results page, before it judges."""

import numpy as np
import pytest

from medaug.phantoms import simulate_chest_xray
from medaug.transforms import aiin

from .two_lungs import finds_two_lungs


@pytest.fixture(scope="module")
def normalised() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    images = [simulate_chest_xray("normal", rng, size=(128, 128)).image for _ in range(10)]
    return [aiin(image, bits=12) for image in images]


def test_finds_the_lungs_of_phantoms(normalised: list[np.ndarray]) -> None:
    """Normal chests have two."""
    assert sum(map(finds_two_lungs, normalised)) >= 9


def test_finds_none_where_none_are(normalised: list[np.ndarray]) -> None:
    """Not in turned images, in inverted ones, or with one side covered."""
    assert not any(finds_two_lungs(np.rot90(image)) for image in normalised)
    assert sum(finds_two_lungs(1 - image) for image in normalised) <= 1
    for image in normalised:
        covered = image.copy()
        covered[:, :64] = 1
        assert not finds_two_lungs(covered)
