"""A study from its plan to its page, with bundles that learn in a blink."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medaug.errors import ConfigError, DataError
from medaug.study import Verdict, run_study, study_of, write_study
from medaug.study._config import Arm
from medaug.study._pools import wanted
from medaug.study._progress import Progress

from .fakes import PHI, FakeBundles, FakeDomain, hospital, made, picture, plan


class Silent:
    """A stream that keeps what is said."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few resamples, and a small regression for the shortcut checks."""
    monkeypatch.setattr("medaug.study._comparison.RESAMPLES", 100)
    monkeypatch.setattr("medaug.study._shortcuts.domain", FakeDomain)


def run(given, runner=None):
    """The result of a plan."""
    return run_study(study_of(given), runner=runner or FakeBundles(), progress=Progress(Silent()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A hospital."""
    return hospital(tmp_path_factory.mktemp("hospital") / "images")


def arm(result, name):
    """An arm's results."""
    return next(one for one in result.arms if one.arm.name == name)


def pair(result, name):
    """An arm beside its reference."""
    return next(one for one in result.pairs if one.arm == name and not one.control)


def test_every_arm_has_the_same_steps_and_patients(folder, tmp_path):
    """Duplicates, weights, a GAN and pre-training: 20 optimiser steps in all."""
    runner = FakeBundles()
    given = plan(
        folder,
        tmp_path / "out",
        seeds=[0, 1],
        generators={"acgan": {"bundle": "aiin_acgan", "overrides": {"max_epochs": 3}}},
        arms=[
            {"name": "weights", "class_weights": True},
            {"name": "acgan", "extra": "acgan"},
            {"name": "first acgan", "extra": "acgan", "pretrain": True},
        ],
    )
    result = run(given, runner)
    steps = {}
    for one in runner.trained():
        key = Path(one["output_dir"]).parent.name
        steps[key] = steps.get(key, 0) + one["max_epochs"] * one["epoch_length"]
    assert set(steps.values()) == {20}
    assert len(steps) == 10
    assert len(runner.trained("aiin_acgan")) == 1
    assert [len(one.seeds) for one in result.arms] == [2] * 5
    real = arm(result, "real").counts
    assert arm(result, "duplicates").counts == (max(real),) * 2
    assert arm(result, "acgan").counts == (max(real),) * 2
    assert result.patients > 10
    # control: beside as many duplicates
    assert [(one.arm, one.against) for one in result.pairs if one.control] == [
        ("acgan", "duplicates"),
        ("first acgan", "duplicates"),
    ]


@pytest.mark.parametrize(
    ("ratio", "pretrain", "extra"),
    [
        (1.0, False, [60, 0, 40]),
        (0.5, False, [10, 0, 0]),
        (2.0, False, [160, 100, 140]),
        (0.5, True, [50, 50, 50]),
    ],
)
def test_classes_are_filled_up_to_the_ratio(ratio, pretrain, extra):
    """Of the largest one; what trains first has no real images beside it."""
    arm = Arm("a", extra="duplicates", ratio=ratio, pretrain=pretrain)
    assert wanted(arm, [40, 100, 60]) == extra


def test_an_arm_that_adds_nothing_fails(folder, tmp_path):
    """And says why; the others go on."""
    arms = [{"name": "tenth", "extra": "duplicates", "ratio": 0.1}]
    failed = arm(run(plan(folder, tmp_path / "out", seeds=[0], arms=arms)), "tenth").failed
    assert "'tenth' must add images, but no class has fewer than 0.1 times" in failed[0]


def test_a_study_goes_on_where_it_was(folder, tmp_path):
    """The second time nothing is trained, and all numbers are the same."""
    given = plan(folder, tmp_path / "out", seeds=[0, 1])
    first = run(given)
    runner = FakeBundles()
    assert run(given, runner) == first
    assert runner.calls == []
    more = given | {"seeds": [0, 1, 2]}
    run(more, runner)
    assert len(runner.trained()) == 2  # the new seed of both arms


def test_another_number_of_steps_is_another_cell(folder, tmp_path):
    """Nothing is taken up that was made in another way."""
    given = plan(folder, tmp_path / "out", seeds=[0])
    run(given)
    runner = FakeBundles()
    run(given | {"steps": 24}, runner)
    assert len(runner.trained()) == 2


def test_a_cell_that_fails_leaves_the_others(folder, tmp_path):
    """Its reason is in the table, and it is tried again the next time."""
    given = plan(folder, tmp_path / "out")

    def fail(_, options):
        return options.get("seed") == 1 and options.get("balance") == "none"

    result = run(given, FakeBundles(fail))
    assert [one.failed for one in result.arms] == [{1: "the disk is full"}] * 2
    assert pair(result, "duplicates").difference.seeds == 2
    page = write_study(result, tmp_path / "out").read_text()
    assert "the disk is full" in page
    again = FakeBundles()
    assert not any(one.failed for one in run(given, again).arms)
    assert len(again.trained()) == 2


def test_a_generator_that_fails_leaves_the_others(folder, tmp_path):
    """Its arms say why, those without it are trained."""
    given = plan(
        folder,
        tmp_path / "out",
        seeds=[0, 1],
        generators={"acgan": {"bundle": "aiin_acgan"}},
        arms=[{"name": "acgan", "extra": "acgan"}],
    )
    result = run(given, FakeBundles(lambda bundle, _: bundle == "aiin_acgan"))
    assert arm(result, "acgan").note == "the disk is full"
    assert len(arm(result, "duplicates").seeds) == 2
    assert pair(result, "acgan").verdict is Verdict.FAILED
    assert "acgan" in write_study(result, tmp_path / "out").read_text()


def test_nothing_of_a_patient_is_in_any_output(folder, tmp_path):
    """Neither names nor file names, in no file and no file's name."""
    output = tmp_path / "out"
    given = plan(
        folder,
        output,
        seeds=[0, 1],
        external_dir=str(hospital(tmp_path / "other", seed=5)),
        generators={
            "acgan": {"bundle": "aiin_acgan", "overrides": {"max_epochs": 1}},
            "shelf": {"folder": str(made(tmp_path / "SMITH made"))},
        },
        arms=[{"name": "acgan", "extra": "acgan"}, {"name": "shelf", "extra": "shelf"}],
    )
    write_study(run(given), output)
    for path in output.rglob("*"):
        assert not any(name in str(path.relative_to(output)) for name in PHI)
        if path.is_file():
            assert not any(name.encode() in path.read_bytes() for name in PHI), path


def test_a_second_hospital_is_tested_and_never_trained_on(folder, tmp_path):
    """Its images are in no list, and have figures of their own."""
    runner = FakeBundles()
    other = hospital(tmp_path / "other", seed=5)
    result = run(plan(folder, tmp_path / "out", external_dir=str(other), seeds=[0, 1]), runner)
    assert result.counts["external"] == [24, 60]
    assert set(arm(result, "real").external) == set(arm(result, "real").figures)
    assert pair(result, "duplicates").external is not None
    with pytest.raises(DataError, match="another hospital's images, got 84 that are among those"):
        run(plan(folder, tmp_path / "out", external_dir=str(folder)))


def test_aiin_is_done_once_to_real_images_and_their_gan_alike(folder, tmp_path):
    """Bundles are given prepared images, and told not to normalise them again."""
    runner = FakeBundles()
    given = plan(
        folder,
        tmp_path / "out",
        seeds=[0],
        generators={"acgan": {"bundle": "aiin_acgan", "overrides": {"max_epochs": 1}}},
        arms=[
            {"name": "real aiin", "normalise": "aiin"},
            {"name": "acgan", "extra": "acgan"},
            {"name": "acgan aiin", "extra": "acgan", "normalise": "aiin"},
        ],
    )
    result = run(given, runner)
    assert {one["use_aiin"] for _, what, one in runner.calls if what == "train"} == {False}
    assert len({one["dataset_dir"] for one in runner.trained("aiin_acgan")}) == 2
    assert pair(result, "acgan aiin").against == "real aiin"
    assert pair(result, "acgan").against == "real"
    assert {one.verdict for one in result.pairs} == {Verdict.EXPLORATORY}


def test_the_generator_is_chosen_on_validation_patients(folder, tmp_path, monkeypatch):
    """Of a group, the arm with the best FD ratio there is trained; the test is not asked."""
    ratios = {"test": {"one": 0.9, "two": 0.1}, "validation": {"one": 0.2, "two": 0.3}}
    monkeypatch.setattr(
        "medaug.study._study.judge", lambda pool, _real, _study, split: (pool.generator, split)
    )
    monkeypatch.setattr(
        "medaug.study._study.scores", lambda found, _: {"fd_ratio": ratios[found[1]][found[0]]}
    )
    given = plan(
        folder,
        tmp_path / "out",
        seeds=[0],
        generators={
            name: {"folder": str(made(tmp_path / name, seed=50 + k))}
            for k, name in enumerate(("one", "two"))
        },
        arms=[{"name": f"arm {name}", "extra": name} for name in ("one", "two")],
        choose=[["arm one", "arm two"]],
    )
    result = run(given | {"extractors": ["domain"]})
    assert arm(result, "arm one").seeds == ()
    assert arm(result, "arm two").seeds == (0,)
    assert arm(result, "arm one").note == (
        "not chosen: FD ratio 0.200 on validation patients, arm two has 0.300"
    )


def test_the_border_gives_the_labels_away(tmp_path):
    """A frame that only one class has is found, and told in red."""
    found = {}
    for border in (False, True):
        folder = hospital(tmp_path / str(border), border=border)
        result = run(plan(folder, tmp_path / f"out {border}", seeds=[0]))
        found[border] = [one.name for one in result.alarms]
        page = write_study(result, tmp_path / "page").read_text()
        assert ("told without the disease: balanced accuracy" in page) is border
        assert ('role="alert"' in page) is border
    assert found[False] == []
    assert "border alone" in found[True]


def test_the_source_gives_the_labels_away(tmp_path):
    """A column of the list is enough."""
    folder = hospital(tmp_path / "images")
    lines = (folder / "manifest.csv").read_text().splitlines()
    told = [f"{lines[0]},source"] + [
        f"{line},{'A' if line.startswith('covid') else 'B'}" for line in lines[1:]
    ]
    (folder / "manifest.csv").write_text("\n".join(told))
    result = run(plan(folder, tmp_path / "out", seeds=[0]))
    source = next(one for one in result.shortcuts if one.name == "source alone")
    assert (source.value, source.alarm) == (1.0, True)


# ---- planted truths

FAINT = 35.0
"""Grey levels of a spot that a few images aren't enough to learn."""


def truth(folder, tmp_path, draw, seed):
    """A verdict on a planted generator."""
    given = plan(
        folder,
        tmp_path / "out",
        cache_dir=str(tmp_path / "cache"),
        split={"validation": 0.05, "test": 0.8, "seed": seed},
        seeds=list(range(6)),
        generators={"planted": {"folder": str(made(tmp_path / "made", draw, count=200))}},
        arms=[{"name": "planted", "extra": "planted", "ratio": 3.0}],
    )
    return pair(run(given), "planted")


def test_a_useful_generator_helps(tmp_path):
    """The simulator itself, where there are few real images of the class."""
    folder = hospital(tmp_path / "images", normal=360, covid=70, strength=FAINT)
    draw = partial(picture, strength=FAINT)
    assert truth(folder, tmp_path, draw, 0).verdict is Verdict.HELPS


def test_a_useless_generator_does_not_help(tmp_path):
    """Noise around one image."""
    folder = hospital(tmp_path / "images", normal=360, covid=70, strength=FAINT)
    one = picture(np.random.default_rng(3), "normal").astype(float)

    def noise(random, _):
        return np.clip(one + random.normal(0, 5, one.shape), 0, 255).astype(np.uint8)

    assert truth(folder, tmp_path, noise, 0).verdict is not Verdict.HELPS


def leaking(tmp_path, change):
    """A plan whose folder has held-out images among its own."""
    folder = hospital(tmp_path / "images")
    shelf = made(tmp_path / "made")
    files = sorted((folder / "covid").iterdir())
    for number, file in enumerate(files):
        pixels = np.asarray(Image.open(file)).astype(int)
        Image.fromarray(change(pixels).astype(np.uint8)).save(shelf / "covid" / f"x{number}.png")
    arms = [{"name": "leak", "extra": "leak"}]
    return plan(folder, tmp_path / "out", generators={"leak": {"folder": str(shelf)}}, arms=arms)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda pixels: pixels,
            r"its images must hold no held-out patient's image, got \d+ of val",
        ),
        (lambda pixels: np.clip(pixels + 1, 0, 255), r"patients, changed by less than 2 of 255"),
    ],
    ids=["copies", "copies that were written again"],
)
def test_a_leaking_generator_is_refused_before_anything_is_trained(tmp_path, change, text):
    """Test patients' images among those of a folder."""
    runner = FakeBundles()
    with pytest.raises(DataError, match=text) as told:
        run(leaking(tmp_path, change), runner)
    assert "generator 'leak' leaks" in str(told.value)
    assert "\n" not in str(told.value)
    assert not any(name in str(told.value) for name in PHI)
    assert runner.calls == []


def test_a_generator_that_learned_from_test_patients_is_refused(folder, tmp_path):
    """By its training_set.json; and one that doesn't tell is, too."""
    from medaug.data import ImageCollection

    everyone = [one["source_id"] for one in ImageCollection(folder, test=0, validation=0).train]
    arms = [{"name": "planted", "extra": "planted"}]
    runner = FakeBundles()
    shelf = made(tmp_path / "made", trained_on=everyone)
    given = plan(
        folder, tmp_path / "out", generators={"planted": {"folder": str(shelf)}}, arms=arms
    )
    with pytest.raises(
        DataError, match=r"leaks: training_set.json must hold no held-out .* of test patients"
    ):
        run(given, runner)
    (shelf / "training_set.json").unlink()
    with pytest.raises(DataError, match=r"must come with training_set\.json, the pixel hashes"):
        run(given, runner)
    (shelf / "training_set.json").write_text(json.dumps({"ids": []}))
    with pytest.raises(DataError, match="must hold 'source_ids', a list of pixel hashes"):
        run(given, runner)
    assert runner.calls == []


def test_a_given_split_with_a_patient_on_two_sides_is_refused(folder, tmp_path):
    """A test patient's image among the training images of the user's own list."""
    files = sorted(folder.glob("*/*.png"))
    entries = [
        {"image": str(file), "label": file.parent.name, "patient": f"{file.parent.name} {k // 2}"}
        for k, file in enumerate(files)
    ]
    lists = {"training": entries[::2], "test": entries[1::2]}
    (tmp_path / "list.json").write_text(json.dumps(lists))
    runner = FakeBundles()
    with pytest.raises(DataError, match="must share no patient and no image, got one patient on"):
        run(plan(tmp_path / "list.json", tmp_path / "out"), runner)
    assert runner.calls == []


# ---- bad input


def test_too_few_patients_are_refused(tmp_path):
    """A class with one patient can't be trained on and tested."""
    folder = hospital(tmp_path / "images", covid=1)
    with pytest.raises(DataError, match="class 'covid' must have patients to train on and others"):
        run(plan(folder, tmp_path / "out"))


def test_one_class_is_refused(folder, tmp_path):
    """By the collection, or by the study's own choice."""
    with pytest.raises(DataError, match="at least two classes, got normal"):
        run(plan(folder, tmp_path / "out", classes=["normal"]))
    with pytest.raises(DataError, match=r"classes must be among covid, normal, got 'norml' \(near"):
        run(plan(folder, tmp_path / "out", classes=["norml"]))


def test_results_do_not_go_among_the_images(folder):
    """The next study would take them for a class."""
    with pytest.raises(ConfigError, match="--output_dir must lie outside of"):
        run(plan(folder, folder / "out"))


def test_a_folder_with_too_few_images_fails_its_arm(folder, tmp_path):
    """With how many there must be."""
    shelf = made(tmp_path / "made", count=3)
    arms = [{"name": "few", "extra": "few"}]
    given = plan(
        folder, tmp_path / "out", generators={"few": {"folder": str(shelf)}}, arms=arms, seeds=[0]
    )
    reason = arm(run(given), "few").failed[0]
    assert reason.startswith("generator 'few' must have ")
    assert reason.endswith(" images of covid, got 3")
