"""The compiled kernels in threads, forked and spawned processes."""

import multiprocessing as mp
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from medaug.transforms import _pool, aiin

from .images import make_image


@pytest.fixture(params=[1, 2, 3, 7])
def threads(request):
    """A number of threads, as torch.set_num_threads gives it."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def eager(monkeypatch):
    """Threads even for small images."""
    monkeypatch.setattr(_pool, "ALONE", 1)


@pytest.mark.usefixtures("eager", "threads")
@pytest.mark.parametrize("shape", [(1, 1), (61, 53), (3, 40, 40)])
@pytest.mark.parametrize("options", [{"bits": 12}, {"bits": 12, "masked": True}, {"floats": True}])
def test_threads_change_no_number(shape, options):
    """Whatever the number, and wherever the cuts between them fall."""
    image = np.random.default_rng(0).integers(0, 4096, shape).astype(np.uint16)
    given = {"bits": 12}
    if options.get("masked"):
        given["mask"] = np.arange(image.size).reshape(shape) % 3 > 0
    if options.get("floats"):
        image = (image / 4095).astype(np.float32)
    result = aiin(image, **given)
    torch.set_num_threads(1)
    np.testing.assert_array_equal(result, aiin(image, **given))


@pytest.mark.usefixtures("eager")
def test_no_more_threads_than_were_given(threads):
    """All of them work in the caller or in a pool of that size."""
    seen = set()
    _pool.split(lambda *_: seen.add(threading.get_ident()), 100, 10**9)
    assert len(seen) <= threads
    if threads == 1:
        assert seen == {threading.get_ident()}


@pytest.mark.usefixtures("eager", "threads")
def test_an_error_in_a_thread_reaches_the_caller():
    """As it was raised."""

    def work(first, last):
        raise OSError(f"{first} to {last}")

    with pytest.raises(OSError, match=r"\d+ to \d+"):
        _pool.split(work, 100, 10**9)


@pytest.mark.usefixtures("eager")
def test_calls_from_several_threads_do_not_disturb_each_other():
    """Eight at a time share the pool."""
    images = [make_image("radiograph", 80, 70, 8, seed) for seed in range(8)]
    alone = [aiin(image) for image in images]
    with ThreadPoolExecutor(8) as pool:
        for result, expected in zip(pool.map(aiin, images * 5), alone * 5, strict=True):
            np.testing.assert_array_equal(result, expected)


class Normalised(Dataset):
    """Images normalised in the worker, with the number of threads that it has."""

    def __len__(self):
        """Four."""
        return 4

    def __getitem__(self, index):
        """Return the image's sum and the worker's threads."""
        _pool.ALONE = 1
        result = aiin(make_image("radiograph", 600, 500, 8, index))
        names = [thread.name for thread in threading.enumerate()]
        return int(result.astype(int).sum()), sum(name.startswith("medaug") for name in names)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "method", [m for m in ("fork", "spawn") if m in mp.get_all_start_methods()]
)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_workers_forked_after_use_give_the_same_in_one_thread(method):
    """A worker doesn't wait for threads that stayed in its parent, and takes none of its own."""
    expected = [Normalised()[index][0] for index in range(4)]  # the pool is up before the fork
    loader = DataLoader(
        Normalised(), batch_size=None, num_workers=2, multiprocessing_context=method, timeout=120
    )
    results = [(int(total), int(own)) for total, own in loader]
    assert [total for total, _ in results] == expected
    assert [own for _, own in results] == [0, 0, 0, 0]
