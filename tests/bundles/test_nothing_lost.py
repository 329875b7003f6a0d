"""The command line, killed and gone on with: one process, and several by torchrun. All slow."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from medaug.phantoms import cardiac_cines

from ..engines.cine_toy import vgg_weights
from ..engines.test_killed import assert_same_run
from .acgan import BUNDLE
from .every import BUNDLES
from .test_hrgan_dtcr import SMALL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
TRAIN = str(BUNDLE / "configs" / "train.json")
OVERLAY = f"['{TRAIN}','{BUNDLE / 'configs' / 'multi_gpu_train.json'}']"
MONAI = ["-m", "monai.bundle", "run", "--config_file"]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
SETTINGS: dict[str, object] = {
    "image_size": 32, "val_interval": 2, "latent_dim": 8, "amp": "false"
}  # fmt: skip
GROWING = SMALL | {
    "stages": [
        {"resolution": 64, "images": 24, "batch_size": 2, "num_frames": 4},
        {"resolution": 128, "images": 24, "fade_images": 12, "batch_size": 2, "num_frames": 4},
    ],
    "resume": "true",
}
"""Six epochs of two steps in each of the two stages; the second fades in over three of its own."""


@contextmanager
def started(
    words: list[str],
    data: Path,
    out: Path,
    base: dict[str, object] = SETTINGS,
    **settings: object,
) -> Iterator[object]:
    """The command; what it says goes to ``<out>.log``."""
    given = base | {"dataset_dir": data, "output_dir": out} | settings
    options = [word for key, value in given.items() for word in (f"--{key}", str(value))]
    with Path(f"{out}.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, *words, *options],
            stdout=log,
            stderr=log,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        try:
            yield process
        finally:
            process.kill()


def finished(words: list[str], data: Path, out: Path, **settings: Any) -> tuple[int, str]:
    """Exit code, and all that the command says."""
    with started(words, data, out, **settings) as process:
        code = process.wait(280)
    return code, Path(f"{out}.log").read_text()


def wait_beyond(iteration: int, out: Path, process: object) -> int:
    """Until a later checkpoint is there; its iteration."""
    while process.poll() is None:
        found = [int(path.stem.split("_")[1]) for path in out.glob("models/resume_*.pt")]
        if max(found, default=0) > iteration:
            return max(found)
        time.sleep(0.01)
    pytest.fail(f"ended before iteration {iteration}: {Path(f'{out}.log').read_text()}")


def worker(rank: int, process: object) -> int:
    """The id of a rank that torchrun has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent == process.pid and f"RANK={rank}".encode() in environment:
            return int(folder.name)
    pytest.fail(f"rank {rank} is not there")


def test_a_killed_command_goes_on(data: Path, tmp_path: Path) -> None:
    """Thrice, at what moment it may be."""
    settings = {"max_epochs": 80, "batch_size": 4, "resume": "true"}
    assert finished([*MONAI, TRAIN], data, tmp_path / "whole", **settings)[0] == 0
    out, last = tmp_path / "killed", 0
    for delay in (0.0, 0.13, 0.31):
        with started([*MONAI, TRAIN], data, out, **settings) as process:
            last = wait_beyond(last + 12, out, process)
            time.sleep(delay)
            process.kill()
            process.wait()
    code, log = finished([*MONAI, TRAIN], data, out, **settings)
    assert code == 0
    assert log.count("no checkpoint in") == 1
    assert log.count("going on after iteration") == 3
    compare(tmp_path / "whole", out)


def test_a_growing_command_goes_on(tmp_path: Path) -> None:
    """Killed in the first stage, while the second fades in, and after."""
    hearts = cardiac_cines(num_sequences=8, size=32, num_frames=5, folder=tmp_path, progress=False)
    made = {"cache_dir": tmp_path / "pyramids", "vgg_weights": vgg_weights(tmp_path / "vgg.pth")}
    words = [*MONAI, str(BUNDLES / "hrgan_dtcr" / "configs" / "train.json")]
    given: Any = {"data": Path(hearts), "base": GROWING, **made}
    assert finished(words, out=tmp_path / "whole", **given)[0] == 0
    out = tmp_path / "killed"
    for iteration, delay in ((3, 0.05), (13, 0.2), (19, 0.1)):
        with started(words, out=out, **given) as process:
            wait_beyond(iteration, out, process)
            time.sleep(delay)
            process.kill()
            process.wait()
    code, log = finished(words, out=out, **given)
    assert code == 0, log
    assert log.count("going on after iteration") == 3
    compare(tmp_path / "whole", out)


def compare(whole: Path, out: Path) -> None:
    """All but what each attempt has of its own."""
    for run in (whole, out):
        for path in (*run.glob("tensorboard/*"), run / "run.json"):
            path.unlink()
    assert_same_run(whole, out)
    for picture in (whole / "samples").iterdir():
        assert (out / "samples" / picture.name).read_bytes() == picture.read_bytes()


def test_a_killed_rank_is_started_again(data: Path, tmp_path: Path) -> None:
    """Each of the two, once; torchrun restarts both, and they end as though nothing had been."""
    settings = {"max_epochs": 60, "batch_size": 2, "resume": "true"}
    words = [*TORCHRUN, "--max-restarts=2", *MONAI, OVERLAY]
    assert finished(words, data, tmp_path / "whole", **settings)[0] == 0
    out, last = tmp_path / "killed", 0
    with started(words, data, out, **settings) as process:
        for rank in (1, 0):
            last = wait_beyond(last + 12, out, process)
            os.kill(worker(rank, process), signal.SIGKILL)
        assert process.wait(200) == 0
    assert Path(f"{out}.log").read_text().count("going on after iteration") == 2
    compare(tmp_path / "whole", out)


def test_ranks_write_and_tell_as_one(data: Path, tmp_path: Path) -> None:
    """One epoch by the overlay: one bar, one summary, one set of results."""
    code, log = finished(
        [*TORCHRUN, *MONAI, OVERLAY], data, tmp_path / "run", max_epochs=1, batch_size=2
    )
    assert code == 0
    assert log.count("18 images of 9 patients") == log.count("this run ") == 1
    assert log.count("epoch 1/1: 100%") == 1
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1


@pytest.mark.parametrize(
    ("config", "batch_size", "message"),
    [
        (TRAIN, 2, "medaug: several processes must be run with the overlay that joins them"),
        (OVERLAY, 4, "medaug: batch_size must be at most the number of training images, 6, got 4"),
    ],
)
def test_mistakes_of_several_processes(
    config: str, batch_size: int, message: str, data: Path, tmp_path: Path
) -> None:
    """One line, from each rank at most, and nothing is written."""
    out = tmp_path / "run"
    code, log = finished(
        [*TORCHRUN, *MONAI, config], data, out, max_epochs=1, batch_size=batch_size
    )
    assert code != 0
    assert 1 <= log.count(message) <= 2
    assert "monai/bundle/config_item.py" not in log
    assert not out.exists()
