"""The bundle aiin_acgan from the command line."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medaug.networks import ACGANGenerator

from ..bundle.process import TRUSTED
from ..launch import python
from .acgan import BUNDLE, SMALL, weights

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``python -m monai.bundle run ...`` in another process and folder."""
    return python("-m", "monai.bundle", "run", *arguments, cwd=cwd)


def test_command_from_another_folder(data: Path, tmp_path: Path) -> None:
    """Relative to where the command is given: data and results; it ends by saying what to try."""
    (tmp_path / "link").symlink_to(data)
    config = str(BUNDLE / "configs" / "train.json")
    small = [word for key, value in SMALL.items() for word in (f"--{key}", str(value))]
    result = command(
        *(
            "--config_file",
            config,
            "--dataset_dir",
            "link",
            "--output_dir",
            "out",
            "--amp",
            "false",
        ),
        *small,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"link", "out"}
    assert (tmp_path / "out" / "models" / "model.pt").is_file()
    last = result.stdout.rstrip().splitlines()[-1]
    assert last.endswith(f"{BUNDLE}/configs/inference.json --run_dir out --num_images 100")
    assert "epoch 1/1: 100%" in result.stderr
    assert "Loss_D=" in result.stderr


def test_command_with_a_bad_folder_ends_in_one_line(tmp_path: Path) -> None:
    """The path, what was found and what was expected; no traceback; a code that scripts see."""
    config = str(BUNDLE / "configs" / "train.json")
    result = command("--config_file", config, "--dataset_dir", "not/here", cwd=tmp_path)
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    last = result.stderr.rstrip("\n").splitlines()[-1]
    assert last.startswith("medaug: not/here: must be a folder of images")
    assert result.stderr.count("medaug: ") == 1
    assert list(tmp_path.iterdir()) == []


def test_command_that_diverges_ends_in_one_line(data: Path, tmp_path: Path) -> None:
    """The message stands by itself below the progress bar, and once."""
    config = str(BUNDLE / "configs" / "train.json")
    small = [word for key, value in SMALL.items() for word in (f"--{key}", str(value))]
    result = command(
        *("--config_file", config, "--dataset_dir", str(data), "--g_optimizer#lr", "1e30", *small),
        cwd=tmp_path,
    )
    assert result.returncode == 1
    assert result.stderr.count("losses must be finite") == 1
    assert result.stderr.splitlines()[-1].startswith("medaug: losses must be finite, got {")
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C can't be sent to another process")
def test_interrupted_command_keeps_the_model(data: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a long training: the model so far, and one line."""
    config = str(BUNDLE / "configs" / "train.json")
    settings = SMALL | {"max_epochs": 10**6, "val_interval": 10**6, "dataset_dir": str(data)}
    words = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    log = tmp_path / "log.txt"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "monai.bundle", "run", "--config_file", config, *words],
            cwd=tmp_path,
            stdout=file,
            stderr=file,
        )
        try:
            run = tmp_path / "runs" / "aiin_acgan"
            for _ in range(600):
                if (run / "metrics.csv").exists():
                    break
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) != 0
        finally:
            process.kill()
    assert log.read_text().splitlines()[-1] == "medaug: interrupted"
    assert "Traceback" not in log.read_text()
    ACGANGenerator(image_size=32, num_classes=3, latent_dim=8).load_state_dict(weights(run))
