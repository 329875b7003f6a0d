"""What a study has found, in plain words, written from its numbers."""

from collections.abc import Sequence

from ._comparison import Comparison
from ._config import DUPLICATES, NOTHING, Arm
from ._result import Pair, StudyResult, Verdict

METRIC_WORDS = {
    "macro_auprc": "the mean area under the precision-recall curves",
    "balanced_accuracy": "the balanced accuracy",
    "accuracy": "the accuracy",
}
FEW_SEEDS = 5


def conclusion(result: StudyResult) -> str:
    """The study's answer, in one paragraph, and whether it may be believed."""
    said = answer(result)
    return f"{said} {warning(result)}" if result.alarms else said


def answer(result: StudyResult) -> str:
    """The study's answer, in one paragraph."""
    made = [one for one in _judged(result, control=False) if _is_generated(result, one)]
    controls = [one for one in _judged(result, control=True)]
    parts = [_counted(made, "generated images", "their reference"), *map(sentence_short, made)]
    if controls:
        parts.append(_counted(controls, "generated images", "as many duplicates of real images"))
    others = [one for one in _judged(result, control=False) if not _is_generated(result, one)]
    parts += map(sentence_short, others)
    return " ".join(part for part in parts if part)


def warning(result: StudyResult) -> str:
    """What the shortcut checks say, where they do."""
    told = "; ".join(
        f"with {one.name} {one.value:.2f} ({one.low:.2f} to {one.high:.2f})"
        for one in result.alarms
    )
    return (
        "The labels can be told without the disease: balanced accuracy "
        f"{told}, where guessing has {result.alarms[0].chance:.2f}. So these figures say how well "
        "collections are told apart, not how well a disease is found."
    )


def sentence(result: StudyResult, pair: Pair) -> str:
    """One comparison, with its interval."""
    what, found = METRIC_WORDS[result.study.metric], pair.difference
    if found is None:
        return f"{pair.arm} can't be compared with {pair.against}: a side has no training."
    number = (
        f"{signed(found.difference)} (95 % interval {signed(found.low)} to {signed(found.high)})"
    )
    over = f"over {found.seeds} seed{'s' * (found.seeds > 1)} and {found.patients} test patients"
    if pair.verdict is Verdict.EXPLORATORY:
        return (
            f"{pair.arm} beside {pair.against}: {what} differs by {number}, {over}; one training "
            "each tells nothing of other trainings, so there is no verdict."
        )
    chance = f"p = {pair.corrected:.3f} by Holm" if pair.corrected is not None else ""
    words = {
        Verdict.HELPS: f"{what} rises by {number}",
        Verdict.HARMS: f"{what} falls: {number}",
        Verdict.NO_DIFFERENCE: f"no difference shown: {what} differs by {number}",
    }[pair.verdict]
    return f"{pair.arm} beside {pair.against}: {words}, {over}; {chance}.{_limits(pair, found)}"


def sentence_short(pair: Pair) -> str:
    """One comparison, as part of a paragraph."""
    found = pair.difference
    assert found is not None
    interval = f"{signed(found.difference)}, {signed(found.low)} to {signed(found.high)}"
    return f"{pair.arm} beside {pair.against}: {pair.verdict} ({interval})."


def signed(value: float) -> str:
    """Three decimals and the sign."""
    text = f"{value:+.3f}"
    return "0.000" if text[1:] == "0.000" else text.replace("-", "−")


def arm_words(arm: Arm) -> str:
    """What an arm is, in a few words."""
    parts = [f"normalised by {arm.normalise}" if arm.normalise != NOTHING else "not normalised"]
    if arm.extra == DUPLICATES:
        parts.append(f"real images repeated, ratio {arm.ratio:g}")
    elif arm.extra != NOTHING:
        how = "pre-trained on" if arm.pretrain else "with"
        parts.append(f"{how} images of {arm.extra}, ratio {arm.ratio:g}")
    if arm.augment:
        parts.append("classic augmentation")
    if arm.class_weights:
        parts.append("class weights")
    return ", ".join(parts)


def _limits(pair: Pair, found: Comparison) -> str:
    if pair.verdict is not Verdict.NO_DIFFERENCE:
        return ""
    return (
        f" A gain above {max(found.high, 0):.3f} or a loss above {max(-found.low, 0):.3f} is "
        "unlikely; smaller ones can't be told from none."
    )


def _judged(result: StudyResult, *, control: bool) -> list[Pair]:
    silent = (Verdict.EXPLORATORY, Verdict.FAILED)
    return [one for one in result.pairs if one.control is control and one.verdict not in silent]


def _is_generated(result: StudyResult, pair: Pair) -> bool:
    return result.study.arm(pair.arm).extra not in (NOTHING, DUPLICATES)


def _counted(pairs: Sequence[Pair], what: str, beside: str) -> str:
    if not pairs:
        return f"No arm with {what} has a verdict."
    counts = {
        verdict: sum(one.verdict is verdict for one in pairs)
        for verdict in (Verdict.HELPS, Verdict.NO_DIFFERENCE, Verdict.HARMS)
    }
    told = ", ".join(f"{verdict} in {count}" for verdict, count in counts.items() if count)
    number = len(pairs)
    return f"Of {number} arm{'s' * (number > 1)} with {what}, beside {beside}: {told}."
