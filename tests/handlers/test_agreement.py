"""Agreement and coverage of an evaluator's images, by a classifier of the real ones."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.engines import SupervisedEvaluator
from monai.inferers import SimpleInferer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from medaug.data import LatentDataset
from medaug.engines import prepare_latents
from medaug.errors import UserError
from medaug.features import train_classifier
from medaug.handlers import ClassAgreement
from medaug.metrics import conditional_check, wilson_interval

CLASSES = ("upright", "lying", "checked")
SIDE = 16


def picture(labels: Tensor, noise: Tensor) -> Tensor:
    """Stripes of two directions, and squares, half hidden in noise."""
    wave = (torch.arange(SIDE) // 2 % 2).float()
    upright = wave.expand(SIDE, SIDE)
    kinds = torch.stack([upright, upright.T, (upright - upright.T).abs()])
    return 0.5 * kinds[labels][:, None] + 0.5 * noise


def real(num: int, seed: int) -> list[dict[str, Any]]:
    """Real images, the classes in turn."""
    noise = torch.rand(num, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(num) % len(CLASSES)
    images = picture(labels, noise)
    return [
        {"image": image, "label": int(label)} for image, label in zip(images, labels, strict=True)
    ]


class Painter(nn.Module):
    """A generator that paints the class asked for, or another one now and then; noise or none."""

    def __init__(self, wrong_every: int = 0, noise: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.wrong_every, self.noise = wrong_every, noise

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        if self.wrong_every:
            # the latent's own number, so that it doesn't depend on the batch
            wrong = (latent[:, 0].abs() * 1e4).long() % self.wrong_every == 0
            label = torch.where(wrong, (label + 1) % len(CLASSES), label)
        uniform = torch.special.ndtr(latent).view(-1, 1, SIDE, SIDE)
        return picture(label, 0.5 + self.noise * (uniform - 0.5))


def evaluate(handler: ClassAgreement, painter: nn.Module, num: int = 120) -> dict[str, Any]:
    """Make images as evaluate.json does; what was written."""
    latents = LatentDataset(num, labels=[0, 1, 2], latent_dim=SIDE**2, seed=3)
    SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(latents, batch_size=32),
        network=painter,
        inferer=SimpleInferer(),
        prepare_batch=prepare_latents,
        val_handlers=[handler],
        decollate=False,
    ).run()
    written: dict[str, Any] = json.loads(handler.path.read_text())
    return written


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> ClassAgreement:
    """One whose classifier is trained once."""
    path = tmp_path_factory.mktemp("run") / "evaluation" / "agreement.json"
    return ClassAgreement(real(96, 0), real(120, 1), CLASSES, path, epochs=40)


def test_a_good_generator(shared: ClassAgreement, caplog: pytest.LogCaptureFixture) -> None:
    """It agrees, covers as real images do, and the table says so."""
    with caplog.at_level(logging.INFO, "medaug"):
        found = evaluate(shared, Painter())
    assert found["classifier"]["accuracy"] == 1
    assert found["classifier"]["num_held_out"] == 120
    assert found["agreement"] == 1
    assert found["interval"] == pytest.approx(wilson_interval(120, 120))
    assert found["by_class"] == dict.fromkeys(CLASSES, 1.0)
    assert found["num_images"] == 120
    assert found["num_images_for_coverage"] == 60
    assert found["k"] == 5
    # 0.97 is the expectation for fresh real images at k = 5
    assert found["coverage_of_real"] > 0.85
    assert found["coverage"] > 0.8
    assert found["note"] is None
    assert "it agrees on 1.0000 (0.9690 to 1.0000) of 120 generated images" in caplog.text
    assert f"written to {shared.path}" in caplog.text


def test_wrong_classes_are_counted(shared: ClassAgreement) -> None:
    """A third is painted as another class: by hand, image by image."""
    painter = Painter(wrong_every=3)
    found = evaluate(shared, painter)
    latents = LatentDataset(120, labels=[0, 1, 2], latent_dim=SIDE**2, seed=3)
    wrong = torch.tensor(
        [int(abs(float(latents[k]["latent"][0])) * 1e4) % 3 == 0 for k in range(120)]
    )
    assert 0.2 < wrong.float().mean() < 0.5
    assert found["agreement"] == pytest.approx(1 - wrong.float().mean().item(), abs=0.009)
    for label, name in enumerate(CLASSES):
        share = 1 - wrong[label::3].float().mean().item()
        assert found["by_class"][name] == pytest.approx(share, abs=0.026)


def test_one_image_a_class_covers_little(shared: ClassAgreement) -> None:
    """Right in every image, and yet a collapse: the noise is always the same."""
    found = evaluate(shared, Painter(noise=0.0))
    assert found["agreement"] == 1
    assert found["coverage"] < 0.5 * found["coverage_of_real"]


def test_figures_are_those_of_the_parts(tmp_path: Path) -> None:
    """The classifier and the check by themselves, on all held-out images of one half."""
    train, held_out = real(60, 0), real(24, 1)
    path = tmp_path / "a.json"
    found = evaluate(
        ClassAgreement(train, held_out, CLASSES, path, epochs=3, seed=7, k=2), Painter(2), 30
    )
    images = torch.stack([item["image"] for item in train])
    labels = torch.tensor([item["label"] for item in train])
    model = train_classifier(images, labels, num_classes=3, epochs=3, seed=7)
    latents = [
        LatentDataset(30, labels=[0, 1, 2], latent_dim=SIDE**2, seed=3)[k] for k in range(30)
    ]
    asked = torch.tensor([item["label"] for item in latents])
    made = Painter(2)(torch.stack([torch.as_tensor(item["latent"]) for item in latents]), asked)
    features, predicted = model.predict(made)
    check = conditional_check(asked, predicted, features, features, k=2)
    assert found["agreement"] == check.agreement
    assert found["interval"] == [check.low, check.high]
    assert found["num_images_for_coverage"] == 12  # four pairs of each class


def test_a_classifier_that_is_no_judge_is_said_to_be_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Labels drawn by lot can't be learned: a note in the file and the table."""
    held_out = real(60, 1)
    for k, item in enumerate(held_out):
        item["label"] = k // 3 % 3
    handler = ClassAgreement(real(48, 0), held_out, CLASSES, tmp_path / "a.json", epochs=4)
    with caplog.at_level(logging.INFO, "medaug"):
        found = evaluate(handler, Painter())
    assert found["classifier"]["accuracy"] < 0.5
    assert "below 99%: agreement bounds nothing" in found["note"]
    assert f"note: {found['note']}" in caplog.text


def test_a_second_evaluation_stands_by_itself(shared: ClassAgreement) -> None:
    """Images of an earlier run aren't taken along."""
    evaluate(shared, Painter(wrong_every=2))
    assert evaluate(shared, Painter(), 60)["num_images"] == 60


def test_lots_have_equal_classes() -> None:
    """Halves of the real ones, without a common image, and generated ones of the same classes."""
    from medaug.handlers._agreement import _matched

    labels = torch.tensor([0] * 11 + [1] * 40 + [2] * 3)
    made = torch.tensor([0, 1, 3] * 30)
    covered, fresh, generated = _matched(labels, made, 100, 0)
    assert len(covered) == 5 + 20
    assert not set(covered) & set(fresh)
    for lot, classes in ((covered, labels), (fresh, labels), (generated, made)):
        assert len(set(lot)) == 25
        assert classes[lot].bincount().tolist() == [5, 20]
    fewer = _matched(labels, made, 10, 0)
    assert [len(lot) for lot in fewer] == [10, 10, 10]
    assert labels[fewer[0]].bincount().tolist() == [2, 8]


def test_many_training_images_are_thinned_out(tmp_path: Path) -> None:
    """Evenly over the set, never more than asked."""
    handler = ClassAgreement(
        *(real(90, 0), real(30, 1), CLASSES, tmp_path / "a.json"),
        **{"epochs": 1, "max_training_images": 40},
    )
    assert evaluate(handler, Painter(), 30)["classifier"]["num_training"] == 40


def test_too_few_images(tmp_path: Path) -> None:
    """Held-out ones are counted before, generated ones after."""
    path = tmp_path / "a.json"
    with pytest.raises(UserError, match=r"more than 2 k \+ 1 = 11 images, got 11"):
        ClassAgreement(real(30, 0), real(11, 1), CLASSES, path)
    handler = ClassAgreement(real(30, 0), real(30, 1), CLASSES, path, epochs=1)
    with pytest.raises(UserError, match=r"more than k = 5 pairs of held-out images .* got 3"):
        evaluate(handler, Painter(), 3)
