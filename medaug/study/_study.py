"""A study from its plan to its result; whatever was done before is taken up."""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ..errors import ConfigError, UserError
from ._cells import Classifier, Outcome
from ._config import Arm, Study
from ._generators import Generators
from ._images import Pictures, dataset_of, prepare, read_pictures
from ._plan import Rates, cell_name, find_bundles, generator_tasks, task_name
from ._pools import Pool
from ._progress import Progress
from ._quality import judge, scores
from ._result import StudyResult, arm_results, compared, weigh_scores
from ._runner import BundleRunner, Runner
from ._shortcuts import shortcuts

logger = logging.getLogger("medaug")

Task = tuple[str, Callable[[], None]]


def run_study(
    study: Study, *, runner: Runner | None = None, progress: Progress | None = None
) -> StudyResult:
    """Train all arms with all seeds, test them on the same patients, and compare.

    Leaks and whatever else can be seen beforehand are refused before anything is trained. A cell
    or generator that fails is recorded with its reason, and the others go on; its arms are tried
    again the next time. Everything is kept under a hash of what went into it, so that a study
    that was stopped goes on where it was.

    Args:
        study: of `read_study` or `study_of`.
        runner: of bundles; by default each in a process of its own.
        progress: the line on stderr.

    Raises:
        UserError: the data, the study's file or a generator's images can't be used.
        KeyboardInterrupt: it was asked to stop.
    """
    return _Run(study, runner, progress or Progress()).result()


class _Run:
    """What the steps of a study share."""

    def __init__(self, study: Study, runner: Runner | None, progress: Progress) -> None:
        self.study = study
        self.progress = progress
        self.runner = runner or BundleRunner(progress.tick)
        bundles = find_bundles(study)
        self.classifier = Classifier(study, bundles, self.runner)
        self.pictures = self._read()
        self.generators = Generators(study, self.pictures, bundles, self.runner)
        self.rates = Rates(study, bundles, len(self.pictures.of("training")))
        self.prepared: dict[str, Pictures] = {}
        self.pools: dict[tuple[str, str], Pool] = {}
        self.notes: dict[str, str] = {}
        self.quality: dict[str, Mapping[str, float]] = {}
        self.outcomes: dict[tuple[str, int], Outcome] = {}
        self.failures: dict[tuple[str, int], str] = {}

    def result(self) -> StudyResult:
        """Do it all."""
        study = self.study
        for name in dict.fromkeys(["none", *(arm.normalise for arm in study.arms)]):
            self.prepared[name] = prepare(self.pictures, study, name)
        tasks = generator_tasks(study)
        for name, normalise in tasks:
            self.generators.check(name, normalise)
        self.progress.plan(self.rates.guesses())
        if isinstance(self.runner, BundleRunner):
            with self.runner.stopping():
                self._train(tasks)
        else:
            self._train(tasks)
        self.progress.end()
        return self._result()

    def _read(self) -> Pictures:
        output = Path(self.study.output_dir).absolute()
        source = self.study.dataset_dir
        if source and output.resolve().is_relative_to(Path(source).resolve()):
            raise ConfigError(f"--output_dir must lie outside of {source}, got {output}")
        return read_pictures(self.study)

    # ---- generators, then cells

    def _train(self, tasks: list[tuple[str, str]]) -> None:
        self._all([(task_name(*one), partial(self._draw, *one)) for one in tasks])
        for name, normalise in tasks:
            self._judge(name, normalise)
        self._choose()
        cells: list[Task] = []
        for arm in self.study.arms:
            for seed in self.study.seeds_of(arm):
                if arm.name in self.notes:
                    self.progress.drop(cell_name(arm.name, seed))
                else:
                    cells.append((cell_name(arm.name, seed), partial(self._cell, arm, seed)))
        self._all(cells)

    def _all(self, tasks: list[Task]) -> None:
        """As many at a time as the runner takes."""

        def one(task: Task) -> None:
            with self.progress.doing(task[0]):
                task[1]()

        with ThreadPoolExecutor(self.runner.lanes) as pool:
            try:
                for done in [pool.submit(one, task) for task in tasks]:
                    done.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _draw(self, name: str, normalise: str) -> None:
        began = time.monotonic()
        try:
            pool = self.generators.pool(name, normalise)
        except UserError as error:
            self._without(name, normalise, str(error))
            return
        self.pools[name, normalise] = pool
        self.rates.keep(task_name(name, normalise), time.monotonic() - began)

    def _without(self, name: str, normalise: str, why: str) -> None:
        for arm in self.study.arms:
            if (arm.extra, arm.normalise) == (name, normalise):
                self.notes[arm.name] = why
        logger.warning("%s: %s", task_name(name, normalise), why)

    def _cell(self, arm: Arm, seed: int) -> None:
        real, pool = self.prepared[arm.normalise], self.pools.get((arm.extra, arm.normalise))
        began = time.monotonic()
        try:
            cell = self.classifier.cell(arm, seed, real, pool)
            outcome = self.classifier.run(cell, real)
        except Exception as error:  # whatever it is, the others go on, and the table has it
            mistake = isinstance(error, UserError)
            why = str(error) if mistake else f"{type(error).__name__}: {error}"
            self.failures[arm.name, seed] = why
            logger.warning("%s: %s", cell_name(arm.name, seed), why, exc_info=not mistake)
            return
        self.outcomes[arm.name, seed] = outcome
        taken = time.monotonic() - began
        if taken > outcome.seconds / 2:  # else it was done before
            self.rates.keep(cell_name(arm.name, seed), taken)

    # ---- scores of generated images

    def _judge(self, name: str, normalise: str) -> None:
        pool = self.pools.get((name, normalise))
        extractor = next(iter(self.study.extractors), "")
        if pool is None or not extractor:
            return
        real, study = self.prepared[normalise], self.study
        try:
            found = scores(judge(pool, real, study, "test"), extractor)
            if study.choose:
                chosen = scores(judge(pool, real, study, "validation"), extractor)
                found["fd_ratio_validation"] = chosen["fd_ratio"]
        except UserError as error:
            logger.warning("%s has no scores: %s", task_name(name, normalise), error)
            return
        for arm in study.arms:
            if (arm.extra, arm.normalise) == (name, normalise):
                self.quality[arm.name] = found

    def _choose(self) -> None:
        for group in self.study.choose:
            ratio = {
                name: self.quality[name]["fd_ratio_validation"]
                for name in group
                if name in self.quality and name not in self.notes
            }
            if not ratio:
                raise UserError(f"choose must find an arm with an FD ratio, got none of {group}")
            best = max(ratio, key=lambda name: ratio[name])
            for name in ratio:
                if name != best:
                    self.notes[name] = (
                        f"not chosen: FD ratio {ratio[name]:.3f} on validation patients, "
                        f"{best} has {ratio[best]:.3f}"
                    )

    # ---- the rest

    def _result(self) -> StudyResult:
        study, real = self.study, self.prepared["none"]
        arms = arm_results(study, self.outcomes, self.failures, self.quality, self.notes)
        pairs = compared(study, self.outcomes)
        weights, note = weigh_scores(arms, pairs)
        found = shortcuts(
            self.pictures,
            real,
            dataset_of(study),
            seed=study.seeds[0],
            cache=study.cache / "features",
        )
        return StudyResult(
            study,
            real.classes,
            {split: real.counts(split) for split in ("training", "validation", "test", "external")},
            len({one.patient for one in real.of("test")}),
            arms,
            pairs,
            tuple(found),
            weights,
            note,
            sum(one.seconds for one in self.outcomes.values()),
        )
