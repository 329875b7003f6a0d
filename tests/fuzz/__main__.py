"""The long run: ``python -m tests.fuzz [--mutants 2000] [--seed 0] [--only bombs]``.

All real files that are installed or in shared/data, at least 2,000 mutants, bombs, empty files and
the largest allowed, by every reader. Prints a table; ends with 1 if anything is in its bad columns.
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

from . import bombs, real, series
from .campaign import BAD, CINE, RADIOGRAPH, READERS, Campaign, drawn
from .mutators import Mutant
from .seeds import seeds
from .watch import Watcher

PARTS = ("seeds", "real", "mutants", "damaged", "folders", "bombs", "empty", "largest")
MAY_BE_READ = ("bomb_zTXt", "bomb_iCCP", "bomb_iTXt", "large")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--mutants", type=int, default=2000, help="how many (default 2000)")
    parser.add_argument("--seed", type=int, default=0, help="draws other mutants (default 0)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts of the run")
    parser.add_argument("--keep", type=Path, help="folder for the files; bad ones are kept in it")
    given = parser.parse_args()
    start = time.perf_counter()
    warnings.simplefilter("ignore")  # of the judges; those of the readers are counted
    with tempfile.TemporaryDirectory() as folder, Watcher(*READERS) as watcher:
        campaign = Campaign(watcher, given.keep or Path(folder))
        for part in given.only:
            began = time.perf_counter()
            run(campaign, part, given.mutants, given.seed)
            sys.stderr.write(f"{part}: {time.perf_counter() - began:.0f} s\n")
    tally = campaign.tally
    lines = [*tally.failures, "", tally.table(), ""]
    lines.append(f"slowest: {tally.slowest[0]:.1f} s, {tally.slowest[1]}")
    lines.append(f"most memory: {tally.growth[0] / 2**20:.0f} MiB, {tally.growth[1]}")
    lines.append(f"{time.perf_counter() - start:.0f} s, seed {given.seed}")
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(number for key, number in tally.counts.items() if key[2] in BAD))


def run(campaign: Campaign, part: str, count: int, seed: int) -> None:
    """One part, with every reader."""
    if part == "seeds":
        mutants(campaign, (Mutant(one, "nothing", one.data) for one in seeds()))
    elif part == "mutants":
        mutants(campaign, drawn(count, seed))
    elif part == "real":
        real_files(campaign)
    elif part == "damaged":
        campaign.damaged(real.small_dicom(), count // 4, seed)
        for name, whole, parts in real.cut_streams():
            campaign.cut(name, whole, parts)
    elif part == "folders":
        for mutant, contents in series.folders(count // 10, seed):
            campaign.folder(mutant, contents)
    else:
        cases = {"empty": bombs.empties, "largest": bombs.largest}.get(part)
        for source in (cases,) if cases else (bombs.bombs, bombs.huge_claims):
            for kind, name, data in source():
                refused(campaign, kind, name, data)


def mutants(campaign: Campaign, chosen: Iterable[Mutant]) -> None:
    """All of them by all readers."""
    for mutant in chosen:
        for reader in READERS:
            campaign.mutant(mutant, reader)


def real_files(campaign: Campaign) -> None:
    """Files by all readers, folders as cines."""
    for source, folder in real.sources().items():
        for path in real.files(folder):
            for reader in READERS:
                campaign.real(source, path, reader)
        for path in real.folders(folder):
            campaign.real(source, path, CINE)


def refused(campaign: Campaign, kind: str, name: str, data: bytes) -> None:
    """What must be refused, or (the largest) may be read."""
    for reader in (RADIOGRAPH, *([CINE] if kind in ("DICOM", "NIfTI") else ())):
        outcome = campaign.read(name, data, reader, kind)
        read = outcome.status == "pixels" and not name.startswith(MAY_BE_READ)
        wrong = f"must be refused, got {outcome.pixels.shape}" if read else ""  # type: ignore[union-attr]
        campaign.tally.add(kind, reader, name, outcome, wrong)


if __name__ == "__main__":
    sys.exit(main())
