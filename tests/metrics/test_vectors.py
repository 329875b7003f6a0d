"""What all figures over vectors refuse, and what they take."""

import inspect

import numpy as np
import pytest
import torch

from medaug import metrics
from medaug.errors import UserError

from .vectors import features

PAIRS = {
    "frechet": ("real", "synthetic", 2),
    "frechet_resamples": ("real", "synthetic", 2),
    "kid": ("real", "synthetic", 2),
    "nearest": ("of", "among", 1),
    "authenticity": ("train", "synthetic", 1),
    "mifid": ("train", "synthetic", 2),
    "prdc": ("real", "synthetic", 1),
    "prdc_by_image": ("real", "synthetic", 1),
    "coverage": ("real", "generated", 1),
}
"""Figures of two sets: what they call them, and how many vectors the second needs."""

SINGLE = {"vendi": "vectors", "frechet_statistics": "vectors", "inception_score": "probabilities"}
REAL, SYNTHETIC = features(30, 6), features(20, 6, seed=1)


@pytest.mark.parametrize(("figure", "names"), PAIRS.items())
def test_pairs_refuse_what_is_no_vectors(figure, names):
    """Another rank, nothing, NaN, another width, too few: each with its name and what was given."""
    first, second, least = names
    compute = getattr(metrics, figure)
    wrong = REAL.copy()
    wrong[3, 2] = np.nan
    for arguments, message in (
        ((REAL[0], SYNTHETIC), rf"{first} must be vectors of \(N, D\), got \(6,\)"),
        ((REAL, SYNTHETIC[:0]), rf"{second} must be vectors of \(N, D\), got \(0, 6\)"),
        ((wrong, SYNTHETIC), f"{first} must hold finite values, got NaN or infinity"),
        ((REAL, SYNTHETIC[:, :5]), f"{first} and {second} must have equally many .* 6 and 5"),
        ((REAL, np.full((9, 6), np.inf)), f"{second} must hold finite"),
    ):
        with pytest.raises(UserError, match=message):
            compute(*arguments)
    if least > 1:
        with pytest.raises(UserError, match=f"{second} must be at least {least} vectors, got 1"):
            compute(REAL, SYNTHETIC[:1])


@pytest.mark.parametrize(("figure", "name"), SINGLE.items())
def test_single_sets_refuse_what_is_no_vectors(figure, name):
    """Another rank, nothing, infinity."""
    compute = getattr(metrics, figure)
    for vectors, message in (
        (REAL[None], rf"{name} must be vectors of \(N, D\), got \(1, 30, 6\)"),
        (REAL[:, :0], rf"{name} must be vectors of \(N, D\), got \(30, 0\)"),
        (np.full((3, 3), np.inf), f"{name} must hold finite values"),
    ):
        with pytest.raises(UserError, match=message):
            compute(vectors)


@pytest.mark.parametrize("figure", [*PAIRS, *SINGLE])
def test_tensors_and_arrays_give_the_same(figure):
    """In float64; in float32 and half precision, what these numbers give in float64."""
    compute = getattr(metrics, figure)
    sets = [REAL, SYNTHETIC][: 2 if figure in PAIRS else 1]
    if figure == "inception_score":
        sets = [REAL / REAL.sum(axis=1, keepdims=True)]
    expected = compute(*sets)
    np.testing.assert_equal(compute(*map(torch.from_numpy, sets)), expected)
    for dtype in (torch.float32, torch.bfloat16) if figure != "inception_score" else ():
        rounded = [torch.from_numpy(given).to(dtype) for given in sets]
        found = compute(*(given.requires_grad_() for given in rounded))
        np.testing.assert_equal(found, compute(*(given.detach().double() for given in rounded)))


@pytest.mark.parametrize("figure", [*PAIRS, *SINGLE])
def test_arguments_are_left_as_they_are(figure):
    """No vector is written into."""
    compute = getattr(metrics, figure)
    sets = [REAL.copy(), SYNTHETIC.copy()][: 2 if figure in PAIRS else 1]
    if figure == "inception_score":
        sets = [REAL / REAL.sum(axis=1, keepdims=True)]
    before = [given.copy() for given in sets]
    compute(*sets)
    np.testing.assert_equal(sets, before)


def test_options_are_named():
    """What isn't a set of vectors or images is given by its name."""
    for figure in [*PAIRS, *SINGLE]:
        parameters = inspect.signature(getattr(metrics, figure)).parameters.values()
        options = [p for p in parameters if p.default is not p.empty]
        assert all(p.kind is p.KEYWORD_ONLY for p in options), figure
