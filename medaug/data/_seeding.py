"""Seeds that depend on what is drawn, not on who draws it or when."""

import numpy as np

from ..errors import ConfigError


def mixed(*numbers: int) -> np.random.SeedSequence:
    """A well mixed seed of several non-negative numbers: (seed, epoch, index), for instance."""
    if min(numbers) < 0:
        raise ConfigError(f"seeds, epochs and indices must be at least 0, got {numbers}")
    return np.random.SeedSequence(numbers)
