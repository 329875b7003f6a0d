"""How a classifier is judged: scikit-learn's figures, classes that are absent, where they go."""

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.engines import SupervisedEvaluator
from torch import nn

from medaug.engines import ClassifierTrainer
from medaug.errors import DataError
from medaug.handlers import ClassificationMetrics, Validation, classification_figures

from ..engines.toy_classifier import Net, loader, trainer

judges = pytest.importorskip("sklearn.metrics")
CLASSES = ("covid", "normal", "pneumonia")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), count=st.integers(9, 40))
def test_figures_are_scikit_learns(seed: int, count: int) -> None:
    """Accuracies, precision, recall, F1, areas, losses and the confusion matrix."""
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(3), random.integers(0, 3, count - 3)])
    shares = random.dirichlet([0.7] * 3, count)
    shares += 0.5 * np.eye(3)[labels] * random.random((count, 1))
    shares = shares.round(2) + 0.01  # ties
    shares /= shares.sum(1, keepdims=True)
    found = classification_figures(torch.tensor(shares), torch.tensor(labels), CLASSES)
    predicted = shares.argmax(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that were never predicted
        hard = judges.precision_recall_fscore_support(labels, predicted, labels=range(3))
    balanced = np.mean([-np.log(shares[labels == k, k]).mean() for k in range(3)])
    expected = {
        "accuracy": judges.accuracy_score(labels, predicted),
        "balanced_accuracy": judges.balanced_accuracy_score(labels, predicted),
        "auroc_macro": judges.roc_auc_score(labels, shares, multi_class="ovr"),
        "log_loss": judges.log_loss(labels, shares),
        "balanced_log_loss": balanced,
    }
    for place, name in enumerate(("precision", "recall", "f1")):
        expected[f"{name}_macro"] = hard[place].mean()
        expected |= {f"{name}_{each}": hard[place][k] for k, each in enumerate(CLASSES)}
    areas = [judges.average_precision_score(labels == k, shares[:, k]) for k in range(3)]
    expected["auprc_macro"] = np.mean(areas)
    for k, each in enumerate(CLASSES):
        expected[f"auprc_{each}"] = areas[k]
        expected[f"auroc_{each}"] = judges.roc_auc_score(labels == k, shares[:, k])
    assert found.figures.keys() == expected.keys()
    for name, value in expected.items():
        assert found.figures[name] == pytest.approx(value, abs=1e-6), name
    assert found.confusion.tolist() == judges.confusion_matrix(labels, predicted).tolist()
    assert found.absent == ()


def test_an_absent_class_has_no_figures() -> None:
    """Means are over the others; nothing is NaN."""
    shares = torch.tensor([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    found = classification_figures(shares, torch.tensor([0, 1, 0]), CLASSES)
    assert found.absent == ("pneumonia",)
    assert not [name for name in found.figures if "pneumonia" in name]
    assert found.figures["recall_macro"] == found.figures["balanced_accuracy"] == 0.25
    assert found.figures["precision_normal"] == 0
    assert found.figures["auroc_covid"] == 0.5
    assert found.confusion.tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert all(np.isfinite(value) for value in found.figures.values())


def test_one_class_alone_has_no_areas() -> None:
    """There is nothing to tell it from."""
    shares = torch.tensor([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1]])
    found = classification_figures(shares, torch.tensor([0, 0]), CLASSES)
    assert found.absent == ("normal", "pneumonia")
    assert found.figures["accuracy"] == found.figures["recall_covid"] == 0.5
    assert not [name for name in found.figures if name.startswith("au")]


def test_a_sure_mistake_is_finite() -> None:
    """Or one image would decide over everything."""
    found = classification_figures(torch.tensor([[0.0, 1.0]]), torch.tensor([0]), ("a", "b"))
    assert found.figures["log_loss"] == pytest.approx(12 * np.log(10))


@pytest.mark.parametrize(
    ("shape", "labels", "message"),
    [
        ((0, 3), [], "must be at least 1, got none"),
        ((2, 2), [0, 1], r"probabilities must be \(2, 3\).*got \(2, 2\)"),
        ((2, 3), [0, 3], "labels must be 0 to 2, got 0 to 3"),
        ((1, 3), [-1], "labels must be 0 to 2, got -1 to -1"),
    ],
)
def test_what_doesnt_fit_is_refused(
    shape: tuple[int, int], labels: list[int], message: str
) -> None:
    """By what must be."""
    with pytest.raises(DataError, match=message):
        classification_figures(torch.full(shape, 1 / 3), torch.tensor(labels).long(), CLASSES)


def evaluator(made: ClassifierTrainer, handler: Any, data: Any) -> SupervisedEvaluator:
    return SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=data,
        network=made.network,
        val_handlers=[handler],
        decollate=False,
    )


def test_figures_reach_engine_file_and_trainer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Under their names, and under validation_ of the trainer's; an absent class is told once."""
    path = tmp_path / "out" / "classification.json"
    made = trainer(network=Net(classes=3), epochs=3)
    judge = ClassificationMetrics(("a", "b", "c"), path=path)
    judged = evaluator(made, judge, loader())
    Validation(judged, interval=2).attach(made)
    with caplog.at_level(logging.WARNING, "medaug"):
        made.run()
    assert caplog.text.count("no image of c to judge by") == 1
    record = json.loads(path.read_text())
    assert record["figures"] == judged.state.metrics
    assert record["images"] == {"a": 12, "b": 12, "c": 0}
    assert record["confusion"] == judged.state.metric_details["confusion"].tolist()
    assert made.state.metrics == {f"validation_{k}": v for k, v in record["figures"].items()}
    assert made.network.training  # as it was

    data = loader().dataset
    with torch.no_grad():
        images = torch.stack([data[k]["image"] for k in range(24)])
        shares = made.network.eval()(images).softmax(1)
    labels = torch.arange(24) % 2
    assert record["figures"]["log_loss"] == pytest.approx(
        float(nn.functional.nll_loss(shares.log(), labels)), rel=1e-5
    )


def test_nothing_to_validate_by_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Once, and the training goes on."""
    made = trainer(epochs=2)
    Validation(evaluator(made, ClassificationMetrics(("a", "b")), []), interval=1).attach(made)
    with caplog.at_level(logging.WARNING, "medaug"):
        made.run()
    assert caplog.text.count("no image to validate by") == 1
    assert made.state.metrics == {}
