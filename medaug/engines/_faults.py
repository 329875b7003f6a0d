"""What ends a training, in words that help."""

import errno
from collections.abc import Mapping
from math import isfinite
from typing import Any

from ignite.engine import Engine

from ..errors import TrainingDivergedError, UserError

SHOWN_DIGITS = 12
"""Of an image's pixel hash, in an error."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def raise_again(_: Engine, error: BaseException) -> None:
    """Ignite takes an exception as dealt with once it has a handler.

    Raises:
        UserError: nothing more can be written; else the exception itself.
    """
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        raise UserError(
            f"{error.filename or 'a result'} could not be written: {error.strerror}; the last "
            "saved model is untouched"
        ) from error
    raise error


def require_finite(output: Mapping[str, float], step: int, batch: Mapping[str, Any]) -> None:
    """Refuse to go on after a loss that is no number.

    Raises:
        TrainingDivergedError: naming the figures, and the images by their pixels' hashes.
    """
    broken = {name: value for name, value in output.items() if not isfinite(value)}
    if broken:
        hashes = ", ".join(str(name)[:SHOWN_DIGITS] for name in batch.get("source_id", ()))
        images = f"; pixel hashes of its images: {hashes}" if hashes else ""
        raise TrainingDivergedError(
            f"losses must be finite, got {broken} in iteration {step}; the last saved model is "
            "untouched; going on with --amp false, or a new run at a lower learning rate, may help"
            f"{images}"
        )
