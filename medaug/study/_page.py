"""A study's result as one HTML page in the style of the evaluation report."""

from collections.abc import Iterator, Sequence

from ..evaluation import Estimate
from ..report._document import Section, document
from ..report._html import Child, Markup, join, tag
from ..report._numbers import estimate, number
from ._comparison import Comparison
from ._forest import forest
from ._keys import versions
from ._quality import SCORES
from ._result import METRICS, ArmResult, Pair, StudyResult, Verdict
from ._words import METRIC_WORDS, answer, arm_words, sentence, signed, warning

TITLE = "Do synthetic images help?"
BADGES = {
    Verdict.HELPS: ("✓ helps", "good"),
    Verdict.HARMS: ("✕ harms", "bad"),
    Verdict.NO_DIFFERENCE: ("? no difference shown", "open"),
    Verdict.EXPLORATORY: ("exploratory", "open"),
    Verdict.FAILED: ("failed", "open"),
}
RED = (
    ".alarm{margin:1rem 0 0;padding:.6rem .9rem;border:2px solid var(--bad);border-radius:.5rem;"
    "background:var(--bad-tint);color:var(--bad);font-weight:600}"
    ".scroll{overflow-x:auto}.cards{margin-top:.8rem}"
    "td.bad{color:var(--bad);font-weight:700}"
)
HEADS = {
    "accuracy": "Accuracy",
    "macro_precision": "Precision",
    "macro_recall": "Recall",
    "macro_auprc": "AUPRC",
    "fd_ratio": "FD ratio",
    "kid": "KID",
    "inception_score": "IS",
    "ms_ssim": "MS-SSIM",
}


def page(result: StudyResult) -> str:
    """The page's HTML."""
    alarm = tag("p", warning(result), class_="alarm", role="alert") if result.alarms else None
    top = join(alarm, tag("p", answer(result), class_="summary"))
    return document(TITLE, top, _parts(result), style=RED)


def _parts(result: StudyResult) -> Iterator[Section]:
    """Anchor, heading and content of each section; None for what isn't there."""
    yield "verdicts", "Verdicts", _cards(result)
    yield "shortcuts", "Can labels be told without the disease?", _shortcuts(result)
    yield "arms", "All arms", _arms(result.arms, external=False)
    elsewhere = any(one.external for one in result.arms)
    yield "external", "At a second hospital", _external(result) if elsewhere else None
    scored = [one for one in result.arms if one.quality]
    yield "quality", "Scores of the generated images", _quality(scored) if scored else None
    yield "weights", "Which scores predicted a gain?", _weights(result)
    failed = [one for one in result.arms if one.failed or one.note]
    yield "failed", "What was not trained", _failed(failed) if failed else None
    yield "method", "How it was computed", _method(result)


def _cards(result: StudyResult) -> Markup:
    told = [one for one in result.pairs if one.difference]
    lead = (
        f"Each arm less its reference by {METRIC_WORDS[result.study.metric]}, on the same patients "
        "and seeds. The line is the 95 % interval: over patients (a bootstrap) and over trainings. "
        "A verdict needs p below 0.05 after Holm's correction for all comparisons with a verdict."
    )
    return join(
        tag("p", lead, class_="lead"),
        forest([(f"{one.arm} − {one.against}", one.difference) for one in told if one.difference]),
        tag("div", (_card(result, one) for one in result.pairs), class_="cards"),
    )


def _card(result: StudyResult, pair: Pair) -> Markup:
    mark, style = BADGES[pair.verdict]
    reasons = []
    if pair.mcnemar:
        told = ", ".join(f"{value:.3f}" for value in pair.mcnemar)
        reasons.append(f"McNemar's test, for each seed: p = {told}")
    if pair.control:
        reasons.append("the reference has as many images: real ones, repeated")
    if pair.external is not None:
        found = pair.external
        reasons.append(
            f"at the second hospital {signed(found.difference)} ({signed(found.low)} to "
            f"{signed(found.high)}), not corrected"
        )
    return tag(
        "article",
        tag("p", mark, class_=f"badge {style}"),
        tag("h3", pair.arm),
        tag("p", arm_words(result.study.arm(pair.arm)), class_="question"),
        tag("p", sentence(result, pair), class_="answer"),
        tag("ul", (tag("li", one) for one in reasons), class_="reasons") if reasons else None,
        class_=f"card {style}",
    )


def _shortcuts(result: StudyResult) -> Markup:
    rows = [
        [
            one.name,
            one.how,
            estimate(Estimate(one.value, one.low, one.high)),
            number(one.chance),
            "yes" if one.alarm else "no" if one.name != "whole images" else "",
        ]
        for one in result.shortcuts
    ]
    lead = (
        "A small network that can't see the lungs, or only the border, should not do better than "
        "guessing. Where it does, other things than the disease give the label away, and a "
        "generator copies those too."
    )
    heads = ("What is seen", "How", "Balanced accuracy", "Guessing", "Tells the label")
    return join(tag("p", lead, class_="lead"), _table("Shortcuts", heads, rows, wide=False))


def _arms(arms: Sequence[ArmResult], *, external: bool) -> Markup:
    rows = []
    for one in arms:
        figures = one.external if external else one.figures
        seeds = f"{len(one.seeds)}{' (exploratory)' if one.arm.exploratory else ''}"
        cells = [estimate(_of(figures[name])) if figures else "–" for name in METRICS]
        rows.append([one.arm.name, arm_words(one.arm), seeds, _counts(one), *cells])
    heads = ("Arm", "What", "Seeds", "Training images", *(HEADS[name] for name in METRICS))
    caption = "Means over seeds with 95 % intervals; precision, recall and AUPRC over classes"
    return _table(caption, heads, rows, wide=True)


def _counts(one: ArmResult) -> str:
    return " + ".join(map(str, one.counts)) or "–"


def _external(result: StudyResult) -> Markup:
    words = "Images that were only tested by, never trained on or chosen by."
    return join(tag("p", words, class_="lead"), _arms(result.arms, external=True))


def _quality(arms: Sequence[ArmResult]) -> Markup:
    rows = [
        [one.arm.name, *(number(one.quality[k]) if k in one.quality else "–" for k in SCORES)]
        for one in arms
    ]
    words = (
        "Beside the test patients. FD ratio: 1 is as near as real training images are; KID: 0 is "
        "best; MS-SSIM of pairs within a class, high where all look alike."
    )
    heads = ("Arm", *(HEADS[name] for name in SCORES))
    return join(tag("p", words, class_="lead"), _table("Scores", heads, rows, wide=True))


def _weights(result: StudyResult) -> Markup:
    found = result.weights
    if found is None:
        return tag("p", f"Left out: {result.weights_note}.")
    rows = [
        [HEADS[name], estimate(Estimate(found.weights[name], found.low[name], found.high[name]))]
        for name in SCORES
    ]
    words = (
        f"Shapley values of R squared ({found.r2:.2f} in all) of the gain beside the reference, "
        f"{result.weights_note}. These are HyperScore's weights from this study."
    )
    table = _table("Weights", ("Score", "Share"), rows, wide=False)
    return join(tag("p", words, class_="lead"), table)


def _failed(arms: Sequence[ArmResult]) -> Markup:
    rows = [[one.arm.name, "all", one.note] for one in arms if one.note]
    rows += [[one.arm.name, str(k), why] for one in arms for k, why in one.failed.items()]
    return _table("Not trained", ("Arm", "Seed", "Why"), rows, wide=False)


def _method(result: StudyResult) -> Markup:
    study = result.study
    rows = [
        [split, *(str(count) for count in counts)]
        for split, counts in result.counts.items()
        if any(counts)
    ]
    words = (
        f"One split by patient (seed {study.split['seed']}), the same for all arms; "
        f"{result.patients} test patients. Seeds {', '.join(map(str, study.seeds))}; "
        f"{study.steps:,} optimiser steps of the classifier in every arm, best of "
        f"{study.validations} validations; images of {study.image_size} pixels. Generators saw the "
        "training patients alone; one training of each generator serves all seeds, so intervals "
        "don't hold what another training of the generator would change. Real and generated "
        "images were normalised alike, once, and kept with 8 bits."
    )
    if len(study.seeds) < 5:
        words += f" With {len(study.seeds)} seeds, small differences can't be shown."
    pairs = (tag("div", tag("dt", key), tag("dd", value)) for key, value in versions().items())
    return join(
        tag("p", words),
        _table("Images", ("Split", *result.classes), rows, wide=False),
        tag("h3", "Versions"),
        tag("dl", pairs),
    )


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[Child]], *, wide: bool
) -> Markup:
    body = (
        tag("tr", tag("th", row[0], scope="row"), (tag("td", cell) for cell in row[1:]))
        for row in rows
    )
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", (tag("th", head, scope="col") for head in heads))),
        tag("tbody", body),
    )
    return tag("div", table, class_="scroll" if wide else "table")


def _of(found: Comparison) -> Estimate:
    return Estimate(found.difference, found.low, found.high)
