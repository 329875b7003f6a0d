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
    "motion": "Motion",
    "condition": "Ejection fraction",
}
MARKS = {Answer.YES: "✕ Yes", Answer.NO: "✓ No", Answer.UNKNOWN: "? Can't tell at this n"}
STYLES = {Answer.YES: "bad", Answer.NO: "good", Answer.UNKNOWN: "open"}
MEANINGS = {
    ("intra_class_collapse", Answer.YES): "In at least one class the generator makes too few "
    "kinds.",
    ("intra_class_collapse", Answer.NO): "No sign that the variety within a class has collapsed.",
    ("inter_class_collapse", Answer.YES): "Classes are missing, or what was made doesn't show the "
    "class that was asked for.",
    ("inter_class_collapse", Answer.NO): "No sign that classes are missing or mixed up.",
    ("infidelity", Answer.YES): "They are farther from held-out real ones than real "
    "training data are.",
    ("infidelity", Answer.NO): "At this number, they are as near to held-out real ones as real "
    "training data are.",
    ("memorisation", Answer.YES): "They are nearer to training data than other patients are: "
    "copies, or nearly so. Treat them as patients' data.",
    ("memorisation", Answer.NO): "No sign that training data have been copied.",
    ("motion", Answer.YES): "They move far less or far more from frame to frame than real hearts.",
    ("motion", Answer.NO): "They move about as much from frame to frame as real hearts.",
    ("condition", Answer.YES): "What is seen hangs too little on what was asked for.",
    ("condition", Answer.NO): "Who asks for a stronger heart gets one.",
}
UNSURE = "These can't tell."


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
        "The distance between real training data and held-out real data, divided by the distance "
        "between generated and held-out data. At 1, what was generated is as near to the real as "
        "other patients are; a copy of the training set reaches 1, too, so it only counts where "
        "there is no memorisation."
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
    ratios = [one for one in figures if kind_of(one.name).title == "FD ratio"]
    two = any(one.name.startswith("clip_") for one in ratios)
    for one in ratios:
        label = one.name.removesuffix("_ratio").removeprefix("clip_").removeprefix("fd_")
        of = "clips, " if one.name.startswith("clip_") else "frames, " if two else ""
        yield tag(
            "article",
            tag("p", estimate(one.synthetic), class_="big"),
            gauge(one.synthetic),
            tag("p", f"{of}by {label}, {one.n:,} on each side", class_="soft"),
            class_="card",
        )
