"""Plots: what is drawn where."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.evaluation import Estimate
from medaug.report._plots import Axis, Series, gauge, line_chart, scatter, whiskers

from .fakes import Page

finite = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@settings(deadline=None, derandomize=True)
@given(st.lists(finite, min_size=1, max_size=5))
def test_an_axis_holds_its_values_and_has_ticks(values: list[float]) -> None:
    """All lie between its ends, also where they are all the same; ticks rise."""
    axis = Axis.over(values, 40, 300)
    assert all(40 <= axis(value) <= 300 for value in values)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 12
    assert ticks == sorted(set(ticks))
    assert all(axis.low <= tick <= axis.high for tick in ticks)


def test_a_higher_value_is_drawn_higher() -> None:
    """SVG counts rows downwards."""
    chart = line_chart("Loss", [Series("g", [(1, 0.0), (2, 5.0)], 0)], x_label="epoch")
    page = Page(chart)
    (line,) = page.all("polyline")
    (x0, y0), (x1, y1) = (map(float, pair.split(",")) for pair in line["points"].split())
    assert x0 < x1
    assert y0 > y1
    assert page.faults == []
    assert "Loss: g 0 at epoch 1, 5 at epoch 2" in page.all("svg")[0]["aria-label"]


def test_a_single_point_is_seen() -> None:
    """A line of one point would be invisible."""
    chart = line_chart("Loss", [Series("g", [(3, 1.0)], 0)], x_label="epoch")
    assert Page(chart).all("polyline") == []
    assert 'class="dots c0"' in chart


def test_dashes_tell_lines_apart_without_colour() -> None:
    """In the plot and in its legend."""
    lines = [Series("a", [(0, 0), (1, 1)], 0), Series("b", [(0, 1), (1, 0)], 0, dashed=True)]
    assert line_chart("t", lines, x_label="epoch").count("line c0 dashed") == 2


def test_every_point_of_a_scatter_plot_is_drawn() -> None:
    """Generated ones as crosses, on top."""
    clouds = [Series(name, [(0, 0), (1, 2)], 0) for name in ("train", "held out", "generated")]
    made = scatter("All", clouds, [(0, 0), (1, 2)], labels=("x", "y"))
    assert made.count("h0") == 2 * 2 + 2
    assert made.count("l6 6m0-6l-6 6") == 2 + 1
    assert "2 train, 2 held out, 2 generated" in made
    assert made.rindex("dots") < made.rindex("crosses")


def test_whiskers_need_an_interval() -> None:
    """Without one there is no scale; an infinite value has no place."""
    assert whiskers(Estimate(1.0), Estimate(1.01)) is None
    assert whiskers(Estimate(float("inf"), 0.0, float("inf")), Estimate(1.0)) is None
    drawn = whiskers(Estimate(2.0, 1.0, 3.0), Estimate(10.0))
    assert drawn is not None
    page = Page(drawn)
    centre = float(page.all("circle")[0]["cx"])
    mark = re.match(r"M([\d.]+)", page.all("path")[0]["d"])
    assert mark is not None
    assert centre < float(mark[1])


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 40.0])
def test_a_gauge_fills_by_its_value(value: float) -> None:
    """To 1.2 at most; the mark is at 1."""
    drawn = gauge(Estimate(value, value, value * 1e12))
    assert drawn is not None
    rail, fill = Page(drawn).all("rect")
    part = float(fill["width"]) / float(rail["width"])
    assert part == pytest.approx(max(1 / 300, min(value / 1.2, 1)), abs=1e-3)


def test_a_gauge_of_nothing() -> None:
    """There is none."""
    assert gauge(Estimate(float("nan"))) is None
