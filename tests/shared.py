"""Where the real data are, which are not part of the project."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("MEDAUG_SHARED", "../shared")).resolve()
needs_shared = pytest.mark.skipif(
    not (SHARED / "data").is_dir(), reason="the shared data are not here (MEDAUG_SHARED)"
)
