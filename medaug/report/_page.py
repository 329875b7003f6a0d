"""The page as a whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .._files import write_atomically
from ..errors import UserError
from ..evaluation import Evaluation, LabelledImages
from ._curves import curves
from ._html import Markup, join, tag
from ._method import hyperscore_section, method, plane, versions
from ._numbers import plural
from ._pictures import classes_side_by_side, neighbour_pairs
from ._style import STYLE
from ._tables import figure_tables
from ._verdicts import headline, summary, verdict_cards

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
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
    _check(evaluation, sets)
    page = _page(evaluation, sets, title, history)
    write_atomically(Path(path), lambda part: part.write_text(page, encoding="utf-8"))


def _check(evaluation: Evaluation, sets: Sets) -> None:
    for name, images in sets._asdict().items():
        wanted, given = evaluation.counts[name], len(images.labels)
        if wanted != given:
            raise UserError(
                f"{name} images must be the {wanted:,} that were evaluated, got {given:,}"
            )


def _page(evaluation: Evaluation, sets: Sets, title: str, history: Path | None) -> str:
    parts = [part for part in _parts(evaluation, sets, history) if part[2] is not None]
    sections = (
        tag("section", tag("h2", name, id=f"{anchor}-h"), content, id=anchor,
            aria_labelledby=f"{anchor}-h")
        for anchor, name, content in parts
    )  # fmt: skip
    contents = (tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name, _ in parts)
    body = tag(
        "body",
        tag(
            "header",
            tag("h1", title),
            tag("p", summary(evaluation.verdicts), " ", _what(evaluation), class_="summary"),
            tag("p", tag("strong", "Contains training images. "), NOTICE, class_="notice"),
            tag("nav", tag("ul", contents), aria_label="Contents"),
        ),
        tag("main", sections),
        tag("footer", tag("p", f"Written by medaug {versions()['medaug']}.")),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(title), body, lang='en')}\n"


def _head(title: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name_="robots", content="noindex"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )


def _parts(
    evaluation: Evaluation, sets: Sets, history: Path | None
) -> Iterator[tuple[str, str, Markup | None]]:
    """Anchor, heading and content of each section; None for what isn't there."""
    words = tag("p", "Four questions. Yes is bad news in each.", class_="lead")
    yield "verdicts", "Verdicts", join(words, verdict_cards(evaluation.verdicts))
    yield "ratio", "FD ratio", headline(evaluation)
    yield "figures", "All figures", figure_tables(evaluation.figures)
    has_curves = history is not None and history.is_file()
    yield "curves", "Over the training", curves(history) if history and has_curves else None
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
    score = evaluation.hyperscore
    yield "hyperscore", "HyperScore", hyperscore_section(score) if score else None
    yield "method", "How it was computed", method(evaluation)


def _what(evaluation: Evaluation) -> str:
    counts = evaluation.counts
    names = ", ".join(evaluation.classes)
    return (
        f"{plural(counts['synthetic'], 'generated image')} beside {counts['held_out']:,} held-out "
        f"and {counts['train']:,} training images of {plural(len(evaluation.classes), 'class')}: "
        f"{names}."
    )
