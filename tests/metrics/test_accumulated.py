"""Figures as Ignite metrics: on one rank, and on two as on one."""

import json
import sys

import numpy as np
import pytest
import torch
from ignite.engine import Engine

from medaug.errors import UserError
from medaug.metrics import AccumulatedMetric, frechet, kid, vendi

from ..launch import python
from .ranks import COUNT, IMAGES, PAIRS, SINGLE
from .vectors import features

REAL = torch.from_numpy(features(50, 6)).float()
SYNTHETIC = torch.from_numpy(features(50, 6, seed=1)).float()


def run(metric, *, batches, epochs=1):
    evaluator = Engine(lambda _, batch: batch)
    metric.attach(evaluator, "figure")
    return evaluator.run(batches, max_epochs=epochs).metrics["figure"]


def test_is_the_figure_of_all_rows():
    """Of all batches of one epoch, whatever their sizes are."""
    batches = list(zip(REAL.split(7), SYNTHETIC.split(7), strict=True))
    assert run(AccumulatedMetric(frechet), batches=batches) == frechet(REAL, SYNTHETIC)
    assert run(AccumulatedMetric(kid), batches=batches, epochs=2) == kid(REAL, SYNTHETIC)


def test_takes_one_argument_and_arrays():
    """A bare tensor an iteration, or an array."""
    expected = vendi(REAL)
    assert run(AccumulatedMetric(vendi), batches=list(REAL.split(20))) == expected
    assert run(AccumulatedMetric(vendi), batches=[(REAL.numpy(),)]) == expected


def test_sides_may_come_apart():
    """With None in the other's place, from an output that is a dictionary."""
    batches = [{"real": REAL, "made": None}, {"real": None, "made": SYNTHETIC}]
    metric = AccumulatedMetric(frechet, output_transform=lambda out: (out["real"], out["made"]))
    assert run(metric, batches=batches) == frechet(REAL, SYNTHETIC)


def test_keeps_what_was_given():
    """A batch that is written into afterwards, or has a gradient, changes nothing."""
    metric = AccumulatedMetric(vendi)
    batch = REAL.clone().requires_grad_()
    metric.update(batch)
    with torch.no_grad():
        batch.zero_()
    assert metric.compute() == vendi(REAL)
    metric.reset()
    metric.update(SYNTHETIC)
    assert metric.compute() == vendi(SYNTHETIC)


def test_refuses():
    """Nothing at all, one side alone, another number of tensors; and what the figure refuses."""
    metric = AccumulatedMetric(frechet)
    with pytest.raises(UserError, match=r"rows for each argument .* got \[\]"):
        metric.compute()
    metric.update((REAL, None))
    with pytest.raises(UserError, match=r"rows for each argument .* got \[50, 0\]"):
        metric.compute()
    with pytest.raises(UserError, match="must give 2 tensors as before, got 1"):
        metric.update(REAL)
    metric.update((None, SYNTHETIC[:1]))
    with pytest.raises(UserError, match="synthetic must be at least 2 vectors, got 1"):
        metric.compute()


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_two_ranks_are_one(tmp_path):
    """Every metric, on both ranks, to 1e-6: of unequal shares, and in another order."""
    done = python("-m", "tests.metrics.ranks", tmp_path)
    assert done.returncode == 0, done.stderr
    one, *two = (
        json.loads((tmp_path / f"rank_{name}.json").read_text(encoding="utf-8"))
        for name in ("0_of_1", "0_of_2", "1_of_2")
    )
    assert one.keys() == {*PAIRS, *SINGLE, *IMAGES}
    assert COUNT % 2 == 1
    for found in two:
        for name, value in one.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-6, atol=1e-9, err_msg=name)
