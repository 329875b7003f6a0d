"""Two arms of a study, compared in pairs."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import accuracy_score, average_precision_score, balanced_accuracy_score

from medaug.errors import UserError
from medaug.study import (
    Comparison,
    Predictions,
    accuracy,
    balanced_accuracy,
    compare,
    holm,
    macro_auprc,
    mcnemar,
    recalls,
)

PATIENTS = 80


def trained(
    random: np.random.Generator, skill: float, hardness: NDArray[np.float64], drift: float
) -> Predictions:
    """Two images of each of 80 patients, in two classes; `hardness` is shared by all trainings."""
    patients = np.repeat(np.arange(PATIENTS), 2)
    labels = patients % 2
    training = drift * random.standard_normal()  # of this training, as of no other
    signal = skill + training - hardness[patients] + 0.5 * random.standard_normal(len(patients))
    right = 1 / (1 + np.exp(-signal))
    probabilities = np.where(labels[:, None] == np.arange(2), right[:, None], 1 - right[:, None])
    return Predictions(labels, probabilities, patients)


def arms(seed: int, gain: float, seeds: int = 3) -> list[list[Predictions]]:
    """A reference and an arm, better by `gain`, on the same patients."""
    random = np.random.default_rng(seed)
    hardness = random.standard_normal(PATIENTS)
    return [
        [trained(random, 0.6 + better, hardness, drift=0.1) for _ in range(seeds)]
        for better in (0.0, gain)
    ]


def test_scores_are_those_of_scikit_learn() -> None:
    """With weights, in three classes."""
    random = np.random.default_rng(0)
    labels, weights = random.integers(0, 3, 60), random.integers(0, 4, 60).astype(float)
    probabilities = random.dirichlet([1, 1, 1], 60)
    chosen = probabilities.argmax(1)
    assert accuracy(labels, probabilities, weights) == pytest.approx(
        accuracy_score(labels, chosen, sample_weight=weights)
    )
    assert balanced_accuracy(labels, probabilities, weights) == pytest.approx(
        balanced_accuracy_score(labels, chosen, sample_weight=weights)
    )
    assert macro_auprc(labels, probabilities, weights) == pytest.approx(
        average_precision_score(
            np.eye(3)[labels], probabilities, average="macro", sample_weight=weights
        )
    )


def test_a_class_without_images_is_left_out() -> None:
    """Its recall is no number, and the mean is that of the others."""
    labels, weights = np.array([0, 0, 2]), np.ones(3)
    probabilities = np.eye(3)[[0, 1, 2]]
    assert recalls(labels, probabilities, weights).tolist() == pytest.approx(
        [0.5, np.nan, 1.0], nan_ok=True
    )
    assert balanced_accuracy(labels, probabilities, weights) == 0.75


def test_no_difference_is_seldom_taken_for_one() -> None:
    """Of 40 studies without one, the interval leaves 0 out in no more than a test at 5 % would."""
    found = [compare(*arms(seed, 0.0), balanced_accuracy, seed=seed) for seed in range(40)]
    wrong = sum(one.low > 0 or one.high < 0 for one in found)
    assert wrong <= stats.binom.ppf(0.99, 40, 0.05)
    assert all((one.p_value < 0.05) == (one.low > 0 or one.high < 0) for one in found)


def test_a_gain_is_seen() -> None:
    """Nearly always, where it is large; and its interval holds the truth."""
    found = [compare(*arms(seed, 1.0), balanced_accuracy, seed=seed) for seed in range(10)]
    assert sum(one.low > 0 for one in found) >= 9
    truth = float(np.mean([one.difference for one in found]))
    assert sum(one.low < truth < one.high for one in found) >= 9


def test_the_difference_is_the_mean_of_the_pairs() -> None:
    """And it has no more seeds or patients than there are."""
    reference, arm = arms(1, 0.5)
    found = compare(reference, arm, accuracy)
    ones = np.ones(2 * PATIENTS)
    each = [accuracy(a.labels, a.probabilities, ones) for a in (*arm, *reference)]
    assert found.difference == pytest.approx(np.mean(each[:3]) - np.mean(each[3:]))
    assert (found.seeds, found.patients) == (3, PATIENTS)


def test_one_seed_has_the_patients_alone() -> None:
    """An interval, and seeds tell how little it means."""
    found = compare(*arms(2, 0.5, seeds=1), accuracy)
    assert found.seeds == 1
    assert found.low < found.difference < found.high


def test_patients_are_drawn_not_images() -> None:
    """Ten copies of every image say no more than one; taken as patients they would."""
    reference, arm = arms(3, 0.3, seeds=1)

    def copied(one: Predictions, own: bool) -> Predictions:
        labels, probabilities, patients = (np.repeat(part, 10, axis=0) for part in one)
        return Predictions(labels, probabilities, np.arange(len(patients)) if own else patients)

    once = compare(reference, arm, accuracy)
    ten, fooled = (
        compare([copied(reference[0], own)], [copied(arm[0], own)], accuracy)
        for own in (False, True)
    )
    assert ten.high - ten.low == pytest.approx(once.high - once.low, rel=1e-6)
    assert fooled.high - fooled.low < 0.5 * (once.high - once.low)


def test_the_same_predictions_differ_by_nothing() -> None:
    """And of that the comparison is sure."""
    reference, _ = arms(4, 0.0)
    assert compare(reference, reference, accuracy) == Comparison(0, 0, 0, 1, 3, PATIENTS)


def test_mcnemar_counts_what_one_alone_gets_right() -> None:
    """Nine of ten such images: 2 · 11 / 1,024."""
    labels = np.zeros(20, dtype=np.int64)
    right, wrong = [0.9, 0.1], [0.2, 0.8]
    ours = np.array([right] * 9 + [wrong] + [right] * 10)
    theirs = np.array([wrong] * 9 + [right] + [right] * 10)
    one, other = (Predictions(labels, part, np.arange(20)) for part in (theirs, ours))
    assert mcnemar(one, other) == pytest.approx(2 * 11 / 1024)
    assert mcnemar(one, one) == 1


def test_holm_by_hand() -> None:
    """The smallest times four, the next times three, never below the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_what_cannot_be_paired_is_refused() -> None:
    """Other numbers of seeds, other images, one patient."""
    reference, arm = arms(5, 0.0)
    with pytest.raises(UserError, match="must have the same seeds, got 3 and 2 trainings"):
        compare(reference, arm[:2], accuracy)
    other = [one._replace(labels=1 - one.labels) for one in arm]
    with pytest.raises(UserError, match="must be tested on the same images, got others"):
        compare(reference, other, accuracy)
    single = [one._replace(patients=np.zeros_like(one.patients)) for one in reference]
    with pytest.raises(UserError, match="must be at least 2 for an interval, got 1"):
        compare(single, single, accuracy)
