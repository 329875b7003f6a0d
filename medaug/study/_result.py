"""What a study has found: figures of each arm, comparisons, verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ..errors import UserError
from ..metrics import ShapleyWeights, shapley_weights
from ._cells import Outcome
from ._comparison import Comparison, Metric, Predictions, compare, estimate, holm, mcnemar
from ._config import DUPLICATES, NOTHING, Arm, Study
from ._quality import SCORES, shapley_rows
from ._scores import accuracy, balanced_accuracy, macro_auprc, macro_precision
from ._shortcuts import Shortcut

METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "macro_precision": macro_precision,
    "macro_recall": balanced_accuracy,
    "macro_auprc": macro_auprc,
}
"""Columns of the table; the mean recall is the balanced accuracy."""
JUDGES = METRICS | {"balanced_accuracy": balanced_accuracy}
LEVEL = 0.05


class Verdict(StrEnum):
    """What a comparison says."""

    HELPS = "helps"
    NO_DIFFERENCE = "no difference shown"
    HARMS = "harms"
    EXPLORATORY = "exploratory"
    FAILED = "failed"


class Pair(NamedTuple):
    """An arm beside another.

    Attributes:
        arm: name.
        against: name of the reference.
        control: whether the reference has as many duplicates of real images.
        difference: of the study's metric; None where a side has no training.
        corrected: p-value by Holm over all comparisons with a verdict; None for others.
        mcnemar: p-value for each pair of trainings.
        verdict: by the corrected p-value and the sign.
        external: the difference at a second hospital, where there is one.
    """

    arm: str
    against: str
    control: bool
    difference: Comparison | None
    corrected: float | None
    mcnemar: tuple[float, ...]
    verdict: Verdict
    external: Comparison | None


@dataclass(frozen=True)
class ArmResult:
    """Figures of an arm.

    Attributes:
        arm: whose.
        seeds: that were trained.
        figures: by metric, means over seeds with intervals.
        external: the same at a second hospital.
        counts: training images of each class, the added ones too.
        quality: scores of the arm's generated images.
        failed: reasons, by seed.
        note: why it wasn't trained at all; empty where it was.
    """

    arm: Arm
    seeds: tuple[int, ...]
    figures: Mapping[str, Comparison]
    external: Mapping[str, Comparison]
    counts: tuple[int, ...]
    quality: Mapping[str, float]
    failed: Mapping[int, str]
    note: str = ""


@dataclass(frozen=True)
class StudyResult:
    """Everything that the page and the tables have.

    Attributes:
        study: what was asked.
        classes: names.
        counts: real images of each class, by split.
        patients: of the test.
        arms: in the study's order.
        pairs: comparisons.
        shortcuts: what labels can be told by without the disease.
        weights: which scores of generated images go with a gain; None, and `weights_note` why.
        weights_note: in words.
        seconds: of all cells together.
    """

    study: Study
    classes: tuple[str, ...]
    counts: Mapping[str, Sequence[int]]
    patients: int
    arms: tuple[ArmResult, ...]
    pairs: tuple[Pair, ...]
    shortcuts: tuple[Shortcut, ...]
    weights: ShapleyWeights | None
    weights_note: str
    seconds: float

    @property
    def alarms(self) -> list[Shortcut]:
        """Shortcuts that work."""
        return [one for one in self.shortcuts if one.alarm]


Outcomes = Mapping[tuple[str, int], Outcome]


def arm_results(
    study: Study,
    outcomes: Outcomes,
    failures: Mapping[tuple[str, int], str],
    qualities: Mapping[str, Mapping[str, float]],
    notes: Mapping[str, str],
) -> tuple[ArmResult, ...]:
    """Figures of each arm.

    Args:
        study: whose arms.
        outcomes: of cells, by arm and seed.
        failures: reasons, by arm and seed.
        qualities: scores, by arm.
        notes: why arms weren't trained.
    """
    found = []
    for arm in study.arms:
        seeds = tuple(seed for seed in study.seeds_of(arm) if (arm.name, seed) in outcomes)
        made = [outcomes[arm.name, seed] for seed in seeds]
        test, external = ([one.test for one in made], [one.external for one in made])
        found.append(
            ArmResult(
                arm,
                seeds,
                _figures(test),
                _figures([one for one in external if one is not None]),
                tuple(made[0].learned_from["all"]) if made else (),
                qualities.get(arm.name, {}),
                {seed: why for (name, seed), why in failures.items() if name == arm.name},
                notes.get(arm.name, ""),
            )
        )
    return tuple(found)


def _figures(made: Sequence[Predictions]) -> dict[str, Comparison]:
    if not made:
        return {}
    return {name: estimate(made, metric) for name, metric in METRICS.items()}


def compared(study: Study, outcomes: Outcomes) -> tuple[Pair, ...]:
    """Each arm against its reference, and against as many duplicates where an arm has them."""
    wanted = [(arm, arm.against, False) for arm in study.arms if arm.against]
    for arm in study.arms:
        wanted += [(arm, one, True) for one in _controls(study, arm)]
    pairs = [_pair(study, outcomes, *one) for one in wanted]
    judged = [k for k, one in enumerate(pairs) if one.verdict is Verdict.NO_DIFFERENCE]
    corrected = holm([_p_value(pairs[k]) for k in judged])
    for k, value in zip(judged, corrected, strict=True):
        pairs[k] = pairs[k]._replace(corrected=value, verdict=verdict(pairs[k].difference, value))
    return tuple(pairs)


def verdict(difference: Comparison | None, corrected: float) -> Verdict:
    """Helps or harms where chance is an unlikely reason, else no difference shown."""
    if difference is None or corrected >= LEVEL:
        return Verdict.NO_DIFFERENCE
    return Verdict.HELPS if difference.difference > 0 else Verdict.HARMS


def _p_value(pair: Pair) -> float:
    assert pair.difference is not None
    return pair.difference.p_value


def _controls(study: Study, arm: Arm) -> list[str]:
    if arm.extra in (NOTHING, DUPLICATES):
        return []
    alike = (arm.normalise, arm.model, arm.ratio, arm.augment, arm.class_weights)
    return [
        one.name
        for one in study.arms
        if one.extra == DUPLICATES
        and (one.normalise, one.model, one.ratio, one.augment, one.class_weights) == alike
        and one.name != arm.against
    ]


def _pair(study: Study, outcomes: Outcomes, arm: Arm, against: str, control: bool) -> Pair:
    """Without a correction yet: whatever has a verdict has "no difference shown"."""
    seeds = [
        seed for seed in study.seeds if (arm.name, seed) in outcomes and (against, seed) in outcomes
    ]
    if not seeds:
        return Pair(arm.name, against, control, None, None, (), Verdict.FAILED, None)
    ours, theirs = ([outcomes[name, seed] for seed in seeds] for name in (arm.name, against))
    metric = JUDGES[study.metric]
    test = compare([one.test for one in theirs], [one.test for one in ours], metric)
    tests = tuple(mcnemar(b.test, a.test) for a, b in zip(ours, theirs, strict=True))
    elsewhere = [
        (b.external, a.external)
        for a, b in zip(ours, theirs, strict=True)
        if a.external is not None and b.external is not None
    ]
    external = (
        compare([b for b, _ in elsewhere], [a for _, a in elsewhere], metric) if elsewhere else None
    )
    first = Verdict.EXPLORATORY if len(seeds) < 2 else Verdict.NO_DIFFERENCE
    return Pair(arm.name, against, control, test, None, tests, first, external)


def weigh_scores(
    arms: Sequence[ArmResult], pairs: Sequence[Pair]
) -> tuple[ShapleyWeights | None, str]:
    """Which scores of generated images go with a gain in the classifier, over arms.

    Returns:
        Shapley weights, or None; and why there are none, or how few arms there are.
    """
    gains = {
        one.arm: one.difference.difference for one in pairs if not one.control and one.difference
    }
    rows, outcome = shapley_rows(
        [(dict(one.quality), gains[one.arm.name]) for one in arms if one.arm.name in gains]
    )
    if len(rows) < len(SCORES) + 2:
        return None, (
            f"needs at least {len(SCORES) + 2} arms with generated images and all of "
            f"{', '.join(SCORES)}, got {len(rows)}"
        )
    try:
        found = shapley_weights(rows, outcome, names=SCORES)
    except UserError as error:
        return None, str(error)
    return found, f"over {len(rows)} arms, few for {len(SCORES)} scores: read the intervals"
