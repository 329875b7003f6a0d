"""What a generator makes, judged while it is being trained."""

import json
import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Events

from medaug.errors import ConfigError
from medaug.evaluation import Evaluation, Evaluator, LabelledImages
from medaug.handlers import GenerationMetrics, generate

from .fakes import Noise, engine

CLASSES = ("dark", "bright")
COUNT = 50  # generated of each class, since validation has fewer


def dataset(count: int, first: int = 0) -> list[dict[str, Any]]:
    """So many images of each class, every one another."""
    items = []
    for index in range(count):
        for label in range(2):
            source = torch.Generator().manual_seed(1000 * label + first + index)
            image = 0.4 * label + 0.5 * torch.rand(1, 32, 32, generator=source)
            items.append({"image": image, "label": label})
    return items


TRAIN, VALIDATION = dataset(12), dataset(6, first=100)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One classifier for all tests."""
    return tmp_path_factory.mktemp("cache")


def judge(folder: Path, cache: Path | None, **changes: Any) -> GenerationMetrics:
    """The handler over the small data sets, after every epoch."""
    options = {"train": TRAIN, "validation": VALIDATION, "classes": CLASSES, **changes}
    return GenerationMetrics(directory=folder, interval=1, cache=cache, seed=3, **options)


def test_values_are_those_of_the_evaluator(tmp_path: Path, cache: Path) -> None:
    """All figures and the real images' own, on as many images of each class as promised."""
    made, run = engine([{}], generator=Noise())
    judge(tmp_path, cache).attach(made)
    run()
    labels = [0] * COUNT + [1] * COUNT
    images = generate(Noise(), labels, latent_dim=4, seed=3)
    evaluator = Evaluator(
        LabelledImages.of(TRAIN), LabelledImages.of(VALIDATION), CLASSES, seed=3, cache=cache
    )
    evaluation = evaluator(LabelledImages(images, torch.tensor(labels)))
    metrics = made.state.metrics
    assert evaluation.flat().items() <= metrics.items()
    assert {"fd_domain", "fd_domain_real"} <= metrics.keys()
    pairs = [
        (one.synthetic.value, one.real.value)
        for one in evaluation.figures
        if one.name.startswith("msssim") and one.real
    ]
    excess = [ours - real for ours, real in pairs]
    assert len(excess) == 2
    assert metrics["msssim_excess"] == pytest.approx(sum(excess) / 2)
    assert metrics["msssim_gap"] == pytest.approx(sum(map(abs, excess)) / 2)
    assert evaluation.hyperscore is not None
    assert metrics["hyperscore"] == evaluation.hyperscore.score
    assert metrics["hyperscore_value"] == evaluation.hyperscore.value
    assert Evaluation.load(tmp_path / "evaluation.json") == evaluation


def lines(folder: Path) -> list[dict[str, Any]]:
    """What is written down of each evaluation."""
    return [json.loads(line) for line in (folder / "evaluations.jsonl").read_text().splitlines()]


def test_a_line_says_all_that_the_figures_depend_on(tmp_path: Path, cache: Path) -> None:
    """When, how many, by what, with which seed; intervals, verdicts, HyperScore's parts."""
    made, run = engine([{}] * 2, generator=Noise())
    judge(tmp_path, cache).attach(made)
    run()
    first, second = lines(tmp_path)
    assert (first["epoch"], second["epoch"]) == (1, 2)
    assert (first["iteration"], second["iteration"]) == (1, 2)
    assert first["seconds"] >= 0
    assert first["seed"] == 3
    assert first["counts"] == {"train": 24, "held_out": 12, "synthetic": 2 * COUNT}
    assert first["protocol"].keys() == {"domain"}
    assert len(first["verdicts"]) == 4
    assert first["hyperscore"]["parts"].keys() == {"fid"}
    distance = next(one for one in first["figures"] if one["name"] == "fd_domain")
    assert distance["synthetic"]["low"] < distance["synthetic"]["high"]
    assert first["figures"] == second["figures"]


def test_a_training_that_goes_on_goes_on_with_its_lines(tmp_path: Path, cache: Path) -> None:
    """What came after the checkpoint, and a line cut off, are taken out."""
    made, run = engine([{}] * 3, generator=Noise())
    judge(tmp_path, cache).attach(made)
    run()
    with (tmp_path / "evaluations.jsonl").open("a") as file:
        file.write('{"epoch": 3, "cut')
    again, _ = engine([{}] * 3, generator=Noise())
    judge(tmp_path, cache).attach(again)
    again.state.epoch = 2
    again.fire_event(Events.STARTED)
    assert [line["epoch"] for line in lines(tmp_path)] == [1, 2]


class Wild(Noise):
    """Leaves [0, 1] the first time."""

    calls = 0

    def forward(self, latent: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return super().forward(latent, label) + (self.calls <= 2)


def test_an_evaluation_that_fails_ends_no_training(
    tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning with the reason; the next epoch's has its line."""
    made, run = engine([{}] * 2, generator=Wild())
    judge(tmp_path, cache).attach(made)
    with caplog.at_level(logging.WARNING, "medaug"):
        run()
    assert caplog.messages[0].startswith(
        "no evaluation after epoch 1: synthetic images must lie in 0 to 1"
    )
    assert [line["epoch"] for line in lines(tmp_path)] == [2]


@pytest.mark.parametrize(
    ("validation", "reason"),
    [
        (dataset(2), "held_out images must be at least 10 for an evaluation, got 4"),
        ([], "images must be at least one, got none"),
    ],
)
def test_what_can_never_be_judged_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, validation: list[Any], reason: str
) -> None:
    """Too few validation images."""
    made, run = engine([{}] * 2, generator=Noise())
    judge(tmp_path, None, validation=validation).attach(made)
    with caplog.at_level(logging.WARNING, "medaug"):
        run()
    assert caplog.messages == [f"no evaluation after epoch 1: {reason}"]
    assert list(tmp_path.iterdir()) == []


def test_real_images_are_read_once(tmp_path: Path, cache: Path) -> None:
    """However often the generator is judged."""
    reads: list[int] = []

    class Counted(list[Any]):
        def __getitem__(self, index: Any) -> Any:
            reads.append(index)
            return super().__getitem__(index)

    made, run = engine([{}] * 2, generator=Noise())
    judge(tmp_path, cache, train=Counted(TRAIN)).attach(made)
    run()
    assert sorted(reads) == list(range(len(TRAIN)))


def test_no_random_number_is_taken_from_the_training(tmp_path: Path) -> None:
    """A run that is judged goes the way of one that isn't, also where a classifier is trained."""

    def states() -> list[Any]:
        kind, keys, *rest = np.random.get_state()
        return [torch.get_rng_state().tolist(), kind, keys.tolist(), rest, random.getstate()]

    made, run = engine([{}], generator=Noise())
    judge(tmp_path, None).attach(made)
    before = states()
    run()
    assert states() == before


def test_the_best_model_goes_by_the_first_extractor(tmp_path: Path) -> None:
    """Of one class no classifier can be trained: by how far MS-SSIM is from the real images'."""
    assert judge(tmp_path, None).key_metric == "fd_domain"
    assert judge(tmp_path, None, classes=("all",)).key_metric == "msssim_gap"


def test_one_class_is_judged_by_what_needs_no_classes(tmp_path: Path) -> None:
    """Its key metric is there."""
    parts = (TRAIN, dataset(12, first=50))
    train, validation = ([item for item in part if item["label"] == 0] for part in parts)
    made, run = engine([{}], generator=Noise())
    handler = judge(tmp_path, None, train=train, validation=validation, classes=("all",))
    handler.attach(made)
    run()
    assert handler.key_metric in made.state.metrics
    assert lines(tmp_path)[0]["left_out"] == {"domain": "a classifier needs two classes at least"}


def test_an_unknown_extractor_is_refused_before_any_training(tmp_path: Path) -> None:
    """As the handler is made."""
    with pytest.raises(ConfigError, match="extractor must be inception2015, vgg16"):
        judge(tmp_path, None, extractors=["inception"])
