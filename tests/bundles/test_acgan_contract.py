"""What MONAI's tools and model zoo ask of the bundle aiin_acgan."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ckpt_export, verify_net_in_out
from monai.data import load_net_with_metadata

from medaug.networks import ACGANGenerator

from ..bundle.process import TRUSTED
from .acgan import BUNDLE, SMALL, weights, workflow

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]


def test_properties_of_training(data: Path, tmp_path: Path) -> None:
    """Nothing that MONAI wants of a training bundle is missing."""
    made = workflow("train", dataset_dir=str(data), output_dir=str(tmp_path / "run"), **SMALL)
    assert made.check_properties() == []
    assert made.bundle_root == str(BUNDLE)


def test_looking_at_a_training_leaves_its_results_alone(data: Path, tmp_path: Path) -> None:
    """A workflow that is made and checked, but not run, moves no earlier results aside."""
    out = tmp_path / "run"
    (out / "models").mkdir(parents=True)
    (out / "models" / "model.pt").write_text("an earlier model")
    made = workflow("train", dataset_dir=str(data), output_dir=str(out), **SMALL)
    made.check_properties()
    assert (out / "models" / "model.pt").read_text() == "an earlier model"
    assert not list(out.glob("previous_*"))


def test_handlers_of_ones_own_are_added(data: Path, tmp_path: Path) -> None:
    """``train#handlers`` is empty, and what is put there is attached beside the bundle's."""
    handler = {"_target_": "StatsHandler", "output_transform": "$lambda output: output"}
    settings = SMALL | {"dataset_dir": str(data), "output_dir": str(tmp_path / "run")}
    made = workflow("train", **settings, **{"train#handlers": [handler]})
    assert made.check_properties() == []
    trainer = made.parser.get_parsed_content("train#trainer")
    trainer.run()
    (mine,) = made.parser.get_parsed_content("train#handlers")
    assert trainer.has_event_handler(mine.iteration_completed)
    assert (tmp_path / "run" / "metrics.csv").exists()


@pytest.mark.parametrize("name", ["inference", "evaluate"])
def test_properties_of_inference(name: str, run: Path, data: Path, tmp_path: Path) -> None:
    """Nor of one for inference."""
    made = workflow(name, run_dir=str(run), dataset_dir=str(data), output_dir=str(tmp_path / "out"))
    assert made.check_properties() == []
    assert made.bundle_root == str(BUNDLE)


def test_network_is_as_the_metadata_says() -> None:
    """MONAI's own check of shapes and types, with the defaults."""
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(BUNDLE / "configs" / "metadata.json"),
        config_file=str(BUNDLE / "configs" / "inference.json"),
    )


def test_network_of_a_training_is_checked_too(run: Path) -> None:
    """With the latent length of that training."""
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(BUNDLE / "configs" / "metadata.json"),
        config_file=str(BUNDLE / "configs" / "inference.json"),
        run_dir=str(run),
        **{"_meta_#network_data_format#inputs#image#num_channels": 8},
    )


@pytest.mark.parametrize("config", ["inference", "train"])
def test_export_makes_the_same_images(config: str, run: Path, data: Path, tmp_path: Path) -> None:
    """The TorchScript generator against the checkpoint's, within 1e-5; metadata inside."""
    path = tmp_path / "model.ts"
    own = {"run_dir": str(run)} if config == "inference" else {"dataset_dir": str(data)}
    settings = own if config == "inference" else own | {"image_size": 32, "latent_dim": 8}
    ckpt_export(
        config_file=str(BUNDLE / "configs" / f"{config}.json"),
        ckpt_file=str(run / "models" / "model.pt"),
        filepath=str(path),
        bundle_root=str(BUNDLE),
        **settings,
    )
    network = ACGANGenerator(image_size=32, num_classes=3, latent_dim=8).eval()
    network.load_state_dict(weights(run))
    scripted, metadata, extra = load_net_with_metadata(
        str(path), more_extra_files=(f"{config}.json",)
    )
    latent, label = torch.randn(6, 8), torch.tensor([0, 1, 2, 2, 1, 0])
    with torch.no_grad():
        for arguments in ((latent, label), (latent,)):
            expected = network(*arguments)
            assert (scripted.eval()(*arguments) - expected).abs().max() <= 1e-5
            assert expected.shape == (6, 1, 32, 32)
    assert (
        metadata["version"] == json.loads((BUNDLE / "configs/metadata.json").read_text())["version"]
    )
    assert "network_def" in json.loads(extra[f"{config}.json"])


TENSOR = {
    "type": str,
    "format": str,
    "num_channels": int,
    "spatial_shape": list,
    "dtype": str,
    "value_range": list,
}
META = {
    **dict.fromkeys(
        ("schema", "version", "monai_version", "pytorch_version", "numpy_version"), str
    ),
    **dict.fromkeys(("task", "description", "authors", "copyright"), str),
    "required_packages_version": dict,
    "network_data_format": dict,
    "changelog": dict,
}


def faults(content: dict[str, Any], rules: dict[str, type]) -> list[str]:
    """Keys that are missing or of another type."""
    return [key for key, kind in rules.items() if type(content.get(key)) is not kind]


def test_metadata_follows_monais_schema() -> None:
    """The rules of meta_schema_20240725, written down here; the zoo wants a changelog too."""
    metadata = json.loads((BUNDLE / "configs" / "metadata.json").read_text())
    assert faults(metadata, META) == []
    assert metadata["schema"].endswith("meta_schema_20240725.json")
    assert all(isinstance(v, str) for v in metadata["required_packages_version"].values())
    formats = metadata["network_data_format"]
    for name, tensor in (formats["inputs"] | formats["outputs"]).items():
        assert faults(tensor, TENSOR) == [], name
        assert all(isinstance(size, int | str) for size in tensor["spatial_shape"])
        assert all(isinstance(end, int | float) for end in tensor["value_range"])
    assert next(iter(formats["inputs"])) == "image"
    assert "pred" in formats["outputs"]


def test_bundle_has_what_the_zoo_wants() -> None:
    """Metadata, licence, inference, a card and logging."""
    for name in ("configs/metadata.json", "configs/inference.json", "configs/logging.conf"):
        assert (BUNDLE / name).is_file()
    for name in ("LICENSE", "docs/README.md"):
        assert (BUNDLE / name).stat().st_size > 500


def test_card_states_the_defaults() -> None:
    """The table of options in docs/README.md is that of train.json."""
    config = json.loads((BUNDLE / "configs" / "train.json").read_text("utf-8"))
    card = (BUNDLE / "docs" / "README.md").read_text("utf-8")
    stated = {}
    for keys, values in re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", card, re.MULTILINE):
        text = values.startswith(("`", "phantoms"))
        given = [values.strip("`")] if text else json.loads(f"[{values}]")
        stated |= dict(zip(re.findall(r"\w+", keys), given, strict=True))
    assert stated.pop("dataset_dir") == "phantoms"
    assert "phantoms" in config["dataset_dir"]
    assert len(stated) == 15
    assert stated == {key: config[key] for key in stated}
