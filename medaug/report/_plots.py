"""Plots as inline SVG that takes its colours from the page."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..evaluation import Estimate
from ._html import Markup, tag
from ._numbers import number

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 360, 216
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 24
COLOURS = 6


class Series(NamedTuple):
    """A line of a plot, or a cloud of points.

    Attributes:
        name: for the legend.
        points: (x, y).
        colour: from 0 to 5.
        dashed: for lines, so that colour isn't all that tells them apart.
        band: (x, low, high) of an area around a line.
    """

    name: str
    points: Points
    colour: int
    dashed: bool = False
    band: Sequence[tuple[float, float, float]] = ()


class Axis(NamedTuple):
    """From values to places."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> "Axis":
        """From the smallest to the largest value, with a little room."""
        low, high = min(values), max(values)
        room = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
        return cls(low - room, high + room, start, end)

    def __call__(self, value: float) -> float:
        """The place of a value, to a tenth."""
        part = (value - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Three round values or a few more, at steps of 1, 2 or 5 times a power of ten."""
        power = 10.0 ** math.floor(math.log10(self.high - self.low))
        for step in (power, power / 2, power / 5, power / 10):
            first, last = math.ceil(self.low / step), math.floor(self.high / step)
            if last - first >= 2:
                break
        return [step * place for place in range(first, last + 1)]


def line_chart(title: str, lines: Sequence[Series], *, x_label: str) -> Markup:
    """A figure with a heading, lines and a legend.

    Args:
        title: heading.
        lines: at least one, each with at least one point.
        x_label: such as "epoch".
    """
    points = [point for line in lines for point in line.points]
    ends = [end for line in lines for _, *both in line.band for end in both]
    across = Axis.over([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = Axis.over([y for _, y in points] + ends, HEIGHT - BOTTOM, TOP)
    drawn = [_area(line, across, up) for line in lines if line.band] + [
        tag(
            "polyline",
            points=" ".join(f"{across(x):g},{up(y):g}" for x, y in line.points),
            class_=f"line c{line.colour}{' dashed' if line.dashed else ''}",
        )
        if len(line.points) > 1
        else _dots(line.points, across, up, f"dots c{line.colour}")
        for line in lines
    ]
    return tag(
        "figure",
        tag("figcaption", title),
        tag(
            "svg",
            _frame(across, up, x_label),
            drawn,
            viewBox=f"0 0 {WIDTH} {HEIGHT}",
            role="img",
            aria_label=f"{title}: " + "; ".join(_told(line, x_label) for line in lines),
        ),
        legend([(line.name, _stroke(line)) for line in lines]),
        class_="chart",
    )


def scatter(
    title: str,
    clouds: Sequence[Series],
    everything: Points,
    *,
    labels: tuple[str, str],
    diagonal: bool = False,
) -> Markup:
    """A figure with clouds of points: faint dots, dots, and crosses on top.

    Args:
        title: heading.
        clouds: three, or the last two.
        everything: what the axes hold, so that several plots have the same ones.
        labels: of the axes.
        diagonal: with the line on which both are the same.
    """
    across = Axis.over([x for x, _ in everything], LEFT, WIDTH - RIGHT)
    up = Axis.over([y for _, y in everything], WIDTH - BOTTOM, TOP)
    own = SHAPES[len(SHAPES) - len(clouds) :]
    shapes = [(cloud, *shape) for cloud, shape in zip(clouds, own, strict=True)]
    counts = ", ".join(f"{len(cloud.points)} {cloud.name}" for cloud in clouds)
    return tag(
        "figure",
        tag("figcaption", title),
        tag(
            "svg",
            _frame(across, up, *labels),
            _diagonal(across, up) if diagonal else None,
            (
                draw(cloud.points, across, up, f"{style} c{cloud.colour}")
                for cloud, style, draw in shapes
            ),
            viewBox=f"0 0 {WIDTH} {WIDTH}",
            role="img",
            aria_label=f"Scatter plot, {title}: {counts}",
        ),
        legend([(cloud.name, _key(style, cloud.colour)) for cloud, style, _ in shapes]),
        class_="chart",
    )


def whiskers(synthetic: Estimate, real: Estimate | None) -> Markup | None:
    """The generated images' interval as a line with a dot, over the real images' as a band.

    None where neither has an interval, so that there is no scale to see a difference on, or where
    one isn't finite.
    """
    band, line = _ends(real), _ends(synthetic)
    values = [*(band or ()), *(line or ())]
    if line is None or not all(map(math.isfinite, values)):
        return None
    if line[0] == line[2] and (band is None or band[0] == band[2]):
        return None
    along = Axis.over(values, 4, 136)
    parts = []
    if band is not None:
        left, middle, right = (along(end) for end in band)
        parts.append(
            tag("rect", x=left - 1, y=3, width=max(2.0, right - left + 2), height=16, class_="band")
        )
        parts.append(tag("path", d=f"M{middle:g} 3v16", class_="mark"))
    left, middle, right = (along(end) for end in line)
    parts.append(tag("path", d=f"M{left:g} 11H{right:g}", class_="whisker"))
    parts.append(tag("circle", cx=middle, cy=11, r=3.5, class_="dot"))
    return tag("svg", parts, viewBox="0 0 140 22", class_="whiskers", aria_hidden="true")


def gauge(value: Estimate) -> Markup | None:
    """A bar from 0 to 1, with the interval on it; None where the value isn't finite."""
    ends = _ends(value)
    if ends is None or not all(map(math.isfinite, ends)):
        return None
    low, middle, high = (min(max(end, 0.0), 1.2) / 1.2 * 300 for end in ends)
    one = 300 / 1.2
    return tag(
        "svg",
        tag("rect", x=0, y=4, width=300, height=12, rx=3, class_="rail"),
        tag("rect", x=0, y=4, width=round(max(middle, 1.0), 1), height=12, rx=3, class_="fill"),
        tag(
            "path", d=f"M{low:.1f} 22H{high:.1f}M{low:.1f} 18.5v7M{high:.1f} 18.5v7", class_="mark"
        ),
        tag("path", d=f"M{one:g} 0v29", class_="goal"),
        tag("text", "0", x=0, y=41),
        tag("text", "1 = real", x=one, y=41, text_anchor="middle"),
        viewBox="0 0 300 45",
        class_="gauge",
        aria_hidden="true",
    )


def legend(entries: Sequence[tuple[str, Markup]]) -> Markup:
    """Names beside keys."""
    return tag("ul", (tag("li", key, " ", name) for name, key in entries), class_="legend")


def _frame(across: Axis, up: Axis, x_label: str, y_label: str = "") -> list[Markup]:
    right, bottom = across.end, up.start
    parts = []
    for value in up.ticks():
        y = up(value)
        parts.append(tag("path", d=f"M{LEFT} {y:g}H{right:g}", class_="grid"))
        parts.append(tag("text", number(value), x=LEFT - 5, y=y + 4, text_anchor="end"))
    for value in across.ticks():
        if across(value) < right - 6 * len(x_label):
            parts.append(
                tag("text", number(value), x=across(value), y=bottom + 15, text_anchor="middle")
            )
    parts.append(tag("text", x_label, x=WIDTH - 4, y=bottom + 15, text_anchor="end", class_="soft"))
    if y_label:
        parts.append(tag("text", y_label, x=LEFT + 4, y=TOP + 12, class_="soft"))
    return parts


def _area(line: Series, across: Axis, up: Axis) -> Markup:
    there = [f"{across(x):g},{up(low):g}" for x, low, _ in line.band]
    back = [f"{across(x):g},{up(high):g}" for x, _, high in reversed(line.band)]
    return tag("polygon", points=" ".join(there + back), class_=f"area c{line.colour}")


def _diagonal(across: Axis, up: Axis) -> Markup:
    """From the lowest to the highest value that both axes hold."""
    ends = max(across.low, up.low), min(across.high, up.high)
    places = "L".join(f"{across(end):g} {up(end):g}" for end in ends)
    return tag("path", d=f"M{places}", class_="goal")


def _dots(points: Points, across: Axis, up: Axis, style: str) -> Markup:
    return tag("path", d="".join(f"M{across(x):g} {up(y):g}h0" for x, y in points), class_=style)


def _crosses(points: Points, across: Axis, up: Axis, style: str) -> Markup:
    drawn = (f"M{across(x) - 3:g} {up(y) - 3:g}l6 6m0-6l-6 6" for x, y in points)
    return tag("path", d="".join(drawn), class_=style)


SHAPES = (("dots small", _dots), ("dots", _dots), ("crosses", _crosses))
"""Style and drawing of the clouds of a scatter plot."""


def _stroke(line: Series) -> Markup:
    style = f"line c{line.colour}{' dashed' if line.dashed else ''}"
    return _swatch(tag("path", d="M1 6H27", class_=style))


def _key(shape: str, colour: int) -> Markup:
    draw = "M11 3l6 6m0-6l-6 6" if shape == "crosses" else "M14 6h0"
    return _swatch(tag("path", d=draw, class_=f"{shape} c{colour}"))


def _swatch(drawn: Markup) -> Markup:
    return tag("svg", drawn, viewBox="0 0 28 12", class_="swatch", aria_hidden="true")


def _told(line: Series, x_label: str) -> str:
    (first, start), (last, end) = line.points[0], line.points[-1]
    return (
        f"{line.name} {number(start)} at {x_label} {first:g}, {number(end)} at {x_label} {last:g}"
    )


def _ends(given: Estimate | None) -> tuple[float, float, float] | None:
    if given is None:
        return None
    low = given.value if given.low is None else given.low
    high = given.value if given.high is None else given.high
    return low, given.value, high
