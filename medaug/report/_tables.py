"""All figures, by what they are about."""

from collections.abc import Sequence

from ..evaluation import Figure
from ._html import Markup, breakable, join, tag
from ._meaning import GROUPS, KINDS, UNKNOWN, Kind, kind_of
from ._numbers import estimate, plural
from ._plots import whiskers

BETTER = {
    "lower": "lower is better",
    "higher": "higher is better",
    "real": "nearest to real is best",
}
COLUMNS = ("Figure", "Generated", "Real")
HOW_TO_READ = (
    "Beside each figure of what was generated stands the same figure of what is real, of as many "
    "(n): the floor of a distance, or what is to be reached. In brackets: 95 % intervals. "
)
PLOTS = (
    "In the small plots, each on a scale of its own, the band is the interval of the real ones and "
    "the dot with its line that of the generated ones."
)


def figure_tables(figures: Sequence[Figure]) -> Markup:
    """A table for each group, with its kinds explained."""
    by_kind: dict[Kind, list[Figure]] = {}
    for one in figures:
        by_kind.setdefault(kind_of(one.name), []).append(one)
    sections = []
    for group, question in GROUPS.items():
        kinds = [kind for kind in (*KINDS, UNKNOWN) if kind in by_kind and kind.group == group]
        if kinds:
            count = sum(len(by_kind[kind]) for kind in kinds)
            sections.append(
                tag(
                    "details",
                    tag(
                        "summary",
                        tag("h3", group),
                        " ",
                        tag("span", question),
                        " ",
                        tag("span", plural(count, "figure"), class_="soft"),
                    ),
                    _table(group, {kind: by_kind[kind] for kind in kinds}),
                    open="",
                )
            )
    return join(
        tag("p", HOW_TO_READ, tag("span", PLOTS, class_="plotwords"), class_="lead"), sections
    )


def _table(group: str, kinds: dict[Kind, list[Figure]]) -> Markup:
    head = [tag("th", name, scope="col") for name in COLUMNS]
    plot = tag("th", tag("span", "Plot", class_="hidden"), scope="col", class_="plot")
    return tag(
        "table",
        tag("caption", f"Figures of {group.lower()}", class_="hidden"),
        tag("thead", tag("tr", head, plot)),
        (_body(kind, rows) for kind, rows in kinds.items()),
        class_="figures",
    )


def _body(kind: Kind, rows: Sequence[Figure]) -> Markup:
    better = " / ".join(dict.fromkeys(BETTER.get(one.better, one.better) for one in rows))
    head = tag(
        "th",
        tag("b", kind.title),
        " ",
        tag("span", better, class_="better"),
        tag("span", kind.meaning, class_="meaning") if kind.meaning else None,
        colspan=3,
        scope="rowgroup",
    )
    row = tag("tr", head, tag("td", class_="plot"), class_="kind")
    return tag("tbody", row, map(_row, rows))


def _row(figure: Figure) -> Markup:
    return tag(
        "tr",
        tag(
            "th",
            tag("span", figure.scope or "all classes", class_="scope"),
            " ",
            tag("code", breakable(figure.name)),
            " ",
            tag("span", f"n {figure.n:,}", class_="soft"),
            scope="row",
        ),
        tag("td", estimate(figure.synthetic)),
        tag("td", estimate(figure.real)),
        tag("td", whiskers(figure.synthetic, figure.real), class_="plot"),
    )
