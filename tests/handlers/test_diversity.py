"""Diversity of synthetic images beside that of real ones."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.engines import SupervisedEvaluator
from monai.inferers import SimpleInferer
from torch.utils.data import DataLoader

from medaug.data import LatentDataset
from medaug.engines import prepare_latents
from medaug.handlers import (
    ClassDiversity,
    DiversityReport,
    SyntheticDiversity,
    format_table,
    generate,
)
from medaug.metrics import msssim_all_pairs

from .fakes import Noise, engine

CLASSES = ("covid", "normal", "pneumonia")


def images(label: int, num: int) -> torch.Tensor:
    """Real images of a class, each a little noise on the class's own."""
    random = torch.Generator().manual_seed(label)
    common = torch.rand(1, 1, 32, 32, generator=random)
    return 0.7 * common + 0.3 * torch.rand(num, 1, 32, 32, generator=random)


def dataset(*counts: int) -> list[dict[str, Any]]:
    """So many images of each class, the classes mixed."""
    items = [
        (position, {"image": image, "label": label})
        for label, num in enumerate(counts)
        for position, image in enumerate(images(label, num))
    ]
    return [item for _, item in sorted(items, key=lambda item: item[0])]


def report(path: Path, data: Any, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
    """Run one epoch with the report; its engine and its table."""
    made, run = engine([{}], generator=Noise())
    DiversityReport(data, CLASSES, path, interval=1, **options).attach(made)
    run()
    return made, json.loads(path.read_text())


def test_values_are_those_of_the_metric(tmp_path: Path) -> None:
    """MS-SSIM by hand over the first n real images and over as many generated ones."""
    made, table = report(tmp_path / "d.json", dataset(3, 4, 9), num_images=5, seed=11)
    assert [row["num_images"] for row in table] == [3, 4, 5]
    labels = [0] * 3 + [1] * 4 + [2] * 5
    fakes = generate(Noise(), labels, latent_dim=4, seed=11)
    for label, row in enumerate(table):
        num = row["num_images"]
        real = msssim_all_pairs(images(label, num if label < 2 else 9)[:num])
        fake = msssim_all_pairs(fakes[torch.tensor(labels) == label])
        assert (row["name"], row["metric"]) == (CLASSES[label], real.name)
        assert row["real"] == pytest.approx(real.mean, rel=1e-6)
        assert row["synthetic"] == pytest.approx(fake.mean, rel=1e-6)
        metrics = made.state.metrics
        assert metrics[f"{real.name}_real_{row['name']}"] == row["real"]
        assert metrics[f"{real.name}_synthetic_{row['name']}"] == row["synthetic"]


def test_a_class_of_one_image_is_left_out(tmp_path: Path) -> None:
    """One image makes no pair; the others are compared as ever."""
    _, table = report(tmp_path / "d.json", dataset(1, 3, 0))
    assert [row["name"] for row in table] == ["normal"]


def test_no_class_of_two_images_makes_an_empty_table(tmp_path: Path) -> None:
    """Nothing to compare is no failure at the end of a training."""
    _, table = report(tmp_path / "d.json", dataset(1, 1, 1))
    assert table == []


def test_images_that_cannot_be_compared_end_no_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Noise without a clip leaves [0, 1]: a warning with the reason, no table, and on it goes."""
    data = dataset(3, 3, 3)
    data[0]["image"] = data[0]["image"] + 1
    made, run = engine([{}], generator=Noise())
    DiversityReport(data, CLASSES, tmp_path / "diversity.json", interval=1).attach(made)
    with caplog.at_level(logging.WARNING, "medaug"):
        run()
    assert "no diversity figures after epoch 1: images must lie in 0 to 1" in caplog.text
    assert not (tmp_path / "diversity.json").exists()


def test_real_images_are_compared_once(tmp_path: Path) -> None:
    """The data set is gone through once, however often the report is made."""
    reads: list[int] = []

    class Counted(list[Any]):
        def __getitem__(self, index: Any) -> Any:
            reads.append(index)
            return super().__getitem__(index)

    data = Counted(dataset(2, 2, 2))
    made, run = engine([{}] * 3, generator=Noise())
    DiversityReport(data, CLASSES, tmp_path / "d.json", interval=1).attach(made)
    run()
    assert sorted(reads) == list(range(6))


def evaluate(handler: SyntheticDiversity, per_class: int) -> SupervisedEvaluator:
    """Make images as evaluate.json does; returns the evaluator."""
    latents = LatentDataset(per_class * 3, labels=[0, 1, 2], latent_dim=4, seed=3)
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(latents, batch_size=4),
        network=Noise(),
        inferer=SimpleInferer(),
        prepare_batch=prepare_latents,
        val_handlers=[handler],
        decollate=False,
    )
    evaluator.run()
    return evaluator


def test_an_evaluators_images_are_compared(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The same figures by hand, the table logged and saved."""
    path = tmp_path / "evaluation" / "d.json"
    with caplog.at_level(logging.INFO, "medaug"):
        evaluate(SyntheticDiversity(dataset(3, 9, 9), CLASSES, path, num_images=5), 5)
    table = [ClassDiversity(**row) for row in json.loads(path.read_text())]
    assert [row.num_images for row in table] == [3, 5, 5]
    latents = LatentDataset(15, labels=[0, 1, 2], latent_dim=4, seed=3)
    for label, row in enumerate(table):
        mine = [item for item in (latents[k] for k in range(15)) if item["label"] == label]
        vectors = torch.stack([torch.as_tensor(item["latent"]) for item in mine[: row.num_images]])
        with torch.no_grad():
            fake = Noise()(vectors, torch.full((len(vectors),), label))
        assert row.synthetic == pytest.approx(msssim_all_pairs(fake).mean, rel=1e-5)
    assert format_table(table) in caplog.text
    assert str(path) in caplog.text


def test_a_second_evaluation_stands_by_itself(tmp_path: Path) -> None:
    """Images of an earlier run aren't taken along."""
    handler = SyntheticDiversity(dataset(3, 3, 3), CLASSES, tmp_path / "d.json", num_images=3)
    evaluator = evaluate(handler, 3)
    first = json.loads((tmp_path / "d.json").read_text())
    with torch.no_grad():
        evaluator.network.weight.mul_(0.1)
    evaluator.run()
    second = json.loads((tmp_path / "d.json").read_text())
    assert all(b["synthetic"] > a["synthetic"] for a, b in zip(first, second, strict=True))


def test_table_reads_well() -> None:
    """A line a class under a heading, in columns, with the metric's full name."""
    text = format_table(
        [
            ClassDiversity("covid", 50, 0.4321, 0.6789, "msssim_w7_s0.95_4scales"),
            ClassDiversity("a class of a long name", 7, 0.5, 1.0, "msssim_w7_s0.95_4scales"),
        ]
    )
    title, head, one, two = text.splitlines()
    assert title.startswith("msssim_w7_s0.95_4scales within each class")
    assert head.split() == ["class", "n", "real", "synthetic"]
    assert one.split() == ["covid", "50", "0.432", "0.679"]
    assert two.split()[-3:] == ["7", "0.500", "1.000"]
    assert len(head) == len(one) == len(two)


def test_an_empty_table_has_a_heading() -> None:
    """Nothing to compare is said without a failure."""
    assert "within each class" in format_table([])
