"""Is a training collapsing or diverging, and should it end?"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from ignite import distributed as idist
from ignite.engine import Engine, Events

from .._files import write_atomically
from ..engines import GanEvents, on_first_rank
from ..errors import ConfigError
from ._generation import MSSSIM_EXCESS
from ._loss_signs import GUIDE, LossWatch

logger = logging.getLogger("medaug")

FARTHER = 0.2
"""Of the best distance. For draws of 200 images of one generator the standard deviation is 5 %, so
that the best of twenty lies 10 % below the mean."""
ALIKE = 0.05
"""MS-SSIM. For draws of 200 images of one generator the standard deviation is 0.012; a collapse
adds 0.2 to 0.4."""
KEPT = 3
"""States in the record: a damaged checkpoint is passed over for the one before it."""


class Evaluated(NamedTuple):
    """The figures of an epoch that has been evaluated."""

    epoch: int
    distance: float
    excess: float

    def too_alike(self, best: "Evaluated") -> bool:
        """Images of a class are more alike than real ones, and than at the best."""
        return self.excess > max(best.excess, 0.0) + ALIKE

    def worse_than(self, best: "Evaluated") -> bool:
        """Beyond what chance does, in both figures."""
        unlike = self.excess < min(best.excess, 0.0) - ALIKE
        farther = self.distance > best.distance + FARTHER * abs(best.distance)
        return farther and (self.too_alike(best) or unlike)


@dataclass
class State:
    """All that the next word depends on.

    Attributes:
        iteration: the last one seen.
        losses: step one.
        rang: whether it has rung since the last evaluation that wasn't worse.
        best: the evaluation with the smallest distance.
        worse: evaluations in a row that were worse than that.
        said: which warning of step two has been given and isn't over: "worse" or "confirmed".
    """

    iteration: int = 0
    losses: LossWatch = field(default_factory=LossWatch)
    rang: bool = False
    best: Evaluated | None = None
    worse: int = 0
    said: str = ""

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "State":
        """From what `asdict` gave, once it has been JSON."""
        best = plain["best"]
        parts = {"losses": LossWatch(**plain["losses"]), "best": Evaluated(*best) if best else None}
        return cls(**{**plain, **parts})


class CollapseMonitor:
    """Warn, in a line of words, of a training that collapses, diverges or is unstable; or end it.

    After the two-step rule of Saad, Rehmani and O'Reilly, "Early Stopping Criteria for Training
    Generative Adversarial Networks in Biomedical Imaging", 2024 (arXiv 2405.20987): ranges of the
    losses raise a suspicion, and the synthetic images' MS-SSIM and Fréchet distance, against the
    best so far, decide. The paper's thresholds could not be had: **those here are our own**, set by
    this project's trainings. That losses alone are unreliable is the paper's own finding: by
    themselves they never end a training.

    Step one, over windows of 100 iterations, one after another:

    - *the discriminator has won*: in two windows running, the median Loss_D is below 0.05 or the
      median Loss_G above 7;
    - *it can't tell*: in two windows running, the mean D(G(z)) is at or above the mean D(x), or the
      mean raw scores are: it teaches nothing;
    - *unstable*: a loss's range from the 5th to the 95th percentile is above four times the median
      of those of all windows before, five at least.

    Step two, in epochs for which ``engine.state.metrics`` hold the two figures, as
    `GenerationMetrics` puts them there: *worse* is a distance more than 20 % above its best so far
    **and** an MS-SSIM, synthetic less real, more than 0.05 beyond both 0 and that best epoch's.
    Above them images are too alike: mode collapse; below, they fall apart: divergence. (The lowest
    MS-SSIM so far is no best: noise has it.) `patience` times in a row make a warning; with a sign
    of step one in that stretch, the trouble is confirmed. Figures that are missing or no numbers
    count for nothing.

    A warning is given once, and its end is told. A training that goes on takes up what belongs to
    its checkpoint from `path`, exactly; without that file the monitor begins anew, and takes for
    the best what it sees from there on.

    Args:
        distance: name of a metric, lower is better: that which `BestModelSaver` goes by. None where
            there is none: MS-SSIM, at its best where it is nearest to the real images', decides
            alone.
        similarity: name of the mean MS-SSIM within classes, synthetic less real.
        stop: end the training when trouble is confirmed.
        patience: evaluations in a row.
        path: a JSON file that keeps what belongs to the last checkpoints; its folder is made.

    Raises:
        ConfigError: `patience` is below 1.
    """

    def __init__(
        self,
        *,
        distance: str | None,
        similarity: str = MSSSIM_EXCESS,
        stop: bool = False,
        patience: int = 3,
        path: str | Path | None = None,
    ) -> None:
        if patience < 1:
            raise ConfigError(f"patience must be at least 1, got {patience}")
        self.distance = distance
        self.similarity = similarity
        self.stop = stop
        self.patience = patience
        self.path = None if path is None else Path(path)
        self._state = State()

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer`, after the handlers that fill its metrics."""
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.STARTED, self._start)
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
            engine.add_event_handler(GanEvents.CHECKPOINT_STARTED, self._record)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._judge)

    def _start(self, engine: Any) -> None:
        iteration = engine.state.iteration
        if iteration == self._state.iteration:
            return  # at the very beginning, or run on in this process
        try:
            self._state = State.of(self._records()[str(iteration)])
        except (KeyError, TypeError):  # of another version
            self._state = State(iteration)
            if iteration > 0:
                logger.info("no record of iteration %d: collapse is watched for anew", iteration)

    def _records(self) -> dict[str, Any]:
        """By iteration."""
        if self.path is None or not self.path.exists():
            return {}
        try:
            found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            logger.warning("%s can't be read, and is begun anew: %s", self.path, error)
            return {}
        return found

    def _record(self, engine: Any) -> None:
        if self.path is None:
            return
        now = engine.state.iteration
        # Those after it are of a run that this one, gone back, has left.
        earlier = [one for one in self._records().items() if int(one[0]) < now]
        text = json.dumps(dict([*earlier[1 - KEPT :], (str(now), asdict(self._state))])) + "\n"
        write_atomically(self.path, lambda part: part.write_text(text, encoding="utf-8"))

    def _add(self, engine: Any) -> None:
        state = self._state
        state.iteration = engine.state.iteration
        state.losses.add(engine.state.output, state.iteration)
        state.rang |= bool(state.losses.ringing)

    def _judge(self, engine: Any) -> None:
        if not self.stop:
            if idist.get_rank() == 0:
                self._compare(engine)
        # The figures are rank 0's alone, and all must end alike.
        elif on_first_rank(lambda: self._compare(engine)):
            engine.terminate()

    def _compare(self, engine: Any) -> bool:
        """Whether the training should end."""
        state, now = self._state, self._evaluated(engine)
        if now is None:
            return False
        best = state.best or now
        if not now.worse_than(best):
            self._all_clear(now, best)
            state.best = min(best, now, key=lambda one: one.distance)  # the first of equals
            state.worse, state.rang, state.said = 0, bool(state.losses.ringing), ""
            return False
        state.worse += 1
        if state.worse < self.patience:
            return False
        self._warn(now, best)
        return state.rang and self.stop

    def _evaluated(self, engine: Any) -> Evaluated | None:
        """This epoch's figures, where it has them."""
        metrics, epoch = engine.state.metrics, engine.state.epoch
        excess = metrics.get(self.similarity, float("nan"))
        distance = metrics.get(self.distance, float("nan")) if self.distance else abs(excess)
        if not isfinite(excess) or not isfinite(distance):
            return None
        return Evaluated(epoch, float(distance), float(excess))

    def _warn(self, now: Evaluated, best: Evaluated) -> None:
        state = self._state
        kind, before = "confirmed" if state.rang else "worse", state.said
        state.said = kind
        if before == kind and not (state.rang and self.stop):
            return
        alike = now.too_alike(best)
        trouble = "mode collapse" if alike else "divergence"
        logger.warning(
            "%s after epoch %d: %d evaluations in a row, images of a class have been %s and "
            "farther from real ones than after epoch %d: %s; %s (%s)",
            f"{trouble} is confirmed" if state.rang else f"a sign of {trouble}",
            *(now.epoch, state.worse, "more alike" if alike else "falling apart", best.epoch),
            *(self._figures(now, best), self._advice(best), GUIDE),
        )

    def _figures(self, now: Evaluated, best: Evaluated) -> str:
        excess = f"{self.similarity} {now.excess:+.3f}, was {best.excess:+.3f}"
        if self.distance is None:
            return excess
        return f"{self.distance} {now.distance:.4g}, was {best.distance:.4g}; {excess}"

    def _advice(self, best: Evaluated) -> str:
        if not self._state.rang:
            return "losses give no sign: look at the samples; the best model is the one to use"
        if not self.stop:
            return "losses say so too: end it, use the best model, and change the settings"
        by = self.distance or f"|{self.similarity}|"
        return f"the training ends here; epoch {best.epoch}, best by {by}, is in model_best.pt"

    def _all_clear(self, now: Evaluated, best: Evaluated) -> None:
        if self._state.said:
            logger.warning(
                "images after epoch %d are no longer worse than after epoch %d: %s",
                *(now.epoch, best.epoch, self._figures(now, best)),
            )
