"""Curves from a training's table."""

from pathlib import Path

import pytest

from medaug.errors import UserError
from medaug.handlers._metrics_csv import Table
from medaug.report._curves import MOST_POINTS, curves, read_history

from .fakes import Page


def table(folder: Path, rows: list[dict[str, float]]) -> Path:
    """As the trainer's handler writes it."""
    made = Table(folder / "metrics.csv", digits=6)
    made.rows += rows
    made.write()
    return made.path


def charts(page: Page) -> list[str]:
    """Labels of the plots."""
    return [one["aria-label"] for one in page.all("svg") if "aria-label" in one]


def test_what_the_handler_writes_is_read(tmp_path: Path) -> None:
    """Late columns begin late; the counters are no figures."""
    rows = [{"epoch": k, "iteration": 10 * k, "g_loss": 1.0 / k} for k in range(1, 4)]
    rows[2]["fd_domain"] = 7.5
    found = read_history(table(tmp_path, rows))
    assert {name: list(points) for name, points in found.items()} == {
        "g_loss": [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3, abs=1e-6))],
        "fd_domain": [(3, 7.5)],
    }


def test_columns_that_belong_together_share_a_chart(tmp_path: Path) -> None:
    """Losses; generated and real ones of each class, these dashed; unknown ones by themselves."""
    name = "msssim_w7_s0.95_4scales"
    row = {"g_loss": 1.0, "d_loss": 2.0, "odd": 3.0}
    row |= {f"{name}_{one}{side}": 0.5 for side in ("", "_real") for one in ("cat", "dog")}
    rows = [{"epoch": k, **row} for k in (1, 2)]
    made = curves(table(tmp_path, rows))
    assert made is not None
    page = Page(made)
    labels = charts(page)
    assert page.faults == []
    assert [label.split(":")[0] for label in labels] == ["Losses", "MS-SSIM of all pairs", "odd"]
    assert labels[1].count("generated") == labels[1].count("real ") == 2
    assert made.index("More curves") < made.index(">odd<")
    dashed = [one["class"] for one in page.all("polyline") if "dashed" in one["class"]]
    assert dashed == ["line c0 dashed", "line c1 dashed"]


def test_cells_without_a_number_are_passed_over(tmp_path: Path) -> None:
    """Empty ones, NaN, infinities, and a line that was cut off."""
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,loss\n1,nan\n2,\n3,inf\n4,0.5\n5")
    assert {name: list(points) for name, points in read_history(path).items()} == {
        "loss": [(4, 0.5)]
    }


def test_long_trainings_are_thinned(tmp_path: Path) -> None:
    """First and last epoch stay."""
    made = curves(table(tmp_path, [{"epoch": k, "g_loss": float(k)} for k in range(1, 1001)]))
    (line,) = Page(made or "").all("polyline")
    assert MOST_POINTS / 2 < len(line["points"].split()) <= MOST_POINTS + 1
    assert "g_loss 1 at epoch 1, 1,000 at epoch 1000" in (made or "")


def test_many_lines_of_a_kind_are_split(tmp_path: Path) -> None:
    """Thirty classes don't go into one chart."""
    row = {f"agreement_domain_32px_class{k}": 0.5 for k in range(30)}
    made = curves(table(tmp_path, [{"epoch": k, **row} for k in (1, 2)]))
    lines = [label.count(" at epoch 1,") for label in charts(Page(made or ""))]
    assert sum(lines) == 30
    assert max(lines) <= 12


def test_an_empty_table_has_no_curves(tmp_path: Path) -> None:
    """Nor does one of the counters alone."""
    path = tmp_path / "metrics.csv"
    path.write_text("")
    assert curves(path) is None
    path.write_text("epoch,iteration\n1,25\n")
    assert curves(path) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"loss\n1\n", "must have a column 'epoch'"), (b"epoch,\xff\n1,2\n", "must be a metrics.csv")],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """In one line that names it."""
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        curves(path)
