"""The page of an evaluation of sequences."""

from collections.abc import Iterator
from pathlib import Path

from .._files import write_atomically
from ..evaluation import Evaluation, LabelledSequences
from ._cine_charts import ejection_chart, motion_charts
from ._cine_pictures import STYLE, film_strips, nearest_strips
from ._curves import curves
from ._document import Section, document
from ._html import join, tag
from ._method import hyperscore_section, method, plane
from ._page import check_counts, first_words
from ._tables import figure_tables
from ._verdicts import headline, verdict_cards

WHAT = "sequence"
VERDICTS = "Six questions. Yes is bad news in each."
STRIPS = (
    "Some generated sequences of each modality, drawn by chance, not chosen. Below each stands the "
    "training sequence that is nearest to it, from the frame on at which they are most alike. On "
    "the right the M-mode: the grey values along the row through the middle of the image, its left "
    "end below, over three cycles."
)
NEAREST = (
    "The generated sequences that come nearest to a training sequence. The distance, judged on 8 × "
    "8 pixels, is in units of that training sequence's own distance to its nearest other one: at 0 "
    "it is a copy; below 1 it is nearer than any other training sequence. Look whether it is the "
    "same patient."
)
MOTION = (
    "How much each frame differs from the next, over the sequence's own variance, over one cycle: "
    "the mean of the sequences, and the band in which the middle 80 % of them lie. A heart that "
    "stands still is at 0; noise lifts the whole curve."
)
EJECTION = (
    "The ejection fraction asked for, and the one read back from the area of the left ventricle; "
    "of held-out real sequences, the one that is known. On the dashed line both are the same."
)


def write_cine_report(
    path: Path,
    evaluation: Evaluation,
    *,
    train: LabelledSequences,
    held_out: LabelledSequences,
    synthetic: LabelledSequences,
    title: str,
    history: Path | None = None,
) -> None:
    """Write an evaluation of sequences as one HTML file that needs no network.

    As `write_report`; with film strips, M-modes, motion curves, and ejection fractions. The file
    holds frames of training sequences, and neither file names nor patients.

    Args:
        path: of the file, put in place in one step; its folder is made.
        evaluation: what `medaug.evaluation.CineEvaluator` found.
        train: the training sequences that it was given, in that order.
        held_out: the held-out ones.
        synthetic: the generated ones.
        title: heading of the page.
        history: the training's ``metrics.csv``; left out where there is none.

    Raises:
        UserError: a set isn't the one that was evaluated; `history` has another form; the file
            can't be written.
    """
    sets = {"train": train, "held_out": held_out, "synthetic": synthetic}
    labels = {name: part.labels for name, part in sets.items()}
    check_counts(evaluation, f"{WHAT}s", **labels)

    def sections() -> Iterator[Section]:
        verdicts = verdict_cards(evaluation.verdicts)
        yield "verdicts", "Verdicts", join(tag("p", VERDICTS, class_="lead"), verdicts)
        yield "ratio", "FD ratio", headline(evaluation)
        strips = film_strips(evaluation, train, synthetic)
        yield "strips", "Film strips and M-mode", join(tag("p", STRIPS, class_="lead"), strips)
        strips = nearest_strips(evaluation, train, synthetic)
        yield (
            "nearest",
            "Nearest training sequences",
            join(tag("p", NEAREST, class_="lead"), strips),
        )
        charts = motion_charts(evaluation.classes, train, synthetic)
        yield "motion", "Motion over the cycle", join(tag("p", MOTION, class_="lead"), charts)
        chart = ejection_chart(evaluation.readings)
        told = chart and join(tag("p", EJECTION, class_="lead"), chart)
        yield "ejection", "Ejection fraction", told
        yield "figures", "All figures", figure_tables(evaluation.figures)
        yield "curves", "Over the training", curves(history)
        yield "plane", "Features in a plane", plane(evaluation, labels, WHAT)
        yield "hyperscore", "HyperScore", hyperscore_section(evaluation.hyperscore)
        yield "method", "How it was computed", method(evaluation, WHAT)

    page = document(title, first_words(evaluation, WHAT), sections(), style=STYLE)
    write_atomically(Path(path), lambda part: part.write_text(page, encoding="utf-8"))
