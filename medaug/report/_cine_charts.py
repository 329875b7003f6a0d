"""How sequences move, and how much their hearts eject, as charts."""

from collections.abc import Iterator, Sequence
from math import isnan

import torch
from torch import Tensor

from ..evaluation import LabelledSequences, Reading
from ..metrics import motion_curve
from ._html import Markup, tag
from ._plots import Series, line_chart, scatter

SIDES = {"synthetic": ("generated", 1), "real": ("real, training", 0)}
"""Name and colour."""
MIDDLE = (0.1, 0.9)
"""Quantiles of sequences between which a band lies."""


def motion_charts(
    classes: Sequence[str], train: LabelledSequences, synthetic: LabelledSequences
) -> Markup:
    """A chart for each modality: motion curves of generated and real sequences."""
    sides = {"real": train, "synthetic": synthetic}
    found = {name: motion_curve(part.sequences) for name, part in sides.items()}
    charts = []
    for label, modality in enumerate(classes):
        chosen = {name: found[name][part.labels == label] for name, part in sides.items()}
        lines = list(_lines(chosen))
        if lines:
            charts.append(line_chart(modality, lines, x_label="cycle"))
    return tag("div", charts, class_="charts")


def _lines(chosen: dict[str, Tensor]) -> Iterator[Series]:
    for name, values in chosen.items():
        if not len(values):
            continue
        # each value belongs between two frames; the first once more at the end
        closed = torch.cat([values, values[:, :1]], dim=1)
        places = [(k + 0.5) / values.shape[1] for k in range(closed.shape[1])]
        low, high = torch.quantile(closed, torch.tensor(MIDDLE, dtype=closed.dtype), dim=0).tolist()
        title, colour = SIDES[name]
        mean = list(zip(places, closed.mean(0).tolist(), strict=True))
        band = list(zip(places, low, high, strict=True))
        yield Series(title, mean, colour, dashed=name == "real", band=band)


def ejection_chart(readings: Sequence[Reading]) -> Markup | None:
    """Asked and read; None where nothing was asked for, or nothing could be read."""
    points: dict[str, list[tuple[float, float]]] = {"real": [], "synthetic": []}
    for one in readings:
        if not isnan(one.read):
            points[one.source].append((one.asked, one.read))
    if not points["synthetic"]:
        return None
    clouds = [
        Series("held-out real, known and read", points["real"], 0),
        Series("generated, asked and read", points["synthetic"], 1),
    ]
    everything = [end for part in points.values() for pair in part for end in pair]
    corners = [(end, end) for end in (min(everything), max(everything))]
    chart = scatter("Ejection fraction", clouds, corners, labels=("asked", "read"), diagonal=True)
    return tag("div", chart, class_="charts")
