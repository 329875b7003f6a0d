"""Samples are the same bit for bit whoever makes them."""

import numpy as np
import pytest
import torch
from monai.transforms import Compose, LoadImaged, RandGaussianNoised, RandRotate90d, ToTensord
from torch.utils.data import DataLoader

from medaug.data import CachedDataset
from medaug.errors import ConfigError

from .images import levels, save

ITEMS = [{"image": np.full((1, 4, 4), k, dtype=np.float32), "label": k} for k in range(6)]


def transform():
    """Something deterministic, then something random."""
    return Compose([ToTensord("image"), RandGaussianNoised("image", prob=0.7, std=0.5)])


def epochs(dataset, workers, **options):
    """All samples of epochs 0, 1 and 0 again, through a loader."""
    loader = DataLoader(dataset, batch_size=2, num_workers=workers, **options)
    found = []
    for epoch in (0, 1, 0):
        dataset.set_epoch(epoch)
        found.append(torch.cat([batch["image"].as_tensor() for batch in loader]))
    return found


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 2},
        {"workers": 2, "persistent_workers": True},
        {"workers": 1, "persistent_workers": True, "multiprocessing_context": "spawn"},
    ],
    ids=["fork", "persistent", "spawn"],
)
def test_workers_give_the_same_samples(options):
    """Forked, persistent and spawned workers see the epoch and draw as the main process does."""
    expected = epochs(CachedDataset(ITEMS, transform(), seed=3), 0)
    found = epochs(CachedDataset(ITEMS, transform(), seed=3), **options)
    for here, there in zip(expected, found, strict=True):
        assert torch.equal(here, there)
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


def test_sample_depends_on_seed_epoch_and_index_alone():
    """Neither on what was drawn before nor on the global random state."""
    dataset = CachedDataset(ITEMS, transform(), seed=3)
    dataset.set_epoch(4)
    first = dataset[5]["image"]
    torch.manual_seed(9)
    np.random.seed(9)  # the global state is the point
    [dataset[k] for k in range(6)]
    assert torch.equal(dataset[5]["image"], first)
    assert torch.equal(dataset[-1]["image"], first)
    other = CachedDataset(ITEMS, transform(), seed=4)
    other.set_epoch(4)
    assert not torch.equal(other[5]["image"], first)


def test_samples_and_epochs_are_uncorrelated():
    """36 draws of noise from neighbouring seeds, epochs and indices: no two alike."""
    items = [{"image": np.zeros((1, 16, 16), dtype=np.float32)} for _ in range(3)]
    drawn = []
    for seed in range(3):
        dataset = CachedDataset(items, [RandGaussianNoised("image", prob=1.0, std=1.0)], seed=seed)
        for epoch in range(4):
            dataset.set_epoch(epoch)
            drawn += [np.asarray(dataset[k]["image"]).ravel() for k in range(3)]
    correlation = np.corrcoef(drawn) - np.eye(len(drawn))
    # 630 pairs of 256 values: the largest of so many is near 0.21
    assert np.abs(correlation).max() < 0.3


def test_deterministic_beginning_runs_once(tmp_path):
    """Files are read when the data set is made, and may be gone after that."""
    path = save(tmp_path / "a.png", levels(8, 8))
    with pytest.warns(UserWarning, match="NvImgCodec"):
        load = LoadImaged("image", reader="medaug.data.RadiographReader")
    dataset = CachedDataset(
        [{"image": str(path)}], [load, RandRotate90d("image", prob=0.5)], seed=0
    )
    path.unlink()
    assert dataset[0]["image"].shape == (1, 8, 8)


def test_negative_epoch_is_refused():
    """Epochs count from 0."""
    with pytest.raises(ConfigError, match=r"must be at least 0, got \(0, -1\)"):
        CachedDataset(ITEMS, transform(), seed=0).set_epoch(-1)


def test_a_loop_over_the_samples_ends():
    """Each once, in order; no index beyond them is taken."""
    dataset = CachedDataset(ITEMS, transform(), seed=3)
    looped = [sample["image"] for sample in dataset]
    assert len(looped) == len(ITEMS)
    assert torch.equal(looped[-1], dataset[-1]["image"])
    with pytest.raises(IndexError, match=f"index must be below {len(ITEMS)}, got {len(ITEMS)}"):
        dataset[len(ITEMS)]


def test_nothing_is_reseeded_where_nothing_is_drawn(monkeypatch):
    """A look into the cache is all that a deterministic transform costs."""
    dataset = CachedDataset(ITEMS, [], seed=3)
    monkeypatch.setattr(dataset.transform, "set_random_state", None)
    assert torch.equal(torch.as_tensor(dataset[1]["image"]), torch.as_tensor(ITEMS[1]["image"]))
