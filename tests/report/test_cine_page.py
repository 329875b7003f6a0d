"""The page of an evaluation of sequences."""

import base64
import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from medaug.errors import UserError
from medaug.evaluation import Estimate, Evaluation, Figure, LabelledSequences, Neighbour, Reading
from medaug.metrics import HyperScore
from medaug.report import write_cine_report
from medaug.report._cine_pictures import film_strip, m_mode_picture

from .fakes import Page, evaluation

HISTORY = (
    "epoch,iteration,g_loss,d_loss,lambda,dtcr_fake,dtcr_real,resolution,alpha\n"
    "1,5,2.5,1,0.1,3,4,64,1\n2,10,1.5,1,0.2,3.5,4,128,0.25\n"
)
CLASSES = ("mri", "xray")
COUNT, FRAMES, SIDE = 8, 6, 24


def cines(seed: int) -> LabelledSequences:
    """Noise of two modalities in turn; ejection fractions of some."""
    random = torch.Generator().manual_seed(seed)
    fractions = torch.linspace(0.1, 0.8, COUNT)
    fractions[-2:] = math.nan
    return LabelledSequences(
        torch.rand(COUNT, 1, FRAMES, SIDE, SIDE, generator=random),
        torch.arange(COUNT) % 2,
        fractions,
    )


def sets() -> dict[str, LabelledSequences]:
    """Three of eight."""
    return {name: cines(k) for k, name in enumerate(("train", "held_out", "synthetic"))}


def judged() -> Evaluation:
    """As it might be found of these."""
    figures = (
        Figure("fd_domain", "", Estimate(12.0, 10.0, 15.0), Estimate(6.0), "lower", 8),
        Figure("fd_domain_ratio", "", Estimate(0.5, 0.4, 0.6), Estimate(1.0), "higher", 8),
        Figure("clip_fd_domain_ratio", "", Estimate(0.7, 0.6, 0.8), Estimate(1.0), "higher", 8),
        Figure("motion_energy_ratio", "mri", Estimate(0.4, 0.3, 0.5), Estimate(1.1), "real", 4),
        Figure("ejection_fraction_difference", "", Estimate(0.02), None, "real", 4),
        Figure("psnr_to_nearest", "", Estimate(math.inf), Estimate(20.0), "real", 8),
    )
    readings = [Reading("synthetic", "mri", 0.2 * k, 0.15 * k) for k in range(1, 5)]
    readings += [Reading("real", "mri", 0.3, 0.31), Reading("real", "mri", 0.3, math.nan)]
    return replace(
        evaluation(),
        classes=CLASSES,
        figures=figures,
        neighbours=tuple(Neighbour(k, COUNT - 1 - k, k / 4, k % FRAMES) for k in range(COUNT)),
        readings=tuple(readings),
        hyperscore=HyperScore(104.2, 0.873, {"psnr": 0.9}, {"psnr": 1.0}, "equal", {}),
        protocol={"sequences": {"clips": "means and steps"}, "domain": {"weights": "0123"}},
    )


def written(folder: Path, found: Evaluation | None = None, **options) -> str:
    """The text of a page."""
    path = folder / "new" / "report.html"
    write_cine_report(path, found or judged(), title="Cines", **(sets() | options))
    return path.read_text(encoding="utf-8")


@pytest.fixture
def full(tmp_path: Path) -> str:
    """A page with everything."""
    history = tmp_path / "metrics.csv"
    history.write_text(HISTORY, encoding="utf-8")
    return written(tmp_path, history=history)


def test_the_page_is_well_formed_and_needs_no_network(full: str) -> None:
    """Every element is closed, no id is there twice, and all pictures are inside."""
    page = Page(full)
    assert page.faults == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "://" not in full
    assert all(one["src"].startswith("data:image/png;base64,") for one in page.all("img"))
    assert page.all("script") == []
    texts = [one["alt"] for one in page.all("img")]
    assert all(texts)
    assert len(set(texts)) == len(texts)
    assert len(page.all("caption")) == len(page.all("table"))


def test_sections_are_in_order(full: str) -> None:
    """Verdicts first, then pictures, then all the rest."""
    found = [part.split(">", 1)[1].split("<")[0] for part in full.split("<h") if part[:1] == "2"]
    assert found == [
        *("Verdicts", "FD ratio", "Film strips and M-mode", "Nearest training sequences"),
        *(
            "Motion over the cycle",
            "Ejection fraction",
            "All figures",
            "Over the training",
            "Features in a plane",
        ),
        *("HyperScore", "How it was computed"),
    ]


def test_the_page_tells_of_sequences(full: str) -> None:
    """Counts, ratios of frames and of clips, figures in their groups, the training's course."""
    words = Page(full).words
    for expected in (
        *("8 generated sequences beside 8 held-out and 8 training sequences", "clips, by domain"),
        *("Contains training sequences.", "Motion Do the hearts move as real ones do?"),
        *("mri motion_ energy_ ratio n 4 0.4 (0.3 to 0.5) 1.1", "psnr_ to_ nearest n 8 ∞ 20"),
        *("Sequences clips means and steps", "Extractor domain", "104.20 at V = 0.873"),
    ):
        assert expected in words, expected
    charts = [one["aria-label"] for one in Page(full).all("svg") if "aria-label" in one]
    titles = [chart.split(":")[0] for chart in charts]
    for title in ("mri", "xray", "λ", "Resolution", "Fade-in α", "Losses"):
        assert title in titles
    assert (
        "Scatter plot, Ejection fraction: 1 held-out real, known and read, 4 generated"
        in " ".join(charts)
    )


def test_strips_stand_above_their_nearest(full: str) -> None:
    """Three of each modality; the training sequence from the frame on that is likest."""
    given, found = sets(), judged()
    shown = {one["alt"]: one["src"] for one in Page(full).all("img")}
    assert len(shown) == 2 * 3 * 4 + 4 * 4
    for label, modality in enumerate(CLASSES):
        numbers = [
            int(alt.rsplit(" ", 1)[1]) - 1
            for alt in shown
            if alt.startswith(f"Film strip: {modality}, generated")
        ]
        assert len(numbers) == 3
        for k in numbers:
            assert int(given["synthetic"].labels[k]) == label
            partner = found.neighbours[k]
            moved = given["train"].sequences[partner.train].roll(-partner.shift, 1)
            name = f"{modality}, generated number {k + 1}"
            for alt, sequence in (
                (name, given["synthetic"].sequences[k]),
                (f"training sequence nearest to {name}", moved),
            ):
                pixels = _pixels(shown[f"Film strip: {alt}"])
                expected = film_strip(sequence)[0].mul(255).round().byte().numpy()
                assert np.array_equal(pixels, expected)
                assert _pixels(shown[f"M-mode: {alt}"]).shape == (4 * SIDE, pixels.shape[1])


def _pixels(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))


def test_a_strip_is_frames_side_by_side() -> None:
    """Evenly spaced in time, with a white line between them; large ones are shown smaller."""
    sequence = torch.arange(16.0).view(1, 16, 1, 1).expand(1, 16, 200, 100) / 16
    strip = film_strip(sequence)
    assert strip.shape == (1, 96, 8 * 50 - 2)
    assert strip[0, 0, ::50].tolist() == [k / 8 for k in range(8)]
    assert strip[0, 0, 48::50].tolist() == [1.0] * 7


def test_an_m_mode_is_a_row_over_time() -> None:
    """Its left end below; three cycles, one after the other."""
    sequence = torch.zeros(1, 4, 9, 9)
    sequence[0, 2, 4, 0] = 1.0
    made = m_mode_picture(sequence)[0]
    assert made.shape == (9, 12)
    assert made.nonzero().tolist() == [[8, 2], [8, 6], [8, 10]]


def test_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    """No history, no readings, no projection, no score."""
    found = judged()
    bare = replace(
        found, readings=(), hyperscore=None, projection=type(found.projection)(), figures=()
    )
    page = Page(written(tmp_path, bare, history=tmp_path / "nowhere.csv"))
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert ids.isdisjoint({"curves", "ejection", "plane", "hyperscore"})
    assert page.faults == []


def test_the_same_evaluation_gives_the_same_bytes(tmp_path: Path) -> None:
    """No date, no order of chance."""
    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_other_sequences_are_refused(tmp_path: Path) -> None:
    """Pairs would show the wrong ones."""
    with pytest.raises(UserError, match=r"train sequences must be the 8 .* evaluated, got 6"):
        written(tmp_path, train=cines(0).only(np.arange(6)))
