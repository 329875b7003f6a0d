"""Neighbours, authenticity and MiFID: toy answers, peers, and copies."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree

from medaug.errors import UserError
from medaug.metrics import authenticity, frechet, mifid, nearest

from .vectors import features, rotation


def test_nearest_by_hand():
    """Distances and indices; without itself, the next."""
    train = np.array([[0.0], [1.0], [3.0]])
    found = nearest(np.array([[0.1], [4.5], [6.0]]), train)
    np.testing.assert_allclose(found.distances, [0.1, 1.5, 3.0])
    np.testing.assert_equal(found.indices, [0, 2, 2])
    found = nearest(train, train, itself=True)
    np.testing.assert_allclose(found.distances, [1, 1, 2])
    np.testing.assert_equal(found.indices, [1, 0, 1])
    np.testing.assert_equal(nearest(train, train).distances, 0)


def test_nearest_is_that_of_a_search_tree():
    """More than are compared at once, far from 0."""
    rng = np.random.default_rng(0)
    of, among = rng.normal(size=(1100, 3)) + 1e3, rng.normal(size=(600, 3)) + 1e3
    distances, indices = KDTree(among).query(of)
    found = nearest(of, among)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances)
    distances, indices = KDTree(of).query(of, k=2)
    np.testing.assert_allclose(nearest(of, of, itself=True).distances, distances[:, 1])


def test_copies_are_at_zero():
    """Exactly, however long the vectors are."""
    train = features(700, 64) * 1e3 + 1e5
    found = nearest(train[::-1], train)
    np.testing.assert_equal(found.distances, 0)
    np.testing.assert_equal(found.indices, np.arange(700)[::-1])


def test_authenticity_by_hand():
    """One of three is farther away than its neighbour's own neighbour."""
    train, synthetic = np.array([[0.0], [1.0], [3.0]]), np.array([[0.1], [4.5], [6.0]])
    assert authenticity(train, synthetic) == pytest.approx(1 / 3)


def test_authenticity_of_copies_and_of_fresh_draws():
    """0 for exact and near copies; for fresh draws what the documentation says."""
    rng = np.random.default_rng(0)
    train = rng.normal(size=(1000, 16))
    assert authenticity(train, train) == 0
    assert authenticity(train, train + 1e-3 * rng.normal(size=train.shape)) == 0
    for width, expected in ((2, 0.37), (16, 0.71), (128, 0.83)):
        drawn = authenticity(*rng.normal(size=(2, 1000, width)))
        assert drawn == pytest.approx(expected, abs=0.04)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(2, 40), st.integers(1, 40), st.integers(1, 8), st.integers(0, 1000))
def test_invariant(n, m, width, seed):
    """Neighbours and authenticity: the same moved, turned and permuted."""
    rng = np.random.default_rng(seed)
    train, synthetic = rng.normal(size=(n, width)), rng.normal(size=(m, width))
    found, share = nearest(synthetic, train), authenticity(train, synthetic)
    turn = rotation(width, seed)
    moved = nearest(synthetic @ turn + 2, train @ turn + 2)
    np.testing.assert_allclose(moved.distances, found.distances)
    np.testing.assert_array_equal(moved.indices, found.indices)
    assert authenticity(train[::-1] @ turn, synthetic[::-1] @ turn) == pytest.approx(share)


def test_mifid_is_torchmetrics():
    """Below the threshold and above it."""
    peer = pytest.importorskip("torchmetrics.image.mifid")._mifid_compute
    for width, spread in ((12, 1.0), (40, 4.0)):
        train = torch.from_numpy(features(300, width, spread=spread))
        synthetic = torch.from_numpy(features(200, width, seed=1, shift=0.1, spread=spread))
        # the first features are those whose nearest neighbours are averaged
        expected = peer(
            synthetic.mean(0), synthetic.T.cov(), synthetic, train.mean(0), train.T.cov(), train
        )
        found = mifid(train, synthetic)
        assert found == pytest.approx(float(expected), rel=1e-8)
        assert (found == frechet(train, synthetic)) == (width == 40)


def test_mifid_rings_for_copies():
    """Infinite, where torchmetrics gives 0; so too for copies that float32 has rounded."""
    train = features(100, 40)
    assert mifid(train, train) == math.inf
    assert mifid(train, train[:60]) == math.inf
    assert mifid(train, -train) == math.inf  # the cosine's sign doesn't count
    rounded = train.astype(np.float32) * np.float32(1 + 1e-6)
    assert mifid(train, rounded) == math.inf


def test_mifid_threshold():
    """From there on, nothing is memorised."""
    train, synthetic = features(100, 12), features(90, 12, seed=1)
    plain = frechet(train, synthetic)
    assert mifid(train, synthetic, threshold=1e-9) == plain
    assert mifid(train, synthetic, threshold=1) > plain
    for threshold in (0, 1.5, math.nan):
        with pytest.raises(UserError, match=f"threshold must be above 0 .* got {threshold}"):
            mifid(train, synthetic, threshold=threshold)


def test_refuses():
    """Vectors without a direction, without neighbours, and sets that aren't one."""
    train = features(9, 4)
    with pytest.raises(UserError, match=r"train must have lengths above 0 .* 9 of 9 without"):
        mifid(train * 0, train)
    with pytest.raises(UserError, match="train must be at least 2 vectors, got 1"):
        authenticity(train[:1], train)
    with pytest.raises(UserError, match="of must be at least 2 vectors, got 1"):
        nearest(train[:1], train[:1], itself=True)
    with pytest.raises(UserError, match="among must be the same vectors as of, got 9 for 8"):
        nearest(train[:8], train, itself=True)
