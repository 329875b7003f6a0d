"""Images of any origin in a folder, as a source of extra ones."""

import random
from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError
from ._config import Study
from ._images import Picture, Pictures, pixel_hashes, prepare, write_pngs
from ._keys import key_of, read_json, write_json
from ._leaks import TRAINING_SET, held_out_ids, read_training_set, refuse_leak, refuse_near_copies
from ._pools import MADE, Pool

Found = Sequence[tuple[str, str, int]]
"""File, pixel hash and label."""


def folder_pool(name: str, normalise: str, study: Study, pictures: Pictures) -> Pool:
    """A folder's images, checked and prepared as the real ones.

    Args:
        name: of the generator.
        normalise: of the arm.
        study: whose.
        pictures: real images as they came.

    Raises:
        DataError: the folder isn't there, isn't laid out by class, or leaks.
    """
    one = study.generators[name]
    folder = Path(one.folder).expanduser()
    if not folder.is_dir():
        raise DataError(f"generators {name!r}: folder must be there, got {folder}")
    real = prepare(pictures, study, normalise)
    refuse_training_set(name, folder, pictures, real)
    found = _by_class(folder, real.classes, name)
    refuse_leak(name, [each for _, each, _ in found], held_out_ids(pictures, real), "its images")
    items = _prepared(found, study, "none" if one.prepared else normalise)
    refuse_near_copies(name, items, real)
    # not in the order of their names, which may be that of their making
    return Pool(name, tuple(random.Random(study.generator_seed).sample(items, len(items))))


def refuse_training_set(name: str, place: Path, *real: Pictures) -> None:
    """Refuse a generator that was trained on held-out images, or doesn't tell on which.

    Args:
        name: of the generator.
        place: as `read_training_set`.
        real: images as they came, and prepared.

    Raises:
        DataError: it leaks, or there is no list.
    """
    refuse_leak(name, read_training_set(name, place), held_out_ids(*real), TRAINING_SET)


def _by_class(folder: Path, classes: Sequence[str], name: str) -> Found:
    found = [
        (path, identity, classes.index(part.name))
        for part in sorted(folder.iterdir())
        if part.name in classes and any(one.is_file() for one in part.rglob("*"))
        for path, identity in sorted(pixel_hashes(part).items())
    ]
    if not found:
        raise DataError(
            f"generators {name!r}: folder must have subfolders of images called "
            f"{', '.join(classes)}, got none"
        )
    return found


def _prepared(found: Found, study: Study, normalise: str) -> list[Picture]:
    kind, parameters = study.normalisation(normalise)
    names = [[identity, label] for _, identity, label in found]
    key = key_of(["folder", names, kind, parameters, study.image_size])
    folder = (study.cache / "prepared" / key).absolute()
    files = [folder / str(label) / f"{k:06d}.png" for k, (_, _, label) in enumerate(found)]
    kept = read_json(folder / "pixels.json")
    if kept is None:
        write_pngs([path for path, _, _ in found], files, kind, parameters, study.image_size)
        hashes: dict[str, str] = {}
        for part in {file.parent for file in files}:
            hashes |= pixel_hashes(part)
        kept = [hashes[str(file)] for file in files]
        write_json(folder / "pixels.json", kept)
    return [
        Picture(str(file), identity, label, -1, MADE)
        for file, identity, (_, _, label) in zip(files, kept, found, strict=True)
    ]
