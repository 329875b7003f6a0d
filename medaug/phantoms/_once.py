"""Data sets that are made once, and are whole or not there."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from ..errors import DataError


def made_once(
    folder: str | Path | None,
    name: str,
    make: Callable[[Path], object],
    is_whole: Callable[[Path], bool],
) -> Path:
    """Return the data set `name` in `folder`, made now if it isn't there or isn't whole.

    Args:
        folder: where sets are kept; the user's cache folder if None.
        name: of the set's own folder.
        make: writes the set into a folder that isn't there yet.
        is_whole: tells whether a folder holds all of it.

    Raises:
        DataError: `folder` cannot be written.
    """
    base = (
        Path(platformdirs.user_cache_dir("medaug"), "phantoms") if folder is None else Path(folder)
    )
    root = base.absolute() / name
    if is_whole(root):
        return root
    try:
        base.mkdir(parents=True, exist_ok=True)
        with _locked(base / f".{name}.lock") as alone:
            if not is_whole(root):
                _remake(root, make, is_whole, alone=alone)
    except OSError as error:
        raise DataError(
            f"folder must be one that can be written, got {base} ({error.strerror})"
        ) from error
    return root


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a lock on the file `path`; give False where the system has none to offer."""
    with path.open("w") as stream:
        try:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX)
        except (ImportError, OSError):
            yield False
        else:
            yield True


def _remake(
    root: Path, make: Callable[[Path], object], is_whole: Callable[[Path], bool], *, alone: bool
) -> None:
    """Make the data set beside `root` and move it there when it is whole."""
    making = f".making-{root.name}-"
    if alone:
        # Nobody else is at work: what lies here was left by a run that was killed.
        for stale in root.parent.glob(f"{making}*"):
            shutil.rmtree(stale, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=making, dir=root.parent))
    try:
        make(work / "new")
        if root.exists() and not is_whole(root):
            root.rename(work / "old")
        (work / "new").rename(root)
    except OSError:
        # Without a lock, another process may have moved its own there first: the same files.
        if not is_whole(root):
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
