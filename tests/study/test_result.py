"""Verdicts and their words, from planted predictions."""

from collections import Counter

import numpy as np
import pytest

from medaug.study import Comparison, Predictions, Verdict, macro_precision, study_of, write_study
from medaug.study._cells import Outcome
from medaug.study._result import StudyResult, arm_results, compared, verdict, weigh_scores
from medaug.study._shortcuts import Shortcut
from medaug.study._words import conclusion, sentence, signed
from tests.report.fakes import Page

PATIENTS = 120


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few resamples."""
    monkeypatch.setattr("medaug.study._comparison.RESAMPLES", 100)


def outcome(seed, skill):
    """A classifier that is as good as `skill`, with a chance of its own."""
    random = np.random.default_rng([seed, round(100 * abs(skill))])
    hard = np.random.default_rng(7).standard_normal(PATIENTS)
    labels = np.arange(PATIENTS) % 2
    signal = skill - hard + 0.3 * random.standard_normal(PATIENTS)
    right = 1 / (1 + np.exp(-signal))
    shares = np.where(labels[:, None] == np.arange(2), right[:, None], 1 - right[:, None])
    made = Predictions(labels, shares, np.arange(PATIENTS))
    return Outcome(made, None, 1.0, {"real": [20, 40], "all": [40, 40]})


def study(**arms):
    """A study with a generator for each arm, by name."""
    return study_of(
        {
            "generators": {"gan": {"bundle": "aiin_acgan"}},
            "arms": [
                {"name": "real"},
                {"name": "duplicates", "extra": "duplicates"},
                *({"name": name, "extra": "gan", **keys} for name, keys in arms.items()),
            ],
        }
    )


def result(skills, *, shortcuts=(), **arms):
    """A result with planted skills."""
    asked = study(**arms)
    outcomes = {
        (arm.name, seed): outcome(seed, skills[arm.name])
        for arm in asked.arms
        if arm.name in skills
        for seed in asked.seeds_of(arm)
    }
    quality = {
        name: {"fd_ratio": 0.4, "kid": 0.1, "inception_score": 1.5, "ms_ssim": 0.6} for name in arms
    }
    found = arm_results(asked, outcomes, {}, quality, {})
    pairs = compared(asked, outcomes)
    weights, note = weigh_scores(found, pairs)
    counts = {"training": [20, 40], "validation": [5, 9], "test": [60, 60], "external": [0, 0]}
    return StudyResult(
        study=asked,
        classes=("covid", "normal"),
        counts=counts,
        patients=PATIENTS,
        arms=found,
        pairs=pairs,
        shortcuts=tuple(shortcuts),
        weights=weights,
        weights_note=note,
        seconds=9.0,
    )


PLANTED = {"real": 0.6, "duplicates": 0.62, "good": 2.0, "bad": -0.6, "same": 0.61, "alone": 2.0}
ARMS = {"good": {}, "bad": {}, "same": {}, "alone": {"exploratory": True}}


@pytest.fixture(scope="module")
def planted():
    """One arm of each kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medaug.study._comparison.RESAMPLES", 100)
        return result(PLANTED, **ARMS)


def test_verdicts_are_the_planted_ones(planted):
    """Beside real images, and beside duplicates; one seed has none."""
    found = {(one.arm, one.control): one.verdict for one in planted.pairs}
    expected = {
        "good": Verdict.HELPS,
        "bad": Verdict.HARMS,
        "same": Verdict.NO_DIFFERENCE,
        "alone": Verdict.EXPLORATORY,
    }
    for control in (False, True):
        assert {name: found[name, control] for name in expected} == expected
    assert found["duplicates", False] is Verdict.NO_DIFFERENCE
    assert all((one.corrected is None) == (one.arm == "alone") for one in planted.pairs)


def test_a_verdict_needs_the_corrected_p_value():
    """What one comparison would show, ten may not."""
    found = Comparison(0.1, 0.01, 0.19, 0.03, 3, 50)
    assert verdict(found, 0.03) is Verdict.HELPS
    assert verdict(found._replace(difference=-0.1), 0.03) is Verdict.HARMS
    assert verdict(found, 0.3) is Verdict.NO_DIFFERENCE
    assert verdict(None, 0.0) is Verdict.NO_DIFFERENCE


def test_words_say_what_the_numbers_say(planted):
    """Each verdict has its own, with the interval."""
    told = {one.arm: sentence(planted, one) for one in planted.pairs if not one.control}
    assert "the mean area under the precision-recall curves rises by +0." in told["good"]
    assert "over 3 seeds and 120 test patients; p = 0.0" in told["good"]
    assert "falls: −0." in told["bad"]
    assert "no difference shown: " in told["same"]
    assert "smaller ones can't be told from none" in told["same"]
    assert "there is no verdict" in told["alone"]
    paragraph = conclusion(planted)
    assert (
        "Of 3 arms with generated images, beside their reference: helps in 1, no difference shown "
        "in 1, harms in 1."
    ) in paragraph
    assert "beside as many duplicates of real images: helps in 1" in paragraph
    assert "told without the disease" not in paragraph
    assert (signed(-0.0001), signed(0.5), signed(-0.25)) == ("0.000", "+0.500", "−0.250")


def test_a_study_without_verdicts_says_so():
    """One seed everywhere."""
    found = result({"real": 0.6})
    assert "No arm with generated images has a verdict." in conclusion(found)


def test_the_page_is_well_formed_and_whole(tmp_path):
    """Elements closed, ids once, links lead somewhere; no picture, no address."""
    alarm = Shortcut("border alone", "the border", 0.9, 0.8, 0.95, 0.5, True)
    noted = result(PLANTED, shortcuts=[alarm], **ARMS)
    text = write_study(noted, tmp_path / "new").read_text(encoding="utf-8")
    page = Page(text)
    assert page.faults == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert [name for name, times in Counter(ids).items() if times > 1] == []
    assert {one["href"].removeprefix("#") for one in page.all("a")} <= set(ids)
    for name in ("verdicts", "shortcuts", "arms", "quality", "weights", "method"):
        assert name in ids
    assert "://" not in text
    assert "<img" not in text
    told = "The labels can be told without the disease: balanced accuracy with border alone"
    assert text.count(told) == 1
    assert conclusion(noted).count(told) == 1
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        *("study.html", "study.csv", "study.json"),
    }
    rows = (tmp_path / "new" / "study.csv").read_text().splitlines()
    assert len(rows) == 1 + len(noted.arms)
    assert rows[0].startswith("arm,seeds,accuracy,accuracy_low,accuracy_high,macro_precision")


def test_scores_that_predict_a_gain_weigh_most():
    """Six arms or more; one score that goes with the gain, and three that don't."""
    random = np.random.default_rng(0)
    asked = study(**{f"g{k}": {} for k in range(10)})
    outcomes = {("real", seed): outcome(seed, 0.5) for seed in asked.seeds}
    quality = {}
    for k in range(10):
        outcomes |= {(f"g{k}", seed): outcome(seed, 0.5 + 0.15 * k) for seed in asked.seeds}
        kid, inception, alike = random.random(3)
        quality[f"g{k}"] = {
            "fd_ratio": 0.1 * k, "kid": kid, "inception_score": inception, "ms_ssim": alike
        }  # fmt: skip
    arms = arm_results(asked, outcomes, {}, quality, {})
    weights, note = weigh_scores(arms, compared(asked, outcomes))
    assert weights.weights["fd_ratio"] == max(weights.weights.values()) > 0.5
    assert "over 10 arms" in note


def test_too_few_arms_weigh_nothing(planted):
    """It is said how many there must be."""
    assert planted.weights is None
    assert planted.weights_note.startswith("needs at least 6 arms with generated images and all of")


def test_precision_is_that_of_scikit_learn():
    """With weights; a class that nothing is taken for has 0."""
    from sklearn.metrics import precision_score

    random = np.random.default_rng(1)
    labels, weights = random.integers(0, 3, 60), random.integers(0, 4, 60).astype(float)
    shares = random.dirichlet([1, 1, 0.2], 60)
    expected = precision_score(
        labels, shares.argmax(1), sample_weight=weights, average="macro", zero_division=0
    )
    assert macro_precision(labels, shares, weights) == pytest.approx(expected)
