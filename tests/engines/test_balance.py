"""How much a rare class counts."""

import numpy as np
import pytest
import torch

from medaug.engines import ClassBalance
from medaug.errors import ConfigError, DataError

LABELS = [0] * 6 + [1] * 3 + [2]


def test_each_way_is_what_it_says() -> None:
    """Labels for the sampler, weights for the loss, or neither."""
    sampling = ClassBalance("sampling", LABELS, num_classes=3)
    assert (sampling.labels, sampling.weights) == (LABELS, None)
    none = ClassBalance("none", LABELS, num_classes=3)
    assert (none.labels, none.weights) == ([0] * 10, None)
    loss = ClassBalance("loss", LABELS, num_classes=3)
    assert loss.labels == [0] * 10
    assert loss.weights is not None
    torch.testing.assert_close(loss.weights, torch.tensor([10 / 18, 10 / 9, 10 / 3]))
    assert float(loss.weights[LABELS].mean()) == pytest.approx(1)


def test_weights_are_scikit_learns() -> None:
    """Its "balanced"."""
    utils = pytest.importorskip("sklearn.utils.class_weight")
    theirs = utils.compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    assert ClassBalance("loss", LABELS, num_classes=3).weights == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("how", ["sampling", "loss", "none"])
@pytest.mark.parametrize(("labels", "got"), [([0, 0], r"\[2, 0\]"), ([0, 1, 2], r"\[1, 1, 1\]")])
def test_a_class_without_images_is_refused(how: str, labels: list[int], got: str) -> None:
    """One class only, too; and a class too many."""
    with pytest.raises(DataError, match=f"of all 2 classes, got {got} of each"):
        ClassBalance(how, labels, num_classes=2)


def test_other_ways_are_refused() -> None:
    """With those that there are."""
    with pytest.raises(ConfigError, match="must be one of sampling, loss, none, got 'smote'"):
        ClassBalance("smote", LABELS, num_classes=3)
