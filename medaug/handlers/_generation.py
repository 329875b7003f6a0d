"""What a generator makes, judged beside real images while it is being trained."""

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from ignite import distributed as idist
from ignite.engine import Engine, Events

from .._files import write_atomically
from ..engines import epochs
from ..errors import UserError
from ..evaluation import (
    DOMAIN,
    Evaluation,
    Evaluator,
    ImageDataset,
    LabelledImages,
    distance_name,
    load_extractors,
)
from ._samples import generate

logger = logging.getLogger("medaug")

MSSSIM_GAP = "msssim_gap"
"""Mean over the classes of how far synthetic and real MS-SSIM lie apart; 0 is best."""
MSSSIM_EXCESS = "msssim_excess"
"""Mean over the classes of synthetic less real MS-SSIM; above 0 is too alike."""
MOST_TRAINING = 5_000
FEWEST, MOST = 50, 200
"""Images that are generated of a class; between them, as many as validation has."""
LINE = ("seed", "counts", "figures", "verdicts", "hyperscore", "protocol", "left_out")
"""What a line of JSON holds of an evaluation."""


class GenerationMetrics:
    """Evaluate what the averaged generator makes, beside training and validation images.

    Every `interval` epochs and at the end, as many images of each class as validation has, at least
    50 and at most 200, go through `medaug.evaluation.Evaluator`. For that epoch
    ``engine.state.metrics`` holds `Evaluation.flat`, `MSSSIM_GAP`, `MSSSIM_EXCESS`, ``hyperscore``
    and its V, ``hyperscore_value``. ``evaluations.jsonl`` gets a line with intervals, verdicts, n,
    seed, protocol and seconds; ``evaluation.json`` is the newest one, whole.

    An evaluation that fails is logged with its reason, and training goes on.

    Args:
        train: what the generator learns from, as it sees it; of more than 5,000 images as many are
            looked at.
        validation: images of other patients.
        classes: names, in the order of the labels.
        directory: of the two files; made if it isn't there.
        interval: in epochs.
        extractors: as for `Evaluator`; by the first one's distance the best model is chosen.
        device: where extractors run.
        seed: of latents, draws and resamples.
        cache: folder for what belongs to the real images; None keeps nothing.

    Raises:
        ConfigError, UserError: an extractor is unknown, or lacks its weights.
    """

    def __init__(
        self,
        train: ImageDataset,
        validation: ImageDataset,
        classes: Sequence[str],
        directory: str | Path,
        *,
        interval: int,
        extractors: Sequence[str] = (DOMAIN,),
        device: torch.device | str = "cpu",
        seed: int = 0,
        cache: Path | None = None,
    ) -> None:
        self.train = train
        self.validation = validation
        self.classes = tuple(classes)
        self.directory = Path(directory)
        self.interval = interval
        self.extractors = load_extractors(extractors, device)
        self.device = device
        self.seed = seed
        self.cache = cache
        self._evaluator: Evaluator | None = None
        self._impossible = False

    @property
    def key_metric(self) -> str:
        """By which the best model is chosen; lower is better.

        The first extractor's Fréchet distance; `MSSSIM_GAP` where there is none, as for one class,
        of which no classifier can be trained.
        """
        usable = [one for one in self.extractors if one != DOMAIN or len(self.classes) > 1]
        if not usable:
            return MSSSIM_GAP
        return distance_name(usable[0] if isinstance(usable[0], str) else usable[0].name)

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer`, before the handlers that write its metrics down."""
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.STARTED, self._start)
            engine.add_event_handler(epochs(self.interval), self._report)

    def _start(self, engine: Any) -> None:
        """Take out what came after the checkpoint that the training goes on from."""
        path = self._lines
        if not path.exists():
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        kept = [line for line in whole if json.loads(line)["epoch"] <= engine.state.epoch]
        write_atomically(path, lambda part: part.write_text("".join(kept), encoding="utf-8"))

    @property
    def _lines(self) -> Path:
        return self.directory / "evaluations.jsonl"

    def _report(self, engine: Any) -> None:
        if self._impossible:
            return
        started, epoch = time.perf_counter(), engine.state.epoch
        try:
            evaluation = self._evaluate(engine)
        except Exception as error:  # whatever it is, it isn't worth a training
            what = str(error) if isinstance(error, UserError) else repr(error)
            logger.warning("no evaluation after epoch %d: %s", epoch, what)
            self._impossible = self._evaluator is None
            return
        engine.state.metrics |= evaluation.flat() | _summary(evaluation)
        self._write(evaluation, engine.state, time.perf_counter() - started)

    def _evaluate(self, engine: Any) -> Evaluation:
        if self._evaluator is None:
            self._evaluator = Evaluator(
                LabelledImages.of(self.train, MOST_TRAINING),
                LabelledImages.of(self.validation),
                self.classes,
                extractors=self.extractors,
                device=self.device,
                seed=self.seed,
                cache=self.cache,
            )
        counts = self._evaluator.held_out.counts(len(self.classes)).clip(FEWEST, MOST)
        labels = [label for label, count in enumerate(counts.tolist()) for _ in range(count)]
        images = generate(
            engine.ema_generator, labels, latent_dim=engine.latent_dim, seed=self.seed
        )
        return self._evaluator(LabelledImages(images, torch.tensor(labels)))

    def _write(self, evaluation: Evaluation, state: Any, seconds: float) -> None:
        evaluation.save(self.directory / "evaluation.json")
        plain = evaluation.plain()
        record = {"epoch": state.epoch, "iteration": state.iteration, "seconds": round(seconds, 1)}
        line = json.dumps(record | {name: plain[name] for name in LINE}) + "\n"
        with self._lines.open("a", encoding="utf-8") as file:
            file.write(line)


def _summary(evaluation: Evaluation) -> dict[str, float]:
    """What one evaluation is compared with another by."""
    found: dict[str, float] = {}
    excess = [
        one.synthetic.value - one.real.value
        for one in evaluation.figures
        if one.name.startswith("msssim") and one.real is not None
    ]
    if excess:
        found[MSSSIM_GAP] = sum(map(abs, excess)) / len(excess)
        found[MSSSIM_EXCESS] = sum(excess) / len(excess)
    score = evaluation.hyperscore
    if score is not None:
        found |= {"hyperscore": score.score, "hyperscore_value": score.value}
    return found
