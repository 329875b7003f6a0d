"""The default data set: a folder of simulated chest radiographs, made once."""

import csv
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .._cores import cores
from ..errors import DataError
from ._anatomy import draw_anatomy
from ._dicom import Coding, Identity, dicom_dataset
from ._once import made_once
from ._xray import simulate_chest_xray

PHANTOM_VERSION = 1  # raise it when the same seed gives other files
_SHARES = {"covid": 0.11, "pneumonia": 0.44}  # the rest is normal, as in the public collections
_VISITS = (0.75, 0.17, 0.08)  # patients with one, two and three images


@dataclass(frozen=True, slots=True)
class Patient:
    """One line of the plan: who gets how many images, and of what."""

    number: int
    label: str
    images: int

    @property
    def name(self) -> str:
        """The patient's ID in the files and in the manifest."""
        return f"PHANTOM{self.number:05d}"

    def stems(self) -> list[str]:
        """Return the names of the patient's files, without suffix."""
        return [f"p{self.number:05d}_{visit}" for visit in range(1, self.images + 1)]


def plan(seed: int, num_images: int) -> list[Patient]:
    """Return the patients of a data set, in the order of their numbers."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    counts = {label: max(1, round(share * num_images)) for label, share in _SHARES.items()}
    counts["normal"] = num_images - sum(counts.values())
    groups = []
    for label, left in sorted(counts.items()):
        while left > 0:
            images = min(left, int(rng.choice(3, p=_VISITS)) + 1)
            groups.append((label, images))
            left -= images
    order = rng.permutation(len(groups))
    return [Patient(i + 1, *groups[j]) for i, j in enumerate(order)]


def _write_patient(patient: Patient, seed: int, root: Path) -> None:
    """Simulate and write all images of one patient, and the truth about them."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, patient.number]))
    anatomy = draw_anatomy(rng)
    for visit, stem in enumerate(patient.stems(), start=1):
        rows = int(rng.integers(48, 81)) * 8
        columns = int(np.clip(round(rows * rng.uniform(0.84, 1.19) / 8), 48, 80)) * 8
        phantom = simulate_chest_xray(patient.label, rng, size=(rows, columns), anatomy=anatomy)
        coding = Coding(
            black=int(rng.integers(150, 900)),
            width=2 * int(rng.integers(900, 1500)),
            inverted=patient.number % 2 == 1,
        )
        identity = Identity(f"medaug phantom {PHANTOM_VERSION} {seed}", patient.name, visit)
        dataset = dicom_dataset(phantom, coding=coding, identity=identity)
        dataset.save_as(root / "images" / patient.label / f"{stem}.dcm", enforce_file_format=True)
        np.savez_compressed(
            root / "truth" / f"{stem}.npz", lung=phantom.lung_mask, lesion=phantom.lesion_mask
        )


def make(root: Path, *, seed: int, num_images: int, progress: bool, workers: int) -> None:
    """Write the whole data set into the empty folder `root`; the manifest comes last."""
    patients = plan(seed, num_images)
    if progress:
        where = f"Making {num_images} phantom chest X-rays, once, in {root.parent.parent}"
        tqdm.write(where, file=sys.stderr)
    for label in ("covid", "normal", "pneumonia"):
        (root / "images" / label).mkdir(parents=True)
    (root / "truth").mkdir()
    # Threads, not processes: the kernels release the GIL, and __main__ is not run again.
    with ThreadPoolExecutor(workers) as pool, tqdm(
        total=num_images, desc="Phantom chest X-rays", unit="image",
        disable=not progress, dynamic_ncols=True,
    ) as bar:  # fmt: skip
        jobs = [pool.submit(_write_patient, patient, seed, root) for patient in patients]
        try:
            for patient, job in zip(patients, jobs, strict=True):
                job.result()
                bar.update(patient.images)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    with (root / "images" / "manifest.csv").open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["file", "label", "patient"])
        for patient in sorted(patients, key=lambda p: (p.label, p.number)):
            for stem in patient.stems():
                writer.writerow([f"{patient.label}/{stem}.dcm", patient.label, patient.name])


def is_complete(root: Path, num_images: int) -> bool:
    """Return whether `root` holds every file of its manifest, with the truth about it."""
    try:
        with (root / "images" / "manifest.csv").open(newline="") as stream:
            files = [row["file"] for row in csv.DictReader(stream)]
        sizes = [(root / "images" / file).stat().st_size for file in files]
        sizes += [(root / "truth" / f"{Path(file).stem}.npz").stat().st_size for file in files]
    except (OSError, KeyError, TypeError):
        return False
    return len(files) == num_images and all(sizes)


def chest_xrays(
    *,
    seed: int = 0,
    num_images: int = 400,
    folder: str | Path | None = None,
    progress: bool = True,
) -> str:
    """Return the folder of a simulated set of chest radiographs, made if it isn't there yet.

    Below it, `covid`, `normal` and `pneumonia` (11, 45 and 44 of 100 images) hold DICOM files;
    `manifest.csv` (file, label, patient) names them. One patient in four has several images.
    The truth lies beside it, in ``../truth/<name>.npz``: bool (H, W) arrays `lung` and `lesion`.
    The same arguments give the same pixels on one machine, however many cores it has. A set that
    is not whole is made again.

    Args:
        seed: Of everything random.
        num_images: How many, 6 or more.
        folder: Where sets are kept, each in a subfolder of its own; the user's cache folder if
            None.
        progress: Whether to show a bar on stderr while the set is made.

    Raises:
        DataError: `num_images` or `seed` is too small, or `folder` cannot be written.
    """
    if num_images < 6:
        raise DataError(f"num_images must be at least 6, got {num_images}")
    if seed < 0:
        raise DataError(f"seed must be 0 or more, got {seed}")
    root = made_once(
        folder,
        f"chest_xrays-v{PHANTOM_VERSION}-seed{seed}-n{num_images}",
        lambda new: make(new, seed=seed, num_images=num_images, progress=progress, workers=cores()),
        lambda found: is_complete(found, num_images),
    )
    return str(root / "images")
