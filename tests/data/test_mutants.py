"""Damaged files give the right pixels or our error; ``python -m tests.fuzz`` is the long run."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..fuzz import bombs
from ..fuzz.campaign import BAD, CINE, RADIOGRAPH, Campaign, drawn
from ..fuzz.mutators import Mutant
from ..fuzz.seeds import Seed, seeds
from ..fuzz.watch import Watcher

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; forks")


@pytest.fixture(scope="module")
def watcher() -> Iterator[Watcher]:
    with Watcher(RADIOGRAPH, CINE) as started:
        yield started


@pytest.fixture
def campaign(watcher: Watcher, tmp_path: Path) -> Campaign:
    return Campaign(watcher, tmp_path)


def reader_for(seed: Seed) -> str:
    """The one that reads it when it isn't damaged."""
    return CINE if seed.cine else RADIOGRAPH


def failures(campaign: Campaign) -> str:
    """What went wrong, in words."""
    return "\n".join(campaign.tally.failures)


def test_undamaged_files_give_the_right_pixels(campaign: Campaign) -> None:
    """Each format and transfer syntax, after the file of a marked patient."""
    for seed in seeds():
        assert campaign.mutant(Mutant(seed, "nothing", seed.data), reader_for(seed)) == "right"


def test_mutants_give_the_right_pixels_or_our_error(campaign: Campaign) -> None:
    """None crashes, hangs, takes over 1 GiB, or has pixels that aren't its own."""
    found = [campaign.mutant(one, reader_for(one.seed)) for one in drawn(400, 0)]
    assert not set(found) & set(BAD), failures(campaign)
    assert found.count("right") > 50
    assert found.count("refused") > 150


def test_hostile_headers_are_refused(campaign: Campaign) -> None:
    """Images of no size, of a size that nobody has, and of NaN."""
    for kind, name, data in (*bombs.empties(), *bombs.huge_claims()):
        outcome = campaign.read(name, data, RADIOGRAPH, kind)
        wrong = "must be refused" if outcome.status == "pixels" else ""
        campaign.tally.add(kind, RADIOGRAPH, name, outcome, wrong)
    assert not campaign.tally.failures, failures(campaign)
