"""Differences with their intervals on one scale, as inline SVG."""

from collections.abc import Sequence

from ..report._html import Markup, tag
from ..report._numbers import number
from ..report._plots import Axis
from ._comparison import Comparison

WIDTH, ROW, LEFT, RIGHT, TOP = 640, 24, 250, 20, 8
LETTERS = 38
"""Of a name, that fit."""


def forest(rows: Sequence[tuple[str, Comparison]]) -> Markup | None:
    """Names beside intervals; a line at nothing. None where there is nothing to draw."""
    if not rows:
        return None
    ends = [end for _, one in rows for end in (one.low, one.high)]
    along = Axis.over([*ends, 0.0], LEFT, WIDTH - RIGHT)
    bottom = TOP + ROW * len(rows)
    drawn = [tag("path", d=f"M{along(0):g} {TOP}V{bottom}", class_="goal")]
    for place, (name, one) in enumerate(rows):
        y = TOP + ROW * (place + 0.5)
        drawn += [
            tag("text", _short(name), x=LEFT - 10, y=y + 4, text_anchor="end"),
            tag("path", d=f"M{along(one.low):g} {y:g}H{along(one.high):g}", class_="whisker"),
            tag("circle", cx=along(one.difference), cy=y, r=4.0, class_="dot"),
        ]
    drawn += [
        tag("text", number(value), x=along(value), y=bottom + 15, text_anchor="middle")
        for value in along.ticks()
    ]
    told = "; ".join(f"{name} {one.difference:+.3f}" for name, one in rows)
    return tag(
        "figure",
        tag("figcaption", "Right of the line: the arm is better than its reference"),
        tag(
            "svg",
            drawn,
            viewBox=f"0 0 {WIDTH} {bottom + 22}",
            role="img",
            aria_label=f"Differences: {told}",
        ),
        class_="chart",
    )


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
