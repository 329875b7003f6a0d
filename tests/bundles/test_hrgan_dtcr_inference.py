"""The bundle hrgan_dtcr makes sequences, exports its generator, and says what is wrong first."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ckpt_export, verify_net_in_out
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from medaug.bundle import export_model
from medaug.bundle.__main__ import main
from medaug.data import CineReader, LatentDataset
from medaug.errors import UserError

from ..bundle.process import TRUSTED, as_it_was, mistake
from .cine_run import MODALITIES, SETTINGS, cine_run, trained
from .every import BUNDLES, configs, workflow

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]
NAME = "hrgan_dtcr"
(CONFIG,) = configs(NAME, "inference")
META = str(BUNDLES / NAME / "configs" / "metadata.json")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training's output folder; not to be written to."""
    return cine_run(tmp_path_factory.mktemp("trained") / "run")


def infer(run: Path, out: Path, **overrides: Any) -> dict[str, Any]:
    """The manifest of what inference.json writes."""
    with as_it_was():
        workflow(NAME, "inference", run_dir=str(run), output_dir=str(out), **overrides).run()
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return manifest


def frames_in(out: Path, entry: dict[str, Any], format: str) -> NDArray[np.float32]:
    """(T, H, W) in [0, 1], however it was written."""
    files = [out / each["file"] for each in entry["files"]]
    if format in ("dicom", "nifti"):
        pixels: NDArray[np.float32] = CineReader().get_data(files[0])[0][0]
        return pixels
    levels: list[NDArray[np.uint8]] = []
    for file in files:
        with Image.open(file) as picture:
            levels += [np.asarray(p.convert("L")) for p in ImageSequence.Iterator(picture)]
    return np.stack(levels).astype(np.float32) / 255


def made_by(run: Path, resolution: int | None = None, index: int = 0, num_frames: int = 5,
            told: float = float("nan"), modality: int = 0) -> NDArray[np.float32]:  # fmt: skip
    """What the checkpoint's generator makes, all frames at once; means where that is larger."""
    latent: Any = LatentDataset(index + 1, labels=[0], latent_dim=8, seed=0)[index]["latent"]
    phase = torch.arange(num_frames)[None] / num_frames
    with torch.no_grad():
        cine = trained(run)(latent[None], torch.tensor([modality]), torch.tensor([[told]]), phase)
    frames: NDArray[np.float32] = cine[0, 0].numpy()
    size = resolution or frames.shape[-1]
    block = frames.shape[-1] // size
    return frames.reshape(num_frames, size, block, size, block).mean((2, 4))


@pytest.mark.parametrize("resolution", [64, 128])
@pytest.mark.parametrize("format", ["dicom", "nifti", "gif", "png"])
def test_sequences_come_in_every_format(
    format: str, resolution: int, run: Path, tmp_path: Path
) -> None:
    """The generator's frames to the nearest of 256 levels, and a manifest that tells the rest."""
    asked = {"format": format, "resolution": resolution, "num_sequences": 2, "num_frames": 8}
    manifest = infer(run, tmp_path, **asked, heart_rate=75, conditions={"ejection_fraction": 0.6})
    for number, entry in enumerate(manifest["sequences"]):
        made = made_by(run, resolution, number, 8, told=0.6, modality=number)
        assert made.std(axis=0).max() > 1 / 255  # something moves
        found = frames_in(tmp_path, entry, format)
        assert np.abs(found - made).max() <= 0.5 / 255 + 1e-5
        assert (entry["modality"], entry["index"]) == (MODALITIES[number], number)
        assert entry["frame_time_ms"] == pytest.approx(100)
        assert (entry["num_frames"], entry["seed"]) == (8, 0)
        assert entry["conditions"] == {"ejection_fraction": 0.6}
        assert len(entry["files"]) == (8 if format == "png" else 1)
        for file in entry["files"]:
            content = (tmp_path / file["file"]).read_bytes()
            assert file["sha256"] == hashlib.sha256(content).hexdigest()
            assert b"class " in content or format == "nifti"
    model = manifest["model"]
    weights = (run / "models" / "model.pt").read_bytes()
    assert model["sha256"] == hashlib.sha256(weights).hexdigest()
    assert model["training_set_sha256"]
    assert model["name"] == json.loads(Path(META).read_text())["name"]


@pytest.mark.parametrize("format", ["dicom", "nifti"])
def test_our_reader_finds_the_times(format: str, run: Path, tmp_path: Path) -> None:
    """A cycle of 60 / heart rate seconds, whatever the number of frames."""
    entry = infer(run, tmp_path, format=format, heart_rate=72, num_frames=7)["sequences"][0]
    _, meta = CineReader().get_data(tmp_path / entry["files"][0]["file"])
    step = 60_000 / 72 / 7
    assert meta["frame_times"] == pytest.approx([step * number for number in range(7)], rel=1e-6)


def test_by_default_all_modalities_take_turns_as_trained(run: Path, tmp_path: Path) -> None:
    """Four sequences, of as many frames and pixels as in training, conditions left open."""
    sequences = infer(run, tmp_path)["sequences"]
    assert [entry["modality"] for entry in sequences] == MODALITIES
    assert [entry["files"][0]["file"] for entry in sequences] == [
        f"{name}/{name}_{number:05d}.dcm" for number, name in enumerate(MODALITIES)
    ]
    assert frames_in(tmp_path, sequences[0], "dicom").shape == (5, 128, 128)
    assert sequences[0]["conditions"] == {}
    assert sequences[0]["frame_time_ms"] == 200


def test_the_same_seed_makes_the_same_files(run: Path, tmp_path: Path) -> None:
    """However many there are; another seed makes others."""
    asked = {"modality": "ct", "resolution": 64}
    hashes = [
        [entry["files"][0]["sha256"] for entry in infer(run, tmp_path / name, **asked, **more)[
            "sequences"]]
        for name, more in (
            ("a", {"num_sequences": 2}), ("b", {"num_sequences": 3}), ("c", {"seed": 1}),
        )
    ]  # fmt: skip
    assert hashes[0] == hashes[1][:2]
    assert not {*hashes[1]} & {*hashes[2]}
    assert len({*hashes[1]}) == 3


def test_a_training_that_was_fading_in_is_shown_as_it_was(tmp_path: Path) -> None:
    """Its newest stage weighs what it did, whatever the size of the images."""
    run = cine_run(tmp_path / "run", alpha=0.3)
    whole = cine_run(tmp_path / "whole")
    for resolution in (128, 64):
        entry = infer(run, tmp_path / str(resolution), resolution=resolution)["sequences"][0]
        found = frames_in(tmp_path / str(resolution), entry, "dicom")
        assert np.abs(found - made_by(run, resolution)).max() <= 0.5 / 255 + 1e-5
        assert np.abs(found - made_by(whole, resolution)).max() > 2 / 255


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"resolution": 96}, r"--resolution must be one of \[64, 128\], which the model .* got 96$"),
    ({"resolution": 256}, r"--resolution must be one of \[64, 128\].* got 256$"),
    ({"resolution": "64x64"}, r"--resolution must be one of .* got '64x64'$"),
    ({"num_frames": 0}, r"--num_frames must be a whole number of at least 1, got 0$"),
    ({"num_frames": -3}, r"--num_frames must be a whole number of at least 1, got -3$"),
    ({"num_frames": 2.5}, r"--num_frames must be a whole number of at least 1, got 2.5$"),
    ({"num_frames": 300_000}, r"--num_frames must be at most 262143 with --format dicom.*4 GiB"),
    ({"num_frames": 40_000, "format": "nifti"}, r"--num_frames must be at most 32767 with"),
    ({"num_frames": 51, "format": "gif"}, r"--num_frames must be at most 50 with .*, got 51$"),
    ({"num_sequences": 0}, r"--num_sequences must be at least 1, got 0$"),
    ({"modality": "pet"}, r"--modality must be among \['mri', .*\], .* got \['pet'\]$"),
    ({"conditions": {"ejection_fraction": 60}},
     r"--conditions: ejection_fraction must be 0.1 to 0.8, got 60$"),
    ({"conditions": {"ejection_fraction": 0.05}}, r"ejection_fraction must be .*, got 0.05$"),
    ({"conditions": {"ef": 0.5}}, r"--conditions must be of \['ejection_fraction'\], got 'ef'$"),
    ({"conditions": {"ejection_fraction": "low"}}, r"--conditions must give numbers by name"),
    ({"conditions": {"ejection_fraction": float("inf")}}, r"--conditions must give numbers"),
    ({"conditions": 0.5}, r"--conditions must give numbers by name, .* got 0.5$"),
    ({"heart_rate": 0}, r"--heart_rate must be 10 to 1000 beats a minute, got 0"),
    ({"heart_rate": "fast"}, r"--heart_rate must be a number, such as 60.0, got 'fast'$"),
    ({"format": "mp4"}, r"--format must be one of \['dicom', 'nifti', 'gif', 'png'\], got 'mp4'$"),
    ({"num_frame": 8}, r"--num_frame is not a key .* did you mean --num_frames\?$"),
    ({"seed": -1}, r"--seed must be at least 0, got -1$"),
]  # fmt: skip


@pytest.mark.parametrize(("overrides", "message"), MISTAKES)
def test_a_mistake_is_one_line_before_anything_is_made(
    overrides: dict[str, Any], message: str, run: Path, tmp_path: Path
) -> None:
    """And nothing is written."""
    out = tmp_path / "out"
    with pytest.raises((RuntimeError, UserError)) as raised:
        infer(run, out, **({"resolution": 128} | overrides))
    text = str(mistake(raised.value))
    assert re.search(message, text), text
    assert "\n" not in text
    assert not out.exists()


def test_without_a_model_it_says_to_train(tmp_path: Path) -> None:
    """By the path that isn't there."""
    with pytest.raises((RuntimeError, UserError)) as raised:
        infer(tmp_path / "no_run", tmp_path / "out")
    assert "model.pt is not there: train first" in str(mistake(raised.value))


def test_a_folder_that_cannot_be_written_is_told(run: Path, tmp_path: Path) -> None:
    """In one line."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises((RuntimeError, UserError)) as raised:
        infer(run, tmp_path / "file" / "out", resolution=64)
    assert "--output_dir must be a folder that can be written" in str(mistake(raised.value))


def test_properties(run: Path, tmp_path: Path) -> None:
    """Nothing that MONAI wants of a bundle for inference is missing."""
    with as_it_was():
        made = workflow(NAME, "inference", run_dir=str(run), output_dir=str(tmp_path / "out"))
        assert made.check_properties() == []
        assert made.bundle_root == str(BUNDLES / NAME)


@pytest.mark.parametrize("resolution", [None, 64])
def test_network_of_a_training_is_as_the_metadata_says(resolution: int | None, run: Path) -> None:
    """MONAI's own check, with that training's latent length, frames and size."""
    inputs, output = (f"_meta_#network_data_format#{name}" for name in ("inputs", "outputs"))
    verify_net_in_out(
        net_id="network_def",
        meta_file=META,
        config_file=CONFIG,
        run_dir=str(run),
        resolution=resolution,
        **{
            f"{inputs}#image#num_channels": 8,
            f"{output}#pred#spatial_shape": [5, resolution or 128, resolution or 128],
        },
    )


def given(count: int, length: int) -> tuple[torch.Tensor, ...]:
    """Inputs: latents, modalities, conditions of which some are missing, phases."""
    conditions = torch.linspace(0.2, 0.7, count)[:, None]
    conditions[1::2] = torch.nan
    return torch.randn(count, 8), torch.arange(count) % 4, conditions, torch.rand(count, length)


def test_exports_make_the_same_sequences(run: Path, tmp_path: Path) -> None:
    """TorchScript by MONAI's command and by ours, and .pt2, within 1e-5 of the checkpoint's."""
    theirs, size = tmp_path / "monai.ts", 64
    with as_it_was():
        ckpt_export(
            config_file=CONFIG,
            ckpt_file=str(run / "models" / "model.pt"),
            filepath=str(theirs),
            bundle_root=str(BUNDLES / NAME),
            run_dir=str(run),
            resolution=size,
        )
    out = tmp_path / "ours"
    made = export_model(CONFIG, run_dir=run, output=out, resolution=size)
    assert [path.name for path in made.differences] == [
        f"generator_{size}.ts", f"generator_{size}.pt2",
    ]  # fmt: skip
    assert max(made.differences.values()) <= 1e-5
    exported = [
        torch.jit.load(theirs).eval(),
        torch.jit.load(out / f"generator_{size}.ts"),
        torch.export.load(out / f"generator_{size}.pt2").module(),
    ]
    checkpoint = trained(run)
    checkpoint.reduce_to(size)
    for count, length in ((1, 1), (1, 6), (3, 2)):
        inputs = given(count, length)
        with torch.no_grad():
            expected = checkpoint(*inputs)
            assert expected.shape == (count, 1, length, size, size)
            assert expected.std() > 0.005
            for network in exported:
                assert (network(*inputs) - expected).abs().max() <= 1e-5


def test_an_export_says_what_goes_in(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its metadata, and by the lines that the command prints, which work as they stand."""
    words = ["export", "--config_file", CONFIG, "--run_dir", str(run), "--output", str(tmp_path)]
    with as_it_was():
        assert main([*words, "--resolution", "64"]) == 0
    told = capsys.readouterr().out
    lines = [line[4:] for line in told.splitlines() if line.startswith("    ")]
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)  # what a person would paste
    assert names["cine"].shape == (1, 1, 5, 64, 64)
    files = {"metadata.json": ""}
    torch.jit.load(tmp_path / "generator_64.ts", _extra_files=files)
    metadata = json.loads(files["metadata.json"])
    inputs = metadata["inputs"]
    assert inputs["modality"]["classes"] == MODALITIES
    assert inputs["conditions"]["names"] == ["ejection_fraction"]
    assert inputs["conditions"]["ranges"] == [pytest.approx([0.1, 0.8])]
    assert inputs["phase"]["num_frames"] == 5
    assert metadata["output"]["shape"] == ["N", 1, "T", 64, 64]
    assert metadata["output"]["use_aiin"] is True


@pytest.mark.parametrize(
    ("conditions", "size"), [({}, 64), ({"age": None, "ejection_fraction": [0.1, 0.8]}, 128)]
)
def test_other_conditions_are_exported_too(
    conditions: dict[str, Any], size: int, tmp_path: Path
) -> None:
    """None at all, or one of any value; as trained, if nothing is said of the resolution."""
    run = cine_run(tmp_path / "run", conditions=conditions, resolution=size)
    made = export_model(CONFIG, run_dir=run, output=tmp_path / "out")
    assert [path.name for path in made.differences] == [
        f"generator_{size}{s}" for s in (".ts", ".pt2")
    ]
    assert max(made.differences.values()) <= 1e-5
    names: dict[str, Any] = {}
    exec("\n".join(made.usage), names)  # what a person would paste
    assert names["cine"].shape == (1, 1, 5, size, size)
    entry = infer(run, tmp_path / "made", conditions=dict.fromkeys(conditions, 0.5))["sequences"][0]
    assert entry["conditions"] == dict.fromkeys(conditions, 0.5)


@pytest.mark.parametrize(
    ("bundle", "message"),
    [(NAME, r"--resolution must be one of \[64, 128\]"), ("cgan", "--resolution is not a key")],
)
def test_a_resolution_that_is_not_there_is_not_exported(
    bundle: str, message: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and no file."""
    (config,) = configs(bundle, "inference")
    words = ["export", "--config_file", config, "--run_dir", str(run)]
    with as_it_was():
        assert main([*words, "--output", str(tmp_path / "out"), "--resolution", "256"]) == 1
    told = capsys.readouterr().err
    assert re.search(message, told), told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_card_states_the_defaults() -> None:
    """Its table of inference's options is that of inference.json."""
    config = json.loads(Path(CONFIG).read_text())
    card = (BUNDLES / NAME / "docs" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `--(\w+)` \| `?([^|`]*)`? \|", card, re.MULTILINE)
    stated = {key: value.strip() for key, value in rows}
    wanted = ("run_dir", "num_sequences", "num_frames", "resolution", "modality", "conditions",
              "heart_rate", "format", "seed")  # fmt: skip
    assert {key: stated.get(key) for key in wanted} == {
        key: config[key] if isinstance(config[key], str) else json.dumps(config[key])
        for key in wanted
    }
    assert {*stated} - {*wanted} == {"output_dir"}


def test_a_run_of_the_settings_is_what_a_training_leaves() -> None:
    """The tests' own folder has what train.json tells its handlers to record."""
    train = json.loads((BUNDLES / NAME / "configs" / "train.json").read_text())
    recorded = train["train"]["results"]["settings"]
    assert {*SETTINGS} - {"resolution", "alpha", "epoch", "classes"} <= {*recorded}
