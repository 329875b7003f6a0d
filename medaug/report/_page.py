"""The page as a whole."""

from collections.abc import Iterator, Sized
from pathlib import Path
from typing import NamedTuple

from .._files import write_atomically
from ..errors import UserError
from ..evaluation import Evaluation, LabelledImages
from ._curves import curves
from ._document import Section, document
from ._html import Markup, join, tag
from ._method import hyperscore_section, method, plane
from ._numbers import plural
from ._pictures import classes_side_by_side, neighbour_pairs
from ._tables import figure_tables
from ._verdicts import headline, summary, verdict_cards

NOTICE = (
    "This page holds images: generated ones, held-out real ones and, below, real training images. "
    "Handle it as you handle those. It names no file and no patient."
)
DRAWN = "Up to ten of each class on each side, drawn by chance, not chosen."
NEAREST = (
    "The generated images that come nearest to a training image, judged on 8 × 8 pixels. The "
    "distance is in units of that training image's own distance to its nearest other one: at 0 it "
    "is a copy; below 1 it is nearer than any other training image. Look whether it is the same "
    "patient."
)


class Sets(NamedTuple):
    """The images that were compared."""

    train: LabelledImages
    held_out: LabelledImages
    synthetic: LabelledImages


def write_report(
    path: Path,
    evaluation: Evaluation,
    *,
    train: LabelledImages,
    held_out: LabelledImages,
    synthetic: LabelledImages,
    title: str,
    history: Path | None = None,
) -> None:
    """Write an evaluation as one HTML file that needs no network.

    Verdicts first, then the FD ratio, all figures, curves over the training, images of each class,
    the generated images nearest to training images, the features' plane, HyperScore, and how all
    was computed. The same arguments give the same bytes.

    The file holds training images, as small PNGs, and neither file names nor patients.

    Args:
        path: of the file, put in place in one step; its folder is made.
        evaluation: what `medaug.evaluation.Evaluator` found.
        train: the training images that it was given, in that order.
        held_out: the held-out ones.
        synthetic: the generated ones.
        title: heading of the page.
        history: the training's ``metrics.csv``; left out where there is none.

    Raises:
        UserError: a set isn't the one that was evaluated; `history` has another form; the file
            can't be written.
    """
    sets = Sets(train, held_out, synthetic)
    labels = {name: part.labels for name, part in sets._asdict().items()}
    check_counts(evaluation, "images", **labels)
    page = _page(evaluation, sets, title, history)
    write_atomically(Path(path), lambda part: part.write_text(page, encoding="utf-8"))


def check_counts(evaluation: Evaluation, what: str, **labels: Sized) -> None:
    """Refuse sets that aren't those that were evaluated.

    Args:
        evaluation: with its counts.
        what: they are sets of.
        labels: of each set, by name.

    Raises:
        UserError: a set has another size.
    """
    for name, given in labels.items():
        wanted = evaluation.counts[name]
        if wanted != len(given):
            raise UserError(
                f"{name} {what} must be the {wanted:,} that were evaluated, got {len(given):,}"
            )


def first_words(evaluation: Evaluation, what: str) -> Markup:
    """What was found, in which sets, and what the page holds."""
    counts = evaluation.counts
    names = ", ".join(evaluation.classes)
    sets = (
        f"{plural(counts['synthetic'], f'generated {what}')} beside {counts['held_out']:,} "
        f"held-out and {counts['train']:,} training {what}s of "
        f"{plural(len(evaluation.classes), 'class')}: {names}."
    )
    return join(
        tag("p", summary(evaluation.verdicts), " ", sets, class_="summary"),
        tag("p", tag("strong", f"Contains training {what}s. "), NOTICE, class_="notice"),
    )


def _page(evaluation: Evaluation, sets: Sets, title: str, history: Path | None) -> str:
    return document(title, first_words(evaluation, "image"), _parts(evaluation, sets, history))


def _parts(evaluation: Evaluation, sets: Sets, history: Path | None) -> Iterator[Section]:
    words = tag("p", "Four questions. Yes is bad news in each.", class_="lead")
    yield "verdicts", "Verdicts", join(words, verdict_cards(evaluation.verdicts))
    yield "ratio", "FD ratio", headline(evaluation)
    yield "figures", "All figures", figure_tables(evaluation.figures)
    yield "curves", "Over the training", curves(history)
    pictures = classes_side_by_side(
        evaluation.classes, sets.held_out, sets.synthetic, evaluation.seed
    )
    yield "images", "Real beside generated", join(tag("p", DRAWN, class_="lead"), pictures)
    if evaluation.neighbours:
        pairs = neighbour_pairs(evaluation.neighbours, sets.train.images, sets.synthetic.images)
        found = join(tag("p", NEAREST, class_="lead"), pairs)
        yield "nearest", "Nearest training images", found
    yield (
        "plane",
        "Features in a plane",
        plane(evaluation, {name: images.labels for name, images in sets._asdict().items()}),
    )
    yield "hyperscore", "HyperScore", hyperscore_section(evaluation.hyperscore)
    yield "method", "How it was computed", method(evaluation)
