"""One progress bar for a whole training."""

from typing import Any, ClassVar

from ignite import distributed as idist
from ignite.engine import Engine, Events
from tqdm import tqdm


class ProgressBar:
    """Show, over all epochs, the time left, images per second and the figures of the last steps.

    Steps per second, where batches differ in size, as while networks grow. Figures are moving
    averages of the engine's output, so that they can be read.
    """

    SHOWN: ClassVar = {
        "d_loss": "Loss_D",
        "g_loss": "Loss_G",
        "d_real": "D(x)",
        "d_fake_before": "D(G(z))",
        "d_fake_after": "after",
        "score_real": "score(x)",
        "score_fake_before": "score(G(z))",
        "class_accuracy_real": "class",
    }
    """Output key to its heading, in the terms of the GAN literature."""
    SMOOTHING = 0.95

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._averages: dict[str, float] = {}
        self._step = 1

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer`."""
        if idist.get_rank() > 0:
            return
        engine.add_event_handler(Events.STARTED, self._open)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._advance)
        engine.add_event_handler(Events.COMPLETED, self._close)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._close)

    def _open(self, engine: Any) -> None:
        state = engine.state
        batch = engine.data_loader.batch_size  # None where a sampler makes the batches
        self._step = batch * idist.get_world_size() if batch else 1
        self._bar = tqdm(
            total=state.max_epochs * state.epoch_length * self._step,
            initial=state.iteration * self._step,
            unit="img" if batch else "step",
            unit_scale=True,
            desc="training",
            dynamic_ncols=True,
            mininterval=0.5,
        )

    def _advance(self, engine: Any) -> None:
        output = engine.state.output
        for key in self.SHOWN.keys() & output.keys():
            before = self._averages.get(key, output[key])
            self._averages[key] = self.SMOOTHING * before + (1 - self.SMOOTHING) * output[key]
        if self._bar is not None:
            shown = {
                heading: f"{self._averages[key]:.2f}"
                for key, heading in self.SHOWN.items()
                if key in self._averages
            }
            self._bar.set_postfix(shown, refresh=False)
            self._bar.set_description(
                f"epoch {engine.state.epoch}/{engine.state.max_epochs}", refresh=False
            )
            self._bar.update(self._step)

    def _close(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
