"""Everything joined: real and generated images in, one judged table out."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.evaluation import Answer, Evaluation, Evaluator, LabelledImages, find
from medaug.evaluation._features import DRAWS, draw_all, novelty
from medaug.metrics import Ratings

CLASSES = ("dark", "bright")


def pictures(n: int, seed: int, side: int = 16) -> LabelledImages:
    """Blobs at drawn places; those of the second class are brighter."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    rows, columns = np.mgrid[0:side, 0:side] / side
    x, y = random.uniform(0.2, 0.8, (2, n, 1, 1))
    size = random.uniform(0.1, 0.3, (n, 1, 1))
    blobs = np.exp(-((rows - x) ** 2 + (columns - y) ** 2) / size**2)
    noise = random.uniform(0, 0.05, (n, side, side))
    images = (0.4 + 0.5 * labels[:, None, None]) * blobs + noise
    return LabelledImages(
        torch.from_numpy(images.clip(0, 1)).float()[:, None], torch.from_numpy(labels)
    )


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    """Of 120 training and 60 held-out pictures."""
    return Evaluator(pictures(120, 0), pictures(60, 1), CLASSES)


@pytest.fixture(scope="module")
def fresh(evaluator: Evaluator) -> Evaluation:
    """Of as good a generator as there can be."""
    return evaluator(pictures(60, 2))


def test_fresh_real_images_ring_nothing(fresh: Evaluation) -> None:
    """Real images are as good as real ones."""
    assert [v.answer for v in fresh.verdicts if v.answer is Answer.YES] == [], fresh.text()


def test_every_figure_has_what_real_images_give_beside_it(fresh: Evaluation) -> None:
    """No number stands alone, and intervals hold their values."""
    for figure in fresh.figures:
        assert figure.real is not None, figure.name
        for one in (figure.synthetic, figure.real):
            if one.low is not None and one.high is not None:
                assert one.low <= one.value <= one.high, figure


def test_the_headline_is_the_floor_by_the_distance(fresh: Evaluation) -> None:
    """FD ratio = floor / FD."""
    distance, ratio = find(fresh.figures, "fd_domain"), find(fresh.figures, "fd_domain_ratio")
    assert distance is not None
    assert distance.real is not None
    assert ratio is not None
    assert ratio.synthetic.value == pytest.approx(distance.real.value / distance.synthetic.value)


def test_ratings_are_a_part_of_the_hyperscore(fresh: Evaluation) -> None:
    """Realism beside the distance, of equal weight; what needs pairs is left out, and said."""
    sets = pictures(40, 0), pictures(20, 1)
    ratings = Ratings(synthetic=2.5, real=4.5, synthetic_count=8, real_count=8)
    score = Evaluator(*sets, CLASSES, ratings=ratings)(pictures(20, 2)).hyperscore
    assert score is not None
    assert score.parts["realism"] == 0.5
    assert score.value == pytest.approx((score.parts["fid"] + 0.5) / 2)
    assert score.left_out.keys() == {"psnr", "ssim"}
    assert fresh.hyperscore is not None
    assert fresh.hyperscore.left_out.keys() == {"psnr", "ssim", "realism"}


def test_flat_figures_stand_beside_the_real_ones(fresh: Evaluation) -> None:
    """One name each, the class last, then whose it is."""
    flat = fresh.flat()
    assert len(flat) == 2 * len(fresh.figures)
    for figure in fresh.figures:
        name = f"{figure.name}_{figure.scope}" if figure.scope else figure.name
        assert figure.real is not None
        assert (flat[name], flat[f"{name}_real"]) == (figure.synthetic.value, figure.real.value)


def test_some_of_many_images_are_of_all_classes() -> None:
    """Every fifth of two classes in turn would do, every second not; they are drawn by chance."""
    images = pictures(400, 0)
    some = images.at_most(200)
    assert some.counts(2).min() > 80
    assert torch.equal(images.at_most(400).labels, images.labels)
    items = [{"image": image, "label": label} for image, label in zip(*images, strict=True)]
    again = LabelledImages.of(items, 200)
    assert torch.equal(again.images, some.images)
    assert torch.equal(again.labels, some.labels)


def test_copies_of_training_images_are_found(evaluator: Evaluator) -> None:
    """Whatever their distance says."""
    found = evaluator(evaluator.train.only(np.arange(60)))
    assert found.verdicts[3].answer is Answer.YES
    assert found.neighbours[0].ratio == 0
    assert found.neighbours[0].synthetic == found.neighbours[0].train


def test_json_brings_back_what_was_written(fresh: Evaluation, tmp_path: Path) -> None:
    """And is plain JSON."""
    path = tmp_path / "deep" / "evaluation.json"
    fresh.save(path)
    assert json.loads(path.read_text())["version"] == 1
    assert Evaluation.load(path) == fresh


def test_a_second_evaluation_is_the_first(fresh: Evaluation, tmp_path: Path) -> None:
    """With the real side kept, and from the file that kept it."""
    sets = pictures(120, 0), pictures(60, 1)
    first = Evaluator(*sets, CLASSES, cache=tmp_path)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert kept
    second = Evaluator(*sets, CLASSES, cache=tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept
    assert first(pictures(60, 2)) == second(pictures(60, 2)) == fresh


def test_a_damaged_cache_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With a line that says so."""
    sets = pictures(40, 0), pictures(20, 1)
    before = Evaluator(*sets, CLASSES, cache=tmp_path)(pictures(20, 2))
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert Evaluator(*sets, CLASSES, cache=tmp_path)(pictures(20, 2)) == before
    assert "damaged" in caplog.text


def test_a_cache_that_cannot_be_written_costs_no_evaluation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is warned of."""

    def full(*_: object) -> None:
        raise UserError("a file could not be written")

    monkeypatch.setattr("medaug.evaluation._cache.write_atomically", full)
    sets = pictures(40, 0), pictures(20, 1)
    assert Evaluator(*sets, CLASSES, cache=tmp_path)(pictures(20, 2)).figures
    assert "features are not kept" in caplog.text


def test_one_class_is_judged_without_a_classifier() -> None:
    """What can't be said is said to be left out."""
    sets = [images._replace(labels=torch.zeros(40, dtype=torch.int64)) for images in (
        pictures(40, 0), pictures(40, 1), pictures(40, 2))]  # fmt: skip
    found = Evaluator(sets[0], sets[1], ("all",))(sets[2])
    assert found.left_out == {"domain": "a classifier needs two classes at least"}
    answers = {verdict.name: verdict.answer for verdict in found.verdicts}
    assert answers["inter_class_collapse"] is Answer.UNKNOWN
    assert answers["infidelity"] is Answer.UNKNOWN
    assert answers["memorisation"] is not Answer.YES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.only(np.arange(9)), "synthetic images must be at least 10 .* got 9"),
        (lambda s: s._replace(images=s.images * 2), "synthetic images must lie in 0 to 1, got"),
        (lambda s: s._replace(images=s.images * float("nan")), "must lie in 0 to 1, got nan"),
        (lambda s: s._replace(labels=s.labels + 1), "synthetic labels must be .* of 0 to 1, got"),
        (lambda s: s._replace(images=s.images[..., :8]), "must have one size"),
        (lambda s: s._replace(images=s.images[:, 0]), r"must be floats of \(N, C, H, W\)"),
    ],
)
def test_what_cannot_be_judged_is_refused(change, message, evaluator: Evaluator) -> None:
    """In one line, with what was given."""
    with pytest.raises(UserError, match=message):
        evaluator(change(pictures(60, 2)))


@given(
    counts=st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=4).filter(
        lambda rows: any(min(row) for row in rows)
    ),
    seed=st.integers(0, 99),
)
def test_each_side_of_a_draw_has_the_same_classes(
    counts: list[tuple[int, int, int]], seed: int
) -> None:
    """As many of each class as the poorest of the three sets has, none twice."""
    parts = [
        torch.tensor([label for label, row in enumerate(counts) for _ in range(row[side])] or [0])
        for side in range(3)
    ]
    draws = draw_all(*parts, len(counts), seed)
    expected = np.min([np.bincount(part, minlength=len(counts)) for part in parts], axis=0)
    assert len(draws.train) == DRAWS
    sides = ([parts[0]] * DRAWS + [parts[1]] + [parts[2]] * len(draws.synthetic),
             [*draws.train, draws.held_out, *draws.synthetic])  # fmt: skip
    for labels, index in zip(*sides, strict=True):
        assert len(set(index.tolist())) == len(index)
        assert np.bincount(labels[index], minlength=len(counts)).tolist() == expected.tolist()


def test_equal_images_count_once() -> None:
    """A thousand times the same image says no more than once."""
    random = np.random.default_rng(0)
    train = torch.from_numpy(random.normal(size=(50, 4)))
    one = torch.from_numpy(random.normal(size=(1, 4)))
    many = novelty(train, one.expand(1000, 4))
    assert many.low is not None
    assert many.high is not None
    assert many.high - many.low > 0.5
    assert many[0] == novelty(train, one)[0]
