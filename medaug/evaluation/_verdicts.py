"""Four questions about a generator, each answered by yes, no, or that the images can't tell."""

from collections.abc import Sequence
from enum import StrEnum
from math import exp, log
from typing import NamedTuple

from ._features import DOMAIN, distance_name
from ._figures import Estimate, Figure, Gap, find
from ._structure import THUMBNAILS

LEAST_OF_A_CLASS = 10
"""Images of a class below which nothing is said about it."""
SIMILAR = 0.1
"""MS-SSIM above real that is no ground for alarm."""
VARIETY = (0.6, 0.8)
"""Vendi score as a share of the real one: surely above the first is well, surely below the second a
collapse. Two sets of real patients differ by a tenth."""
ACCURACY = 0.15
"""By how much classes may be seen less often than in held-out images."""
NOVELTY = (-0.25, -0.1)
"""Authenticity, less that of held-out images: surely above the first is well, surely below the
second are copies."""
FIDELITY = 0.9
"""FD ratio at which images are as good as the real ones for all that n images tell."""


class Answer(StrEnum):
    """What can be said."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "can't tell at this n"


class Verdict(NamedTuple):
    """An answer and what it rests on.

    Attributes:
        name: "intra_class_collapse", "inter_class_collapse", "infidelity" or "memorisation", of
            sequences "motion" and "condition" as well; yes is bad news in each.
        question: in words.
        answer: yes, no, or can't tell.
        reasons: sentences with the figures.
    """

    name: str
    question: str
    answer: Answer
    reasons: tuple[str, ...]


def verdicts(
    figures: Sequence[Figure], classes: Sequence[str], *, extractors: Sequence[str], judge: str
) -> tuple[Verdict, ...]:
    """Answer the four questions from the figures of an evaluation.

    Args:
        figures: all of them.
        classes: names.
        extractors: whose features fidelity is judged by.
        judge: the classifier.
    """
    distances = [
        Distance(name, name, f"{distance_name(name)}_ratio", f"kid_{name}") for name in extractors
    ]
    return (
        intra(figures, classes, "images of a class"),
        inter(figures, judge, "classes"),
        infidelity(figures, distances, "images"),
        memorisation(figures, "images"),
    )


def intra(figures: Sequence[Figure], classes: Sequence[str], what: str) -> Verdict:
    """Collapse within a class: more alike than real ones, and of fewer kinds."""
    answers, reasons = [], []
    for name in classes:
        alike = next((f for f in figures if f.scope == name and f.name.startswith("msssim")), None)
        kinds = find(figures, f"vendi_{THUMBNAILS}", name)
        if alike is None or kinds is None or alike.n < LEAST_OF_A_CLASS:
            answers.append(Answer.UNKNOWN)
            reasons.append(f"{name}: fewer than {LEAST_OF_A_CLASS} on a side")
            continue
        gap, ratio = alike.difference(), _ratio(kinds)
        answers.append(
            answer(
                bad=gap.low > 0 and ratio.high < VARIETY[1],
                good=gap.high < SIMILAR or ratio.low > VARIETY[0],
            )
        )
        reasons.append(
            f"{name}: MS-SSIM {gap.value:+.3f} beside real ({gap.low:+.3f} to {gap.high:+.3f}), "
            f"variety {ratio.value:.2f} of real ({ratio.low:.2f} to {ratio.high:.2f})"
        )
    return Verdict(
        "intra_class_collapse",
        f"Are the {what} more alike than real ones?",
        worst(answers),
        tuple(reasons),
    )


def inter(figures: Sequence[Figure], judge: str, what: str) -> Verdict:
    """Collapse between classes: fewer classes seen, and not those that were asked for."""
    question = f"Does the generator leave out {what}, or mix them up?"
    score, agreement = find(figures, f"is_{judge}"), find(figures, f"agreement_{judge}")
    if score is None or agreement is None:
        return Verdict(
            "inter_class_collapse", question, Answer.UNKNOWN, ("there is only one class",)
        )
    seen, right = score.difference(), agreement.difference()
    return Verdict(
        "inter_class_collapse",
        question,
        answer(bad=seen.high < 0 and right.high < 0, good=right.low > -ACCURACY or seen.low > 0),
        (
            f"inception score {score.synthetic.value:.2f} beside real {_value(score.real):.2f} "
            f"({seen.low:+.2f} to {seen.high:+.2f})",
            f"the classifier sees the class asked for in {agreement.synthetic.value:.0%}; it is "
            f"right on {_value(agreement.real):.0%} of held-out ones "
            f"({right.low:+.0%} to {right.high:+.0%})",
        ),
    )


class Distance(NamedTuple):
    """What infidelity is judged by.

    Attributes:
        extractor: whose features.
        label: for the reason.
        ratio: name of an FD ratio.
        kid: name of a KID, which has to agree; None for none.
    """

    extractor: str
    label: str
    ratio: str
    kid: str | None = None


def infidelity(figures: Sequence[Figure], distances: Sequence[Distance], what: str) -> Verdict:
    """Distances beyond the floor."""
    answers, reasons = [], []
    for one in distances:
        ratio = find(figures, one.ratio)
        kid = find(figures, one.kid) if one.kid else None
        if ratio is None or (one.kid and kid is None):
            continue
        low, high = ratio.synthetic.ends
        reason = (
            f"{one.label}: floor / distance {ratio.synthetic.value:.2f} ({low:.2f} to {high:.2f})"
        )
        beyond = True
        if kid is not None:
            gap = kid.difference()
            beyond = gap.low > 0
            reason += f", KID {gap.value:+.3g} beside the floor ({gap.low:+.3g} to {gap.high:+.3g})"
        answers.append(answer(bad=high < FIDELITY and beyond, good=high >= FIDELITY))
        reasons.append(reason)
    if not reasons:
        reasons = ["no network to see it with: see what was left out"]
    elif {one.extractor for one in distances} == {DOMAIN} and worst(answers) is Answer.NO:
        reasons.append(
            "seen only by a classifier of the classes, which misses what doesn't tell them apart: "
            "judge by efficientnet_lite0, too"
        )
    return Verdict(
        "infidelity",
        f"Can the {what} be told from real ones as a set?",
        worst(answers),
        tuple(reasons),
    )


def memorisation(figures: Sequence[Figure], what: str) -> Verdict:
    """Nearer to the training ones than held-out real ones are."""
    question = f"Are they nearer to training {what} than other real {what} are?"
    novelty = find(figures, f"authenticity_{THUMBNAILS}")
    if novelty is None:
        return Verdict("memorisation", question, Answer.UNKNOWN, ("no figure",))
    gap = novelty.difference()
    return Verdict(
        "memorisation",
        question,
        answer(bad=gap.high < NOVELTY[1], good=gap.low > NOVELTY[0]),
        (
            f"{novelty.synthetic.value:.0%} lie farther from the nearest training one than that "
            f"one from its own nearest; of held-out ones {_value(novelty.real):.0%} "
            f"(difference {gap.low:+.0%} to {gap.high:+.0%})",
        ),
    )


def answer(*, bad: bool, good: bool) -> Answer:
    """Yes is bad news."""
    if bad:
        return Answer.YES
    return Answer.NO if good else Answer.UNKNOWN


def worst(answers: Sequence[Answer]) -> Answer:
    """Of several answers: yes, else unknown, else no."""
    order = (Answer.YES, Answer.UNKNOWN, Answer.NO)
    return next((answer for answer in order if answer in answers), Answer.UNKNOWN)


def _value(estimate: Estimate | None) -> float:
    return float("nan") if estimate is None else estimate.value


def _ratio(figure: Figure) -> Gap:
    """Synthetic by real, of positive values: the difference of logarithms."""
    real = figure.real
    assert real is not None
    tiny = 1e-6

    def logs(estimate: Estimate) -> Estimate:
        return Estimate(*(log(max(one, tiny)) for one in (estimate.value, *estimate.ends)))

    gap = figure._replace(synthetic=logs(figure.synthetic), real=logs(real)).difference()
    return Gap(*(exp(one) for one in gap))
