"""When handlers are called."""

from typing import Any

from ignite.engine import Engine, EventEnum, Events


class GanEvents(EventEnum):
    """Fired beside Ignite's events and MONAI's `IterationEvents`.

    The first two in each iteration that steps the network; the third on rank 0 before a checkpoint
    is written, when what the checkpoint stands for must be on the disk.
    """

    DISCRIMINATOR_COMPLETED = "discriminator_completed"
    GENERATOR_COMPLETED = "generator_completed"
    CHECKPOINT_STARTED = "checkpoint_started"


def epochs(interval: int) -> Any:
    """The event at the end of every `interval`-th epoch, and of the last one."""

    def due(engine: Engine, epoch: int) -> bool:
        return bool(epoch % interval == 0 or epoch == engine.state.max_epochs)

    return Events.EPOCH_COMPLETED(event_filter=due)
