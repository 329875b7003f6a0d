"""Planted truths with whole bundles: an hour of them, so they are marked slow."""

from pathlib import Path

import pytest

from .planted import NULL_SEEDS, SEEDS, TRUTHS, right, verdict


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that phantoms and cells are made once."""
    return tmp_path_factory.mktemp("planted")


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRUTHS)
def test_planted_generators_get_their_verdicts(folder: Path, kind: str) -> None:
    """The simulator helps, noise doesn't, a leak is refused: three of three."""
    said = [verdict(folder, kind, seed) for seed in SEEDS]
    assert all(right(kind, one) for one in said), said


@pytest.mark.slow
def test_a_planted_null_shows_no_difference(folder: Path) -> None:
    """In nine of ten at least."""
    said = [verdict(folder, "null", seed) for seed in NULL_SEEDS]
    assert sum(right("null", one) for one in said) >= 9, said
