"""When handlers are called."""

from typing import Any

from ignite.engine import Engine, Events


def epochs(interval: int) -> Any:
    """The event at the end of every `interval`-th epoch, and of the last one."""

    def due(engine: Engine, epoch: int) -> bool:
        return bool(epoch % interval == 0 or epoch == engine.state.max_epochs)

    return Events.EPOCH_COMPLETED(event_filter=due)
