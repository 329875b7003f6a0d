"""The default data set of cines: a folder of simulated hearts, made once."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..errors import DataError
from ._dicom import Identity
from ._heart import HEART_SEGMENTS, LEAST, MOST, draw_heart
from ._heart_cine import CINE_MODALITIES, simulate_cine
from ._heart_files import SUFFIXES, write_cine
from ._once import made_once

CINE_PHANTOM_VERSION = 1  # raise it when the same seed gives other files
_TWICE = 0.25  # of the patients are seen twice
_SICK = 0.4  # of those whose heart is weak enough have a wall that moves less
_STRONG = 0.6  # with a higher ejection fraction, all walls move


@dataclass(frozen=True, slots=True)
class CineSet:
    """What a data set consists of: the arguments of `cardiac_cines`."""

    seed: int
    num_sequences: int
    size: int
    num_frames: int
    modalities: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder's name."""
        some = "" if self.modalities == CINE_MODALITIES else "-" + "-".join(self.modalities)
        shape = f"{self.num_frames}x{self.size}x{self.size}"
        return (
            f"cardiac_cines-v{CINE_PHANTOM_VERSION}-seed{self.seed}-n{self.num_sequences}"
            f"-{shape}{some}"
        )


@dataclass(frozen=True, slots=True)
class PlannedCine:
    """One line of the plan: who is seen, by what, and written as what."""

    patient: int
    visit: int
    modality: str
    suffix: str

    @property
    def who(self) -> str:
        """The patient's ID in the files and in the manifest."""
        return f"HEART{self.patient:05d}"

    @property
    def stem(self) -> str:
        """The name of the file, without suffix."""
        return f"h{self.patient:05d}_{self.visit}"


def plan(made: CineSet) -> list[PlannedCine]:
    """Return the sequences of a data set, in the order of their patients."""
    rng = np.random.default_rng(np.random.SeedSequence([made.seed, 0]))
    kinds = [
        (made.modalities[k % len(made.modalities)], SUFFIXES[k // len(made.modalities) % 2])
        for k in range(made.num_sequences)
    ]
    sequences: list[PlannedCine] = []
    patient = visit = 1
    for k in rng.permutation(made.num_sequences):
        sequences.append(PlannedCine(patient, visit, *kinds[k]))
        again = visit == 1 and rng.random() < _TWICE
        patient, visit = (patient, 2) if again else (patient + 1, 1)
    return sequences


def _write_sequence(made: CineSet, sequence: PlannedCine, root: Path) -> float:
    """Simulate and write one sequence, and the truth about it; return its ejection fraction."""
    rng = np.random.default_rng(np.random.SeedSequence([made.seed, sequence.patient]))
    wanted = float(rng.uniform(LEAST, MOST))
    sick = rng.random() < _SICK and wanted < _STRONG
    segment, motion = str(rng.choice(list(HEART_SEGMENTS))), float(rng.choice([0.0, 0.4]))
    heart = draw_heart(
        rng, ejection_fraction=wanted, segment=segment if sick else "", motion=motion
    )
    view = np.random.SeedSequence([made.seed, sequence.patient, sequence.visit])
    phantom = simulate_cine(
        np.random.default_rng(view),
        modality=sequence.modality,
        size=made.size,
        num_frames=made.num_frames,
        heart=heart,
    )
    key = f"medaug heart phantom {CINE_PHANTOM_VERSION} {made.name}"
    identity = Identity(key, sequence.who, sequence.visit)
    write_cine(phantom, root / "cines" / f"{sequence.stem}{sequence.suffix}", identity)
    np.savez_compressed(
        root / "truth" / f"{sequence.stem}.npz",
        left_ventricle=phantom.left_ventricle, right_ventricle=phantom.right_ventricle,
        myocardium=phantom.myocardium, papillaries=phantom.papillaries,
        area=phantom.area, volume=phantom.volume, segment=heart.segment, motion=heart.motion,
    )  # fmt: skip
    return phantom.ejection_fraction


def make(made: CineSet, root: Path, *, progress: bool) -> None:
    """Write the whole data set into the empty folder `root`; the manifest comes last."""
    if progress:
        where = f"Making {made.num_sequences} phantom cines, once, in {root.parent.parent}"
        tqdm.write(where, file=sys.stderr)
    (root / "cines").mkdir(parents=True)
    (root / "truth").mkdir()
    rows = []
    for sequence in tqdm(
        plan(made), desc="Phantom cines", unit="cine", disable=not progress, dynamic_ncols=True
    ):
        fraction = _write_sequence(made, sequence, root)
        file = f"{sequence.stem}{sequence.suffix}"
        rows.append([file, sequence.modality, f"{fraction:.6f}", sequence.who])
    with (root / "cines" / "manifest.csv").open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["file", "modality", "ejection_fraction", "patient"])
        writer.writerows(rows)


def is_complete(root: Path, num_sequences: int) -> bool:
    """Return whether `root` holds every file of its manifest, with the truth about it."""
    try:
        with (root / "cines" / "manifest.csv").open(newline="") as stream:
            files = [row["file"] for row in csv.DictReader(stream)]
        sizes = [(root / "cines" / file).stat().st_size for file in files]
        stems = [file.partition(".")[0] for file in files]
        sizes += [(root / "truth" / f"{stem}.npz").stat().st_size for stem in stems]
    except (OSError, KeyError, TypeError):
        return False
    return len(files) == num_sequences and all(sizes)


def cardiac_cines(
    *,
    seed: int = 0,
    num_sequences: int = 120,
    size: int = 128,
    num_frames: int = 20,
    modalities: Sequence[str] = CINE_MODALITIES,
    folder: str | Path | None = None,
    progress: bool = True,
) -> str:
    """Return the folder of a simulated set of cardiac cines, made if it isn't there yet.

    In it, half of the cines are multi-frame DICOM and half NIfTI; `manifest.csv` (file, modality,
    ejection_fraction, patient) names them. The modalities are as frequent as each other, ejection
    fractions go evenly from 0.15 to 0.75, about one heart in three has a wall that moves less or
    not at all, and one patient in four is seen twice. The truth lies beside it, in
    ``../truth/<name>.npz``: the masks and curves of `CinePhantom`, `segment` and `motion`. The same
    arguments give the same pixels on one machine. A set that is not whole is made again.

    Args:
        seed: Of everything random.
        num_sequences: How many, 1 or more.
        size: Rows and columns of each.
        num_frames: Of each.
        modalities: Some of `CINE_MODALITIES`.
        folder: Where sets are kept, each in a subfolder of its own; the user's cache folder if
            None.
        progress: Whether to show a bar on stderr while the set is made.

    Raises:
        DataError: `num_sequences` or `seed` is too small, `modalities` is empty, or `folder`
            cannot be written.
        UserError: What `simulate_cine` can't make.
    """
    made = CineSet(seed, num_sequences, size, num_frames, tuple(modalities))
    _check(made)
    root = made_once(
        folder,
        made.name,
        lambda new: make(made, new, progress=progress),
        lambda found: is_complete(found, num_sequences),
    )
    return str(root / "cines")


def _check(made: CineSet) -> None:
    """Refuse what no data set can be."""
    if made.num_sequences < 1:
        raise DataError(f"num_sequences must be at least 1, got {made.num_sequences}")
    if made.seed < 0:
        raise DataError(f"seed must be 0 or more, got {made.seed}")
    if not made.modalities or not set(made.modalities) <= set(CINE_MODALITIES):
        given = ", ".join(made.modalities) or "none"
        raise DataError(f"modalities must be some of {', '.join(CINE_MODALITIES)}, got {given}")
