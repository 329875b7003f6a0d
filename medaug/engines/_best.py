"""The best network of a training, and when to wait for no better one."""

import logging
from math import isfinite
from typing import Any

from ignite import distributed as idist
from ignite.engine import Engine, Events

from ..errors import ConfigError

logger = logging.getLogger("medaug")


class BestNetwork:
    """Keep the network of the epoch that was best by a metric; end a training that gets no better.

    Comes after the handler that puts the metric into ``engine.state.metrics``. What it knows stands
    in the trainer's checkpoint.

    Args:
        metric: name of the metric; epochs without it, or where it isn't finite, are passed
            over. Lower is better.
        patience: epochs without a better one after which the training ends; None never ends it.

    Raises:
        ConfigError: `patience` is below 1.
    """

    def __init__(self, metric: str, *, patience: int | None = None) -> None:
        if patience is not None and patience < 1:
            raise ConfigError(f"patience must be at least 1 epoch, got {patience}")
        self.metric = metric
        self.patience = patience

    def attach(self, engine: Engine) -> None:
        """Register with a `ClassifierTrainer`."""
        engine.add_event_handler(Events.STARTED, self._stop_if_over)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._judge)

    def _judge(self, engine: Any) -> None:
        metrics, state = engine.state.metrics, engine.state
        value = metrics.get(self.metric)
        if value is None or not isfinite(value):
            return
        if not engine.best_epoch or value < state.best_metric:
            engine.keep_best(value, metrics)
        else:
            self._stop_if_over(engine)

    def _stop_if_over(self, engine: Any) -> None:
        """At the start, too: a training that has been ended so isn't gone on with."""
        best, epoch = engine.best_epoch, engine.state.epoch
        if self.patience is None or not best or epoch - best < self.patience:
            return
        if idist.get_rank() == 0:
            logger.info(
                "ended after epoch %d: none was better by %s than epoch %d, for %d epochs",
                *(epoch, self.metric, best, self.patience),
            )
        engine.terminate()
