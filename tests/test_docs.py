"""The code in the documentation runs as it stands, and every link leads somewhere."""

import re
from pathlib import Path
from typing import Any

import pytest

from medaug.phantoms import chest_xrays

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/*/docs/*.md")])


@pytest.mark.parametrize(
    ("page", "blocks"), [("README.md", slice(0, 1)), ("docs/how-to/aiin.md", slice(None))]
)
def test_code_runs(
    page: str, blocks: slice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One block after the other, in a folder that holds a radiograph."""
    phantoms = Path(chest_xrays(seed=0, num_images=6, folder=tmp_path / "p", progress=False))
    for name in ("radiograph.dcm", "chest.dcm"):
        (tmp_path / name).write_bytes(next(phantoms.rglob("*.dcm")).read_bytes())
    monkeypatch.chdir(tmp_path)
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[blocks]
    assert found
    names: dict[str, Any] = {}
    for block in found:
        exec(compile(block, page, "exec"), names)
    assert 0 <= names["image"].min() < names["image"].max() <= 1
    if "patch" in names:
        assert names["patch"].shape == (1, 128, 128)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """To files of the project; addresses on the web aren't looked up."""
    targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []
