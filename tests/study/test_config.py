"""What a study's file may say, and how a mistake is told."""

import json

import pytest

from medaug.errors import ConfigError
from medaug.study import read_study, study_of
from medaug.study._config import DEFAULT, plain_study
from medaug.study._plan import dry_run

ACGAN = {"generators": {"acgan": {"bundle": "aiin_acgan"}}}


def arms(*more, **keys):
    """A study with real images and some other arms."""
    return {"arms": [{"name": "real"}, *more], **keys}


def test_the_default_study_is_whole():
    """Real, duplicates, classic, the GAN with and without AIIN, pre-training; each compared."""
    study = read_study(DEFAULT)
    against = {arm.name: arm.against for arm in study.arms}
    assert against.pop("real") == ""
    assert all(against.values())
    assert against["ACGAN, AIIN"] == "real, AIIN"
    assert len(study.seeds) == 3
    assert not any(arm.exploratory for arm in study.arms)


def test_the_command_line_replaces_places(tmp_path):
    """And leaves what it doesn't name."""
    study = read_study(DEFAULT, dataset_dir="mine", output_dir=None)
    assert (study.dataset_dir, study.output_dir) == ("mine", "runs/study")
    with pytest.raises(ConfigError, match="--config must be a study's JSON file, got"):
        read_study(tmp_path / "nothing.json")


def test_an_arm_is_compared_with_what_is_trained_alike():
    """Augmented with augmented; where there is none, with plain real images."""
    study = study_of(
        arms(
            {"name": "classic", "augment": True},
            {"name": "both", "extra": "acgan", "augment": True},
            {"name": "weights", "extra": "acgan", "class_weights": True},
            {"name": "own", "extra": "acgan", "against": "classic"},
            **ACGAN,
        )
    )
    assert [arm.against for arm in study.arms] == ["", "real", "classic", "real", "classic"]


def test_one_seed_is_exploratory():
    """Where the study has no more, and where an arm asks for it."""
    study = study_of(arms({"name": "more", "class_weights": True, "exploratory": True}))
    assert [study.seeds_of(arm) for arm in study.arms] == [(0, 1, 2), (0,)]
    assert all(arm.exploratory for arm in study_of(arms(seeds=[4])).arms)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "arms must be a list, got None"),
        ({"arms": []}, "arms must have names, all different, got none"),
        (arms({"name": "real"}), "arms must have names, all different, got real, real"),
        (arms({"extra": "none"}), r"arms\[1\] must have 'name', got none"),
        (arms({"name": "a", "ekstra": "x"}), r"got 'ekstra' \(nearest: 'extra'\)"),
        (arms({"name": "a", "augment": 1}), r"arms\[1\]: augment must be true or false, got 1"),
        (
            arms({"name": "a", "extra": "acgn"}, **ACGAN),
            r"arm 'a': extra must be one of none, duplicates, acgan, got 'acgn' \(nearest: 'acgan",
        ),
        (arms({"name": "a", "normalise": "clahe"}), "normalise must be one of none, aiin, "),
        (arms({"name": "a", "ratio": 0.0, "extra": "duplicates"}), "ratio must be above 0, got 0"),
        (
            arms({"name": "a", "extra": "duplicates", "pretrain": True}),
            "extra must be a generator to pre-train on, got 'duplicates'",
        ),
        (
            arms({"name": "a", "extra": "duplicates", "normalise": "aiin"}),
            "arm 'a' must have a reference: an arm without extra images, with normalise 'aiin'",
        ),
        (arms({"name": "a", "against": "b"}), "arm 'a': against must be another arm, got 'b'"),
        (arms(steps=10, validations=4), "steps must be a multiple of validations, 4, got 10"),
        (arms(steps="many"), "the study: steps must be a whole number, got 'many'"),
        (arms(seeds=[]), r"seeds must be whole numbers from 0 on, all different, got \[\]"),
        (arms(seeds=[1, 1]), "all different, got"),
        (arms(metric="f1"), "metric must be one of macro_auprc, balanced_accuracy, accuracy"),
        (arms(split={"folds": 5}), "split must have keys among seed, validation, test, got 'folds"),
        (arms(generators={"a": {}}), "must have either 'bundle' or 'folder', got neither"),
        (arms(generators={"none": {"folder": "x"}}), "generators must not be called 'none'"),
        (arms(normalisations={"x": {"kind": "y"}}), "normalisations 'x' must have a kind of none"),
        (arms(normalisations={"aiin": {"tiles": 3}}), "aiin has no parameter 'tiles'"),
        (arms(choose=[["real"]]), "choose must name arms with a generator, got 'real'"),
        (arms(generators=3), "generators must be an object, got 3"),
        (arms(image_size=8), "image_size must be at least 16, got 8"),
    ],
)
def test_mistakes_are_told_in_one_line(given, text):
    """With the key, what it must be and what was given."""
    with pytest.raises(ConfigError, match=text) as told:
        study_of(given)
    assert "\n" not in str(told.value)


def test_normalisations_have_parameters():
    """The paper's sweep is a study of further ones."""
    study = study_of(
        arms(normalisations={"8 x 8": {"kind": "aiin", "windows": [8, 8]}, "aiin": {}})
    )
    expected = {"windows": [8, 8], "contrast_threshold": 10.0}
    assert study.normalisation("8 x 8") == ("aiin", expected)
    assert study.normalisation("aiin")[1]["windows"] == [4, 4]
    assert study.normalisation("equalise") == ("equalise", {})


def test_a_dry_run_counts_and_reads_nothing(tmp_path):
    """Generators, cells and time; folders that aren't there don't matter."""
    given = json.loads(DEFAULT.read_text()) | {
        "dataset_dir": "nowhere",
        "output_dir": str(tmp_path),
    }
    told = dry_run(study_of(given))
    assert "2 generators, 21 cells of 7 arms: about 0:" in told
    assert "acgan (aiin)" in told
    assert "pre-trained on ACGAN, seed 2" in told
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="bundles must be a folder that holds 'vit_classifier'"):
        dry_run(study_of(given | {"bundles": "nowhere"}))


def test_what_is_recorded_names_no_place():
    """A folder may be called by a patient's name."""
    given = arms(
        dataset_dir="/data/SMITH", generators={"a": {"folder": "/data/SMITH", "prepared": True}}
    )
    assert "SMITH" not in json.dumps(plain_study(study_of(given)))
