"""Every batch balanced, every image its turn."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data import ClassBalancedSampler
from medaug.errors import ConfigError

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=60)


def batches(sampler, size):
    """The epoch cut into batches."""
    order = list(sampler)
    return [order[k : k + size] for k in range(0, len(order), size)]


@settings(deadline=None, max_examples=150)
@given(labels=LABELS, size=st.integers(1, 40), seed=st.integers(0, 9))
def test_batches_are_full_and_balanced(labels, size, seed):
    """Class counts in a batch, and over the epoch, differ by one at most."""
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
@given(labels=LABELS, size=st.integers(1, 40))
def test_no_image_comes_again_before_its_class_is_through(labels, size):
    """After every batch, how often each image of a class was seen differs by one at most."""
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


@pytest.mark.parametrize(
    ("labels", "size", "text"), [([], 4, "at least one image"), ([0], 0, "at least 1, got 0")]
)
def test_nothing_to_draw_is_refused(labels, size, text):
    """No labels, no batch."""
    with pytest.raises(ConfigError, match=text):
        ClassBalancedSampler(labels, batch_size=size, seed=0)
