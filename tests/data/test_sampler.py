"""Every batch balanced, every image its turn."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data import ClassBalancedSampler
from medaug.errors import ConfigError

CASES = st.lists(st.integers(0, 4), min_size=1, max_size=60).flatmap(
    lambda labels: st.tuples(st.just(labels), st.integers(1, min(40, len(labels))))
)
"""Labels, and a batch that isn't larger."""


def batches(sampler, size):
    """The epoch cut into batches."""
    order = list(sampler)
    return [order[k : k + size] for k in range(0, len(order), size)]


@settings(deadline=None, max_examples=150)
@given(case=CASES, seed=st.integers(0, 9))
def test_batches_are_full_and_balanced(case, seed):
    """Class counts in a batch, and over the epoch, differ by one at most."""
    labels, size = case
    sampler = ClassBalancedSampler(labels, batch_size=size, seed=seed)
    found = batches(sampler, size)
    assert len(found) == -(-len(labels) // size)
    assert all(len(batch) == size for batch in found)
    assert len(sampler) == size * len(found)
    total = Counter({label: 0 for label in labels})
    for batch in found:
        counts = Counter({label: 0 for label in labels})
        counts.update(labels[k] for k in batch)
        assert max(counts.values()) - min(counts.values()) <= 1
        total.update(labels[k] for k in batch)
    assert max(total.values()) - min(total.values()) <= 1


@settings(deadline=None, max_examples=100)
@given(case=CASES)
def test_no_image_comes_again_before_its_class_is_through(case):
    """After every batch, how often each image of a class was seen differs by one at most."""
    labels, size = case
    seen = [0] * len(labels)
    for batch in batches(ClassBalancedSampler(labels, batch_size=size, seed=0), size):
        for index in batch:
            seen[index] += 1
        for label in set(labels):
            counts = [count for count, own in zip(seen, labels, strict=True) if own == label]
            assert max(counts) - min(counts) <= 1


def test_epoch_depends_on_seed_and_epoch_alone():
    """Not on what was drawn before, nor on the global random state."""
    labels = [0] * 30 + [1] * 5 + [2] * 3
    sampler = ClassBalancedSampler(labels, batch_size=8, seed=1)
    sampler.set_epoch(3)
    third = list(sampler)
    torch.manual_seed(0)
    assert list(sampler) == third
    again = ClassBalancedSampler(labels, batch_size=8, seed=1)
    assert list(again) != third
    again.set_epoch(3)
    assert list(again) == third
    other = ClassBalancedSampler(labels, batch_size=8, seed=2)
    other.set_epoch(3)
    assert list(other) != third


def test_common_class_is_not_always_the_same_images():
    """Over ten epochs all of a class much larger than its share have their turn."""
    labels = [0] * 100 + [1] * 4
    sampler = ClassBalancedSampler(labels, batch_size=8, seed=0)
    seen = set()
    for epoch in range(10):
        sampler.set_epoch(epoch)
        seen.update(sampler)
    assert len(seen) > 100


@pytest.mark.parametrize("count", [10, 70])
def test_an_epoch_has_the_batches_that_were_asked_for(count):
    """As many for few images as for many; classes and images still take turns."""
    labels = [0] * (count - 3) + [1] * 3
    sampler = ClassBalancedSampler(labels, batch_size=8, seed=0, epoch_length=5)
    found = batches(sampler, 8)
    assert len(sampler) == 40
    assert [sum(labels[k] for k in batch) for batch in found] == [4] * 5
    seen = Counter(k for batch in found for k in batch if labels[k])
    assert sorted(seen.values()) == [6, 7, 7]


@pytest.mark.parametrize("number", [0, -1, 2.5, "many"])
def test_an_epoch_without_batches_is_refused(number):
    """By what must be."""
    with pytest.raises(ConfigError, match=f"epoch_length must be .* at least 1, got {number}"):
        ClassBalancedSampler([0, 1], batch_size=2, seed=0, epoch_length=number)


def test_processes_take_slices_of_one_batch(monkeypatch):
    """Three ranks' batches of four, side by side, are the batches of twelve of one process."""
    labels = [0] * 30 + [1] * 5 + [2] * 3
    whole = ClassBalancedSampler(labels, batch_size=12, seed=1)
    whole.set_epoch(2)
    monkeypatch.setattr("medaug.data._sampler.idist.get_world_size", lambda: 3)
    slices = []
    for rank in range(3):
        monkeypatch.setattr("medaug.data._sampler.idist.get_rank", lambda rank=rank: rank)
        sampler = ClassBalancedSampler(labels, batch_size=4, seed=1)
        sampler.set_epoch(2)
        assert len(list(sampler)) == len(sampler)
        slices.append(batches(sampler, 4))
    sides = zip(*slices, strict=True)
    assert [[k for part in parts for k in part] for parts in sides] == batches(whole, 12)


def test_more_than_there_is_for_all_processes_is_refused(monkeypatch):
    """Each rank's batch would fit by itself."""
    monkeypatch.setattr("medaug.data._sampler.idist.get_world_size", lambda: 3)
    with pytest.raises(ConfigError, match="number of training images, 8, got 4 in each of 3 proc"):
        ClassBalancedSampler([0] * 8, batch_size=4, seed=0)


@pytest.mark.parametrize(
    ("labels", "size", "text"),
    [
        ([], 4, "at least one image"),
        ([0], 0, "at least 1, got 0"),
        ([0, 1], 3, "at most the number of training images, 2, got 3$"),
    ],
)
def test_nothing_to_draw_is_refused(labels, size, text):
    """No labels, no batch, or more than there is."""
    with pytest.raises(ConfigError, match=text):
        ClassBalancedSampler(labels, batch_size=size, seed=0)
