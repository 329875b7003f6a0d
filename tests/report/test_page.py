"""The page as a whole."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from medaug.errors import UserError
from medaug.evaluation import Answer, LabelledImages
from medaug.metrics import HyperScore
from medaug.report import write_report
from medaug.report._pictures import data_uri, picture

from .fakes import Page, evaluation, images, sets, verdicts

SCORE = HyperScore(
    score=104.2,
    value=0.873,
    parts={"fidelity": 0.86, "diversity": 0.9},
    weights={"fidelity": 0.25, "diversity": 0.75},
    weighting="shapley",
    left_out={"realism": "no ratings"},
)
HISTORY = "epoch,iteration,g_loss\n1,5,2.5\n2,10,1.5\n"


def written(folder: Path, found=None, *, title: str = "A page", **options) -> str:
    """The text of a page."""
    path = folder / "new" / "report.html"
    options = {**sets(), **options}
    write_report(path, found or evaluation(), title=title, **options)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def full(tmp_path: Path) -> str:
    """A page with everything."""
    history = tmp_path / "metrics.csv"
    history.write_text(HISTORY, encoding="utf-8")
    return written(tmp_path, evaluation(hyperscore=SCORE), history=history)


def test_the_page_is_well_formed(full: str) -> None:
    """Every element is closed where it should be, and no id is there twice."""
    page = Page(full)
    assert page.faults == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for attributes in page.all("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert full.startswith("<!DOCTYPE html>")


def test_the_page_needs_no_network(full: str) -> None:
    """No script, no address, all pictures inside, and a policy that forbids the rest."""
    page = Page(full)
    assert "://" not in full
    assert page.all("script") == page.all("link") == page.all("iframe") == []
    assert all(one["src"].startswith("data:image/png;base64,") for one in page.all("img"))
    assert "url(" not in full
    assert "@import" not in full
    policies = [one["content"] for one in page.all("meta") if "http-equiv" in one]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_sections_are_in_order(full: str) -> None:
    """Verdicts first."""
    headings = [
        *("A page", "Verdicts", "FD ratio", "All figures", "Over the training"),
        *("Real beside generated", "Nearest training images", "Features in a plane"),
        *("HyperScore", "How it was computed"),
    ]
    parts = full.split("<h")
    found = [part.split(">", 1)[1].split("<")[0] for part in parts if part[:1] in "12"]
    assert [one for one in found if one in headings] == headings


def test_verdicts_are_told_in_words(full: str) -> None:
    """Answer, question and reasons, and the summary names what is bad."""
    words = Page(full).words
    assert "✕ Yes Collapse within a class Question intra_class_collapse?" in words
    assert "✓ No Collapse between classes" in words
    assert "? Can't tell at this n Infidelity" in words
    assert "✓ No Memorisation" in words
    assert words.count("reason of ") == 4
    assert "Found: collapse within a class. 1 of 4 questions can't be answered." in words


def test_no_fault_found(tmp_path: Path) -> None:
    """Is said as carefully as it is meant."""
    page = Page(written(tmp_path, evaluation(verdicts=verdicts(*[Answer.NO] * 4))))
    assert "No fault found. 8 generated images beside" in page.words


def test_nothing_can_be_told(tmp_path: Path) -> None:
    """Is never told as good news."""
    page = Page(written(tmp_path, evaluation(verdicts=verdicts(*[Answer.UNKNOWN] * 4))))
    assert "4 of 4 questions can't be answered. 8 generated images" in page.words
    assert "No fault" not in page.words


def test_all_figures_stand_in_the_tables(full: str) -> None:
    """With class, n, interval, the real ones', and what is better; unknown ones, too."""
    words = Page(full).words
    assert "all classes fd_ domain n 8 12 (10 to 15) 6 (5.5 to 6.5)" in words
    assert "FD ratio higher is better" in words
    assert "cat msssim_ w7_ s0. 95_ 4scales n 4 0.6 (0.5 to 0.7) 0.4" in words
    assert "mifid_ domain n 8 ∞ 31" in words
    assert "dog vendi_ thumbnail8 n 4 undefined 3" in words
    assert "all classes made_ up n 8 1,230,000 none" in words


def test_tables_have_headers(full: str) -> None:
    """Each header says what it is a header of; each table has a caption."""
    page = Page(full)
    assert all(one.get("scope") in {"col", "row", "rowgroup"} for one in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


def test_pictures_are_described(full: str) -> None:
    """An alt text, each its own; plots have a label or are hidden from who can't see them."""
    page = Page(full)
    texts = [one["alt"] for one in page.all("img")]
    assert all(texts)
    assert len(set(texts)) == len(texts) == 2 * 8 + 2 * 5
    for one in page.all("svg"):
        assert one.get("aria-hidden") == "true" or one.get("aria-label")


def test_pictures_are_those_of_the_sets(tmp_path: Path) -> None:
    """Every held-out and generated image of these small sets, and the named pairs."""
    given = sets()
    found = evaluation()
    shown = {one["alt"]: one["src"] for one in Page(written(tmp_path, found)).all("img")}
    for name, title in (("held_out", "Real, held out"), ("synthetic", "Generated")):
        expected = {_uri(image) for image in given[name].images}
        assert {src for alt, src in shown.items() if alt.startswith(f"{title}, ")} == expected
    for place, one in enumerate(found.neighbours, start=1):
        made, known = given["synthetic"].images[one.synthetic], given["train"].images[one.train]
        assert shown[f"Generated image, pair {place}"] == _uri(made)
        assert shown[f"Training image nearest to it, pair {place}"] == _uri(known)


def _uri(image: torch.Tensor) -> str:
    return data_uri((image[0] * 255).round().byte().numpy())


def test_pixels_are_kept() -> None:
    """A PNG of the 8-bit levels, in grey or colour."""
    for shape in ((5, 7), (5, 7, 3)):
        levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        content = base64.b64decode(data_uri(levels).removeprefix("data:image/png;base64,"))
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), levels)


def test_large_pictures_are_shown_smaller() -> None:
    """By means over areas, with their proportions."""
    (shown,) = Page(picture(torch.rand(3, 640, 320), "x")).all("img")
    assert (shown["width"], shown["height"]) == ("80", "160")


def test_colour_images(tmp_path: Path) -> None:
    """Are shown as they are."""
    page = Page(written(tmp_path, **sets(channels=3)))
    content = base64.b64decode(page.all("img")[0]["src"].split(",")[1])
    assert Image.open(io.BytesIO(content)).mode == "RGB"


def test_the_page_says_what_it_holds(full: str) -> None:
    """Who passes it on should know."""
    assert "Contains training images." in Page(full).words


def test_how_it_was_computed(full: str) -> None:
    """Counts, seed, protocol, versions, what was left out; HyperScore with V and its parts."""
    words = Page(full).words
    for expected in (
        *("Seed 7.", "weights 0123abc", "vgg16 : no weights", "monai", "generated 8"),
        *("104.20 at V = 0.873", "diversity 0.9 75%", "realism : no ratings", "Shapley"),
    ):
        assert expected in words


def test_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    """No history, no projection, no neighbours, no score: no empty sections."""
    found = evaluation()
    bare = evaluation(
        neighbours=(), projection=type(found.projection)(), figures=(), left_out={}, protocol={}
    )
    page = Page(written(tmp_path, bare, history=tmp_path / "nowhere.csv"))
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert ids.isdisjoint({"curves", "nearest", "plane", "hyperscore"})
    assert "there is no FD ratio" in page.words
    assert page.faults == []


def test_names_cannot_become_elements(tmp_path: Path) -> None:
    """Title, classes, reasons and protocol are text, whatever they hold."""
    evil = "<script>alert('x')</script>&amp;\""
    named = [one._replace(scope=evil) for one in evaluation().figures]
    judged = [one._replace(question=evil, reasons=(evil,)) for one in evaluation().verdicts]
    found = evaluation(
        classes=(evil, "dog"),
        figures=tuple(named),
        verdicts=tuple(judged),
        protocol={evil: {evil: evil}},
        left_out={evil: evil},
    )
    page = Page(written(tmp_path, found, title=evil))
    assert page.all("script") == []
    assert page.faults == []
    assert page.words.count("alert('x')") > 20


def test_the_same_evaluation_gives_the_same_bytes(tmp_path: Path) -> None:
    """No date, no order of chance."""
    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_other_images_are_refused(tmp_path: Path) -> None:
    """Pairs would show the wrong ones."""
    with pytest.raises(UserError, match="train images must be the 8 that were evaluated, got 6"):
        written(tmp_path, train=images(6))


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    """One line, and no page."""
    (tmp_path / "new").write_text("a file")
    with pytest.raises(UserError, match=r"report\.html could not be written"):
        written(tmp_path)


def test_many_points_are_thinned(tmp_path: Path) -> None:
    """A page of thousands of images stays light."""
    many = 3000
    points = tuple((float(k % 50), float(k // 50)) for k in range(many))
    found = evaluation(
        projection=evaluation().projection._replace(synthetic=points),
        counts={"train": 8, "held_out": 8, "synthetic": many},
        neighbours=(),
    )
    synthetic = LabelledImages(torch.zeros(many, 1, 8, 8), torch.zeros(many, dtype=torch.int64))
    page = Page(written(tmp_path, found, synthetic=synthetic))
    drawn = [one["d"].count("l6 6m0-6l-6 6") for one in page.all("path")]
    assert 300 < max(drawn) <= 600
