"""Sequences at the resolution of the stage: what is cut out of them, and what is kept on disk."""

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from monai.transforms import RandGaussianNoised
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from medaug.data import CinePyramid, StageBatchSampler
from medaug.errors import ConfigError, UserError

FRAMES = 6


def made(name: str) -> Tensor:
    """(2, T, 64, 48) of a name: random, all levels within float16."""
    random = torch.Generator().manual_seed(int(name))
    return torch.rand(2, FRAMES, 64, 48, generator=random)


class Read:
    """A transform that counts how often it is called."""

    def __init__(self, factor: float = 1.0) -> None:
        self.calls, self.factor = 0, factor

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        return {**item, "image": made(item["image"]) * self.factor}


def items(num: int = 4, **more: Any) -> list[dict[str, Any]]:
    return [
        {"image": str(k), "label": k % 2, "modality": k % 2, "conditions": [0.1 * k, float("nan")],
         "source_id": f"{k:064x}", **more}
        for k in range(num)
    ]  # fmt: skip


def growth() -> Any:
    """Two epochs of each stage."""
    stages = [
        SimpleNamespace(resolution=16, batch_size=3, num_frames=2),
        SimpleNamespace(resolution=32, batch_size=2, num_frames=None),
    ]
    return SimpleNamespace(
        stages=stages, epoch_length=2, stage=lambda epoch: stages[0 if epoch <= 2 else 1]
    )


def pyramid(folder: Path, transform: Any = None, **options: Any) -> CinePyramid:
    settings = {"growth": growth(), "cache_dir": folder} | options
    return CinePyramid(settings.pop("data", items()), transform or Read(), **settings)


def test_levels_are_means_of_areas(tmp_path: Path) -> None:
    """The highest of the source, each lower one of four pixels, to float16's precision."""
    data = pyramid(tmp_path, growth=None, resolution=32)
    top = F.interpolate(made("1"), (32, 32), mode="area")
    torch.testing.assert_close(data[1]["image"], top, atol=5e-4, rtol=0)
    data = pyramid(tmp_path)
    data.set_epoch(1)
    item = data[1]
    chosen = (item["phase"] * FRAMES).round().long()
    low = F.avg_pool2d(top, 2)[:, chosen]
    torch.testing.assert_close(item["image"], low, atol=5e-4, rtol=0)
    assert item["image"].dtype == torch.float32


def test_small_cines_are_enlarged(tmp_path: Path) -> None:
    """Bilinearly."""
    data = pyramid(tmp_path, growth=None, resolution=128)
    expected = F.interpolate(made("0"), (128, 128), mode="bilinear")
    torch.testing.assert_close(data[0]["image"], expected, atol=5e-4, rtol=0)


def test_windows_are_consecutive_and_the_heart_beats_on(tmp_path: Path) -> None:
    """Phases go up by 1/T and from the last frame to the first; all beginnings come."""
    data, begun = pyramid(tmp_path, data=items(1)), set()
    for epoch in (1, 2):
        data.set_epoch(epoch)
        first, second = (data[0]["phase"] * FRAMES).round().tolist()
        assert second == (first + 1) % FRAMES
    stages = growth()
    stages.stage = lambda _: stages.stages[0]
    data = pyramid(tmp_path, data=items(1), growth=stages)
    for epoch in range(1, 60):
        data.set_epoch(epoch)
        begun.add(round(float(data[0]["phase"][0] * FRAMES)))
    assert begun == set(range(FRAMES))


def test_an_item_depends_on_seed_epoch_and_index_alone(tmp_path: Path) -> None:
    """Whatever came before, and in workers that were there already."""
    one, two = pyramid(tmp_path), pyramid(tmp_path)
    for index in range(3):
        two[index]
    for epoch in (1, 3):
        one.set_epoch(epoch)
        two.set_epoch(epoch)
        for index in range(4):
            a, b = one[index], two[index]
            assert torch.equal(a["image"], b["image"])
            assert torch.equal(a["phase"], b["phase"])
            assert a["image"].shape[1:] == ((2, 16, 16) if epoch == 1 else (FRAMES, 32, 32))


def test_what_is_told_comes_along(tmp_path: Path) -> None:
    """Modality, conditions with NaN where one is missing, and phases, as a loader stacks them."""
    data = pyramid(tmp_path)
    sampler = StageBatchSampler([0, 1, 0, 1], growth(), seed=0)
    batch = next(iter(DataLoader(data, batch_sampler=sampler)))
    assert batch["image"].shape == (3, 2, 2, 16, 16)
    assert batch["conditions"].shape == (3, 2)
    assert batch["conditions"].dtype == batch["phase"].dtype == torch.float32
    assert batch["conditions"][:, 1].isnan().all()
    assert batch["modality"].dtype == torch.int64
    assert bool((batch["phase"] < 1).all())


def test_a_pyramid_is_built_once(tmp_path: Path) -> None:
    """And kept for other runs: only the first sequence is looked at again, for the transform."""
    first, second = Read(), Read()
    data = pyramid(tmp_path, first)
    for index in [*range(4)] * 2:
        data[index]
    assert first.calls == 1 + 4
    again = pyramid(tmp_path, second)
    assert [again[k]["source_id"] for k in range(4)] == [item["source_id"] for item in items()]
    assert second.calls == 1


def test_another_transform_is_never_served_the_old_pixels(tmp_path: Path) -> None:
    """Nor another highest resolution, from which the lower ones come."""
    whole = pyramid(tmp_path)[2]["image"]
    half = pyramid(tmp_path, Read(0.5))[2]["image"]
    torch.testing.assert_close(half, whole / 2, atol=5e-4, rtol=0)
    assert len(list(tmp_path.iterdir())) == 2
    pyramid(tmp_path, growth=None, resolution=16)[2]
    assert len(list(tmp_path.iterdir())) == 3


def test_files_are_named_by_hash_and_hold_pixels_alone(tmp_path: Path) -> None:
    """float16 arrays; the folder is the user's own."""
    pyramid(tmp_path)[3]
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {f"{3:064x}_{r}.npy" for r in (16, 32)}
    for path in folder.iterdir():
        assert np.load(path, allow_pickle=False).dtype == np.float16


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    """Cut off, or another kind of file."""
    expected = pyramid(tmp_path)[0]["image"]
    for content in (b"", b"damaged", None):
        for path in tmp_path.rglob("*.npy"):
            path.write_bytes(path.read_bytes()[:200] if content is None else content)
        assert torch.equal(pyramid(tmp_path)[0]["image"], expected)


def test_a_slice_is_a_sequence(tmp_path: Path) -> None:
    """The transform gives all slices; an item's own is taken."""
    data = pyramid(tmp_path, data=items(1, slice=1), growth=None, resolution=32)
    expected = F.interpolate(made("0")[1:], (32, 32), mode="area")
    torch.testing.assert_close(data[0]["image"], expected, atol=5e-4, rtol=0)


def test_batches_are_as_large_as_the_stage_has_them() -> None:
    """As many of them whatever the epoch, each class as often."""
    sampler = StageBatchSampler([0, 1] * 3, growth(), seed=0)
    assert len(sampler) == 2
    for epoch, size in ((1, 3), (2, 3), (3, 2), (9, 2)):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert [len(batch) for batch in batches] == [size] * 2
        assert batches == list(sampler)
        assert sum(index % 2 for batch in batches for index in batch) == size
    sampler.set_epoch(1)
    first = list(sampler)
    sampler.set_epoch(2)
    assert list(sampler) != first


def test_a_stage_that_wants_too_large_batches_is_refused_at_once() -> None:
    """Not after days, when it begins."""
    with pytest.raises(ConfigError, match="at most the number of training images, 2, got 3"):
        StageBatchSampler([0, 1], growth(), seed=0)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    """In one line each."""
    for options in ({"growth": None}, {"resolution": 64}):
        with pytest.raises(ConfigError, match="one of growth and resolution must be given"):
            pyramid(tmp_path, **options)
    with pytest.raises(ConfigError, match="data must hold at least one sequence, got none"):
        pyramid(tmp_path, data=[])
    with pytest.raises(ConfigError, match="must draw nothing, got RandGaussianNoised"):
        pyramid(tmp_path, [Read(), RandGaussianNoised("image")])
    with pytest.raises(UserError, match=r"must give \(C, T, H, W\) .*, got \[6, 64, 48\]"):
        pyramid(tmp_path, lambda item: {"image": made(item["image"])[0]})
    stages = growth()
    stages.stages[0].num_frames = 7
    with pytest.raises(ConfigError, match="num_frames must be at most 6, got 7"):
        pyramid(tmp_path, growth=stages)[0]
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cache_dir must be a folder that can be written"):
        pyramid(tmp_path / "file")[0]
