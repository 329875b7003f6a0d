"""The last parts of the page: HyperScore, the plane of features, and how all was computed."""

import platform
from collections.abc import Mapping

from torch import Tensor

from .._versions import versions_of
from ..evaluation import Evaluation
from ..metrics import HyperScore
from ._html import Child, Markup, breakable, join, tag
from ._numbers import number
from ._plots import Points, Series, scatter

PACKAGES = ("medaug", "torch", "monai", "numpy", "scikit-learn", "pytorch-ignite")
MOST_POINTS = 600
"""Of each set in a plane, evenly chosen."""
COMPONENTS = ("first component", "second component")
CLOUDS = {"train": ("training", 4), "held_out": ("held-out real", 0), "synthetic": ("generated", 1)}
"""Name and colour."""
SETS = {
    "train": "real, to learn from",
    "held_out": "real, held out (other patients)",
    "synthetic": "generated",
}
WEIGHTING = {
    "equal": "All parts weigh the same, since no outcome was given to learn weights from.",
    "shapley": "Weights are Shapley values: each part's share in predicting the outcome.",
}


def plane(
    evaluation: Evaluation, labels: Mapping[str, Tensor], what: str = "image"
) -> Markup | None:
    """The features' first two principal components; None where there are none.

    Args:
        evaluation: with its projection.
        labels: (N,) of each set.
        what: a point is.
    """
    found = evaluation.projection
    if not found.extractor or not found.synthetic:
        return None
    shares = " and ".join(f"{share:.0%}" for share in found.explained)
    words = (
        f"Each {what} is a point: its features by {found.extractor}, seen along the two directions "
        f"in which real training {what}s differ most ({shares} of their variance). Where there are "
        f"real points and no crosses, a kind of {what} is missing; crosses apart from the real "
        "points look like nothing real. What lies along other directions isn't seen here."
    )
    scopes = {"All classes": None} | {name: k for k, name in enumerate(evaluation.classes)}
    if len(evaluation.classes) == 1:
        del scopes[evaluation.classes[0]]
    everything = [point for name in CLOUDS for point in getattr(found, name)]
    charts = (
        scatter(title, _clouds(evaluation, labels, label), everything, labels=COMPONENTS)
        for title, label in scopes.items()
    )
    return join(tag("p", words, class_="lead"), tag("div", charts, class_="charts"))


def _clouds(
    evaluation: Evaluation, labels: Mapping[str, Tensor], label: int | None
) -> list[Series]:
    """Points of one class, or of all, in each set."""
    clouds = []
    for name, (title, colour) in CLOUDS.items():
        points = zip(getattr(evaluation.projection, name), labels[name].tolist(), strict=True)
        chosen = [point for point, own in points if label in (None, own)]
        clouds.append(Series(title, _thinned(chosen), colour))
    return clouds


def hyperscore_section(found: HyperScore | None) -> Markup | None:
    """The score, V beside it, and what V is made of; None where there is none."""
    if found is None:
        return None
    rows = [
        tag(
            "tr",
            tag("th", name.replace("_", " "), scope="row"),
            tag("td", number(part)),
            tag("td", f"{found.weights.get(name, 0.0):.0%}"),
        )
        for name, part in found.parts.items()
    ]
    head = [tag("th", name, scope="col") for name in ("Part", "0 to 1", "Weight")]
    return join(
        tag(
            "p",
            tag("span", f"{found.score:.2f}", class_="value"),
            " at V = ",
            tag("span", number(found.value), class_="value"),
            class_="big",
        ),
        tag(
            "p",
            "V is the weighted mean of the parts, each 1 where what was generated is as good as "
            "what is held out. The score runs from 100, at V = 0, not from 0: V says more.",
            class_="lead",
        ),
        tag("p", WEIGHTING.get(found.weighting, found.weighting)),
        tag(
            "table",
            tag("caption", "Parts of V", class_="hidden"),
            tag("thead", tag("tr", head)),
            tag("tbody", rows),
        ),
        _reasons("Left out of V", found.left_out),
    )


def method(evaluation: Evaluation, what: str = "image") -> Markup:
    """Counts, seed, versions, protocols, and what was left out."""
    heading = f"{what.capitalize()}s"
    counts = [
        tag("tr", tag("th", SETS.get(name, name), scope="row"), tag("td", f"{count:,}"))
        for name, count in evaluation.counts.items()
    ]
    head = [tag("th", name, scope="col") for name in ("Set", heading)]
    return join(
        tag(
            "table",
            tag("caption", heading),
            tag("thead", tag("tr", head)),
            tag("tbody", counts),
        ),
        tag(
            "p",
            f"On each side of a comparison stand equally many {what}s of each class. Intervals are "
            f"of 95 %, over {what}s. Seed {evaluation.seed}.",
        ),
        (
            _terms(name.capitalize() if name == f"{what}s" else f"Extractor {name}", protocol)
            for name, protocol in sorted(evaluation.protocol.items())
        ),
        _reasons("Left out", evaluation.left_out),
        _terms("Versions", versions()),
    )


def versions() -> dict[str, str]:
    """Of Python and of the packages that figures depend on."""
    return {"Python": platform.python_version(), **versions_of(PACKAGES)}


def _terms(title: str, entries: Mapping[str, Child]) -> Markup:
    pairs = (
        tag("div", tag("dt", key), tag("dd", breakable(value) if isinstance(value, str) else value))
        for key, value in entries.items()
    )
    return join(tag("h3", title), tag("dl", pairs))


def _reasons(title: str, left_out: Mapping[str, str]) -> Markup | None:
    if not left_out:
        return None
    items = (tag("li", tag("b", name), f": {why}") for name, why in left_out.items())
    return join(tag("h3", title), tag("ul", items))


def _thinned(points: Points) -> Points:
    step = -(-len(points) // MOST_POINTS) if points else 1
    return points[::step]
