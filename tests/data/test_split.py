"""Groups and stratification on drawn problems."""

from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data._split import connected_groups, stratified_split

PROBLEMS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 15)), min_size=1, max_size=80)


def reachable(first, *keys):
    """All items connected with the first, by repeated passes."""
    found = {first}
    while True:
        more = {
            k for k in range(len(keys[0])) for j in found if any(key[k] == key[j] for key in keys)
        }
        if more <= found:
            return found
        found |= more


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=14))
def test_groups_are_what_is_connected(pairs):
    """Sharing either key, directly or through others, against a slow search."""
    first, second = zip(*pairs, strict=True)
    groups = connected_groups(first, second)
    for item in range(len(pairs)):
        same = {k for k in range(len(pairs)) if groups[k] == groups[item]}
        assert same == reachable(item, first, second)


@settings(deadline=None, max_examples=150)
@given(PROBLEMS, st.integers(0, 5))
def test_no_group_is_torn_and_training_has_every_class(problem, seed):
    """Whatever the groups hold."""
    labels, groups = map(list, zip(*problem, strict=True))
    ids = [f"{k:03d}" for k in range(len(labels))]
    split = stratified_split(labels, groups, ids, validation=0.1, test=0.2, seed=seed)
    places = defaultdict(set)
    for group, place in zip(groups, split, strict=True):
        places[group].add(place)
    assert all(len(found) == 1 for found in places.values())
    training = {label for label, place in zip(labels, split, strict=True) if place == "training"}
    assert training == set(labels)


@settings(deadline=None, max_examples=40)
@given(PROBLEMS, st.randoms(use_true_random=False))
def test_order_of_images_does_not_matter(problem, random):
    """Shuffled images get the same places."""
    rows = [(label, group, f"{k:03d}") for k, (label, group) in enumerate(problem)]
    again = random.sample(rows, len(rows))
    places = []
    for some in (rows, again):
        labels, groups, ids = map(list, zip(*some, strict=True))
        split = stratified_split(labels, groups, ids, validation=0.2, test=0.2, seed=0)
        places.append(dict(zip(ids, split, strict=True)))
    assert places[0] == places[1]


def test_shares_are_met_within_the_largest_group():
    """Each class is within its largest group's size of its share."""
    labels = [k // 5 % 2 for k in range(400)]
    groups = [k // 5 for k in range(400)]
    ids = [f"{k:03d}" for k in range(400)]
    for seed in range(10):
        split = stratified_split(labels, groups, ids, validation=0.1, test=0.3, seed=seed)
        found = Counter(zip(labels, split, strict=True))
        for label in (0, 1):
            assert abs(found[label, "test"] - 60) <= 5
            assert abs(found[label, "validation"] - 20) <= 5


def test_share_of_zero_gives_nothing():
    """No validation asked, none made."""
    split = stratified_split(
        [0, 1] * 10, range(20), [str(k) for k in range(20)], validation=0.0, test=0.2, seed=0
    )
    assert "validation" not in split
    assert split.count("test") == 4
