"""Validation while training."""

import logging
from typing import Any

from ignite.engine import Engine
from monai.engines import Evaluator

from ..engines import epochs, on_first_rank

logger = logging.getLogger("medaug")

PREFIX = "validation_"
"""Before the name of each figure, among the trainer's own."""


class Validation:
    """Run an evaluator every few epochs and after the last; its figures become the trainer's.

    The trainer's ``engine.state.metrics`` gets each of them under its name after `PREFIX`. Of
    several processes the first evaluates, all images, and the others are told. Where there is no
    image to validate by, that is said once, and nothing is done.

    Args:
        evaluator: of the network that is trained; its handlers fill its metrics.
        interval: in epochs.
    """

    def __init__(self, evaluator: Evaluator, *, interval: int) -> None:
        self.evaluator = evaluator
        self.interval = interval
        self._told = False

    def attach(self, engine: Engine) -> None:
        """Register with a trainer, before the handlers that use its metrics."""
        engine.add_event_handler(epochs(self.interval), self._run)

    def _run(self, engine: Any) -> None:
        if self.evaluator.state.epoch_length:
            found = on_first_rank(lambda: self._figures(engine.state.epoch))
            engine.state.metrics |= {f"{PREFIX}{name}": value for name, value in found.items()}
        elif not self._told:
            self._told = True
            logger.warning("no image to validate by: the last network is kept, not the best one")

    def _figures(self, epoch: int) -> dict[str, float]:
        self.evaluator.run(epoch)
        return dict(self.evaluator.state.metrics)
