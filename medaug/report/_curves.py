"""How figures went over the training: small charts from ``metrics.csv``."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import UserError
from ._html import Markup, join, tag
from ._meaning import KINDS, UNKNOWN, kind_of
from ._plots import COLOURS, Points, Series, line_chart

COUNTER = "epoch"
MOST_POINTS = 240
"""Of a line; longer ones are drawn through every second, third … epoch."""
MOST_LINES = 6

LOSSES = {
    "Losses": ("g_loss", "d_loss"),
    "Discriminator's scores": (
        *("score_real", "score_fake_before", "score_fake_after"),
        *("d_real", "d_fake_before", "d_fake_after"),
    ),
    "Discriminator's accuracy": ("class_accuracy_real", "class_accuracy_fake"),
    "Class losses": ("g_class_loss", "d_class_loss"),
    "Penalties": ("r1", "r2", "gradient_penalty"),
    "Losses by discriminator": ("g_frames", "g_clips", "d_frames", "d_clips"),
    "Feature matching": ("matching",),
    "Change between frames (DTCR without λ)": ("dtcr_fake", "dtcr_real"),
    "Change between frames at validation, made by real": ("frame_distance_ratio",),
    "DTCR": ("dtcr",),
    "λ": ("lambda",),
    "Resolution": ("resolution",),
    "Fade-in α": ("alpha",),
}
FIRST = ("Losses", "Discriminator's scores", "Discriminator's accuracy", "HyperScore", "FD ratio",
         "MS-SSIM of all pairs", "Class agreement", "Change between frames (DTCR without λ)",
         "Change between frames at validation, made by real", "λ", "Resolution",
         "Fade-in α")  # fmt: skip
REAL = "_real"
"""Ends the names of real images' figures."""

Columns = Mapping[str, Points]


def curves(history: Path | None) -> Markup | None:
    """Charts of a training's table; None where there is none, or nothing in it yet.

    Args:
        history: as `medaug.handlers.MetricsCSV` writes it; cells without a finite number are
            passed over.

    Raises:
        UserError: the file can't be read, or has no column ``epoch``.
    """
    if history is None or not history.is_file():
        return None
    columns = read_history(history)
    charts = {title: _chart(title, part) for title, part in _families(columns).items()}
    if not charts:
        return None
    first = [charts.pop(title) for title in FIRST if title in charts]
    return join(
        tag("div", first, class_="charts") if first else None,
        tag(
            "details",
            tag("summary", tag("h3", "More curves")),
            tag("div", charts.values(), class_="charts"),
            class_="more",
        )
        if charts
        else None,
    )


def read_history(path: Path) -> dict[str, Points]:
    """Each column's finite numbers over the epochs.

    Raises:
        UserError: as `curves` says.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path} must be a metrics.csv, got {type(error).__name__}") from error
    if rows and COUNTER not in rows[0]:
        raise UserError(f"{path} must have a column {COUNTER!r}, got none")
    columns: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        epoch = _finite(row.get(COUNTER))
        for name, text in row.items():
            value = _finite(text)
            if isinstance(name, str) and None not in (epoch, value):
                columns.setdefault(name, []).append((float(epoch or 0), float(value or 0)))
    for name in (COUNTER, "iteration"):
        columns.pop(name, None)
    return dict(columns)


def _finite(text: object) -> float | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _families(columns: Columns) -> dict[str, list[tuple[str, str, Points]]]:
    """Charts by title: (name of the line, side, points)."""
    families: dict[str, list[tuple[str, str, Points]]] = {}
    for title, names in LOSSES.items():
        found = [(name, "", columns[name]) for name in names if name in columns]
        if found:
            families[title] = found
    taken = {name for names in LOSSES.values() for name in names}
    for name in columns:
        if name not in taken:
            title, line, side = _described(name)
            families.setdefault(title, []).append((line, side, columns[name]))
    order = [*LOSSES, "HyperScore", *(kind.title for kind in KINDS)]
    known = {title: families.pop(title) for title in order if title in families}
    return known | families


def _described(name: str) -> tuple[str, str, str]:
    """Title of the chart, name of the line, and "generated", "real" or nothing."""
    if name.startswith("hyperscore"):
        return ("HyperScore" if name == "hyperscore" else "HyperScore's parts"), name, ""
    line = name.removesuffix(REAL)
    kind = kind_of(line)
    if kind is UNKNOWN:
        return name, name, ""
    return kind.title, line, "generated" if line == name else "real"


def _chart(title: str, family: Sequence[tuple[str, str, Points]]) -> Markup:
    parts = [
        family[start : start + 2 * MOST_LINES] for start in range(0, len(family), 2 * MOST_LINES)
    ]
    return join(line_chart(title, list(_series(part)), x_label=COUNTER) for part in parts)


def _series(family: Sequence[tuple[str, str, Points]]) -> Iterator[Series]:
    lines = list(dict.fromkeys(line for line, _, _ in family))
    for line, side, points in family:
        place = lines.index(line)
        label = f"{line}, {side}" if side else line
        dashed = side == "real" or place >= COLOURS
        yield Series(label, _thinned(points), place % COLOURS, dashed)


def _thinned(points: Points) -> Points:
    step = -(-len(points) // MOST_POINTS)
    return points if step == 1 else [*points[:-1:step], points[-1]]
