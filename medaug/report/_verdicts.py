"""What comes first: four answers in words, and the headline figure."""

from collections.abc import Iterator, Sequence

from ..evaluation import Answer, Evaluation, Figure, Verdict
from ._html import Markup, join, tag
from ._meaning import kind_of
from ._numbers import estimate
from ._plots import gauge

TITLES = {
    "intra_class_collapse": "Collapse within a class",
    "inter_class_collapse": "Collapse between classes",
    "infidelity": "Infidelity",
    "memorisation": "Memorisation",
}
MARKS = {Answer.YES: "✕ Yes", Answer.NO: "✓ No", Answer.UNKNOWN: "? Can't tell at this n"}
STYLES = {Answer.YES: "bad", Answer.NO: "good", Answer.UNKNOWN: "open"}
MEANINGS = {
    ("intra_class_collapse", Answer.YES): "In at least one class the generator makes too few "
    "kinds of images.",
    ("intra_class_collapse", Answer.NO): "No sign that the variety within a class has collapsed.",
    ("inter_class_collapse", Answer.YES): "Classes are missing, or images don't show the class "
    "that was asked for.",
    ("inter_class_collapse", Answer.NO): "No sign that classes are missing or mixed up.",
    ("infidelity", Answer.YES): "The images are farther from held-out real ones than real "
    "training images are.",
    ("infidelity", Answer.NO): "At this number of images, they are as near to held-out real ones "
    "as real training images are.",
    ("memorisation", Answer.YES): "They are nearer to training images than other patients' "
    "images are: copies, or nearly so. Treat them as patients' images.",
    ("memorisation", Answer.NO): "No sign that training images have been copied.",
}
UNSURE = "These images can't tell."


def summary(verdicts: Sequence[Verdict]) -> Markup:
    """One sentence: how many of the answers are bad news."""
    bad = [TITLES.get(one.name, one.name).lower() for one in verdicts if one.answer is Answer.YES]
    unknown = sum(one.answer is Answer.UNKNOWN for one in verdicts)
    found = f"Found: {', '.join(bad)}." if bad else "No fault found."
    rest = f" {unknown} of {len(verdicts)} questions can't be answered." if unknown else ""
    return tag("strong", found + rest if unknown < len(verdicts) else rest.strip())


def verdict_cards(verdicts: Sequence[Verdict]) -> Markup:
    """A card for each question."""
    return tag("div", map(_card, verdicts), class_="cards")


def headline(evaluation: Evaluation) -> Markup:
    """The FD ratio by each extractor."""
    cards = list(_ratios(evaluation.figures))
    if not cards:
        return tag("p", "No extractor could be used, so there is no FD ratio.")
    meaning = (
        "The distance between real training images and held-out real ones, divided by the "
        "distance between generated and held-out ones. At 1, generated images are as near to real "
        "ones as real images of other patients are; a copy of the training set reaches 1, too, so "
        "it only counts where there is no memorisation."
    )
    return join(tag("p", meaning, class_="lead"), tag("div", cards, class_="cards narrow"))


def _card(verdict: Verdict) -> Markup:
    style = STYLES[verdict.answer]
    return tag(
        "article",
        tag("p", MARKS[verdict.answer], class_=f"badge {style}"),
        tag("h3", TITLES.get(verdict.name, verdict.name)),
        tag("p", verdict.question, class_="question"),
        tag("p", MEANINGS.get((verdict.name, verdict.answer), UNSURE), class_="answer"),
        tag("ul", (tag("li", reason) for reason in verdict.reasons), class_="reasons")
        if verdict.reasons
        else None,
        class_=f"card {style}",
    )


def _ratios(figures: Sequence[Figure]) -> Iterator[Markup]:
    for one in figures:
        if kind_of(one.name).title == "FD ratio":
            label = one.name.removesuffix("_ratio").removeprefix("fd_")
            yield tag(
                "article",
                tag("p", estimate(one.synthetic), class_="big"),
                gauge(one.synthetic),
                tag("p", f"by {label}, {one.n:,} images on each side", class_="soft"),
                class_="card",
            )
