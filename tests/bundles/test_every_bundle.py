"""What holds for each bundle, or each GAN's: MONAI's contract, the zoo's, and ours."""

import json
import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ckpt_export, verify_metadata, verify_net_in_out
from PIL import Image

from medaug.bundle import export_model

from ..bundle.process import TRUSTED, as_it_was
from ..data.test_celeba import celeba
from .every import BUNDLES, CINES, CLASSIFIERS, GANS, SMALL, configs, own, small, train, workflow

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]
NAMES = GANS + CLASSIFIERS
each = pytest.mark.parametrize("name", NAMES)
each_described = pytest.mark.parametrize("name", NAMES + CINES)
each_gan = pytest.mark.parametrize("name", GANS)


@pytest.fixture(scope="package")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A training of one epoch of each bundle; not to be written to."""
    with as_it_was():
        yield {name: train(name, data, tmp_path_factory.mktemp(name) / "run") for name in NAMES}


def test_no_bundle_is_forgotten() -> None:
    """Every folder with a train.json is in one of the lists."""
    assert sorted(path.parents[1].name for path in BUNDLES.glob("*/configs/train.json")) == sorted(
        NAMES + CINES
    )


@each_gan
def test_a_training_leaves_what_it_promises(name: str, runs: dict[str, Path]) -> None:
    """Checkpoints, the generator, the training set's hashes, tables with the report's figures."""
    run = runs[name]
    found = {path.name for path in (run / "models").iterdir()}
    assert {"model.pt", "model.json", "training_set.json"} <= found
    assert any(re.fullmatch(r"resume_\d+\.pt", file) for file in found)
    header = (run / "iterations.csv").read_text().splitlines()[0].split(",")
    scores = {"d_real", "d_fake_before", "d_fake_after"} <= set(header) or {
        *("score_real", "score_fake_before", "score_fake_after")
    } <= set(header)
    assert scores
    assert {"d_loss", "g_loss"} <= set(header)


@each
@pytest.mark.parametrize("file", ["train", "inference", "evaluate"])
def test_properties(
    name: str, file: str, runs: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    """Nothing that MONAI wants of a bundle for training or inference is missing."""
    where = {"output_dir": str(tmp_path / "out")}
    if file == "train":
        settings = small(name) | own(name, data) | where
    else:
        settings = where | {"run_dir": str(runs[name]), "dataset_dir": str(data)}
        if (name, file) == ("cgan", "evaluate"):
            settings["handlers#1#k"] = 1  # six held-out images are few for five neighbours
    made = workflow(name, file, **settings)
    assert made.check_properties() == []
    assert made.bundle_root == str(BUNDLES / name)


@each_gan
def test_the_papers_recipe_trains(name: str, data: Path, tmp_path: Path) -> None:
    """The overlay fits: one epoch, small."""
    narrow = {"generator_options#base_channels": 4, "discriminator_def#base_channels": 4}
    settings = SMALL | own(name, data) | {"output_dir": str(tmp_path / "run")} | narrow
    made = workflow(name, "train", "paper", **settings)
    made.run()
    trainer = made.parser.get_parsed_content("train#trainer")
    assert trainer.augment is None
    assert trainer.penalties == ()
    assert trainer.autocast_dtype is None
    assert trainer.ema.decay == 0
    assert (tmp_path / "run" / "models" / "model.pt").exists()


@each_gan
def test_inference_and_evaluation_know_the_papers_network(
    name: str, data: Path, tmp_path: Path
) -> None:
    """What builds the generator is recorded, options and all."""
    narrow = {"generator_options#base_channels": 4, "discriminator_def#base_channels": 4}
    out = tmp_path / "run"
    settings = SMALL | own(name, data) | {"output_dir": str(out)} | narrow
    workflow(name, "train", "paper", **settings).run()
    workflow(name, "inference", run_dir=str(out), num_images=3).run()
    manifest = json.loads((out / "synthetic" / "manifest.json").read_text())
    assert len(manifest["images"]) == 3


@each
def test_one_process_runs_the_overlay_for_several(name: str, data: Path, tmp_path: Path) -> None:
    """It changes nothing for one."""
    settings = small(name) | own(name, data) | {"output_dir": str(tmp_path / "run")}
    made = workflow(name, "train", "multi_gpu_train", **settings)
    made.run()
    made.finalize()
    assert made.check_properties() == []
    assert (tmp_path / "run" / "models" / "model.pt").exists()


@each_described
def test_network_is_as_the_metadata_says(name: str) -> None:
    """MONAI's own check of shapes and types, with the defaults."""
    (config,) = configs(name, "inference")
    meta = str(BUNDLES / name / "configs" / "metadata.json")
    verify_net_in_out(net_id="network_def", meta_file=meta, config_file=config)


TEXT = ("schema", "version", "monai_version", "pytorch_version", "numpy_version", "task")
REQUIRED = [*TEXT, "description", "authors", "copyright", "required_packages_version"]
TENSOR = {
    "type": {"type": "string"},
    "format": {"type": "string"},
    "num_channels": {"type": "integer"},
    "spatial_shape": {"type": "array", "items": {"type": ["integer", "string"]}},
    "dtype": {"type": "string"},
    "value_range": {"type": "array", "items": {"type": "number"}},
}
TENSORS = {
    "type": "object",
    "additionalProperties": {"type": "object", "properties": TENSOR, "required": [*TENSOR]},
}
SCHEMA = {
    "type": "object",
    "properties": {
        **{key: {"type": "string"} for key in (*TEXT, "description", "authors", "copyright")},
        "required_packages_version": {"type": "object", "additionalProperties": {"type": "string"}},
        "changelog": {"type": "object", "additionalProperties": {"type": "string"}},
        "network_data_format": {
            "type": "object",
            "properties": {"inputs": TENSORS, "outputs": TENSORS},
            "required": ["inputs", "outputs"],
        },
    },
    "required": [*REQUIRED, "network_data_format", "changelog"],
}
"""The rules of meta_schema_20240725, written down here; the zoo wants a changelog too."""


@each_described
def test_metadata_passes_monais_check(name: str, tmp_path: Path) -> None:
    """`verify_metadata`, offline: it takes a schema that is already there."""
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    known = {"hash_val": sha256(schema.read_bytes()).hexdigest(), "hash_type": "sha256"}
    meta = BUNDLES / name / "configs" / "metadata.json"
    verify_metadata(meta_file=str(meta), filepath=str(schema), **known)
    metadata = json.loads(meta.read_text())
    assert metadata["schema"].endswith("meta_schema_20240725.json")
    assert next(iter(metadata["network_data_format"]["inputs"])) == "image"
    assert "pred" in metadata["network_data_format"]["outputs"]


@each_described
def test_bundle_has_what_the_zoo_wants(name: str) -> None:
    """Configurations, licence, a card and logging."""
    files = ["train", "multi_gpu_train", "inference", "metadata"]
    files += ["evaluate"] if name not in CINES else []
    files += ["paper"] if name in GANS else []
    for file in (*(f"configs/{f}.json" for f in files), "configs/logging.conf"):
        assert (BUNDLES / name / file).is_file()
    for file in ("LICENSE", "docs/README.md"):
        assert (BUNDLES / name / file).stat().st_size > 500


@each_described
def test_card_states_the_defaults(name: str) -> None:
    """The table of options in docs/README.md is that of train.json."""
    config = json.loads((BUNDLES / name / "configs" / "train.json").read_text("utf-8"))
    card = (BUNDLES / name / "docs" / "README.md").read_text("utf-8")
    table = card[card.index("| key | default |") :]
    stated: dict[str, Any] = {}
    for keys, values in re.findall(r"^\| (`\w+`[^|]*) \| ([^|]*) \|", table, re.MULTILINE):
        text = values.startswith(("`", "phantoms"))
        given = [values.strip("`")] if text else json.loads(f"[{values}]")
        stated |= dict(zip(re.findall(r"\w+", keys), given, strict=True))
    if stated["dataset_dir"] == "phantoms":
        assert "phantoms" in config["dataset_dir"]
        del stated["dataset_dir"]
    assert len(stated) >= 12
    assert stated == {key: config[key] for key in stated}


@each_gan
def test_exports_make_the_same_images(name: str, runs: dict[str, Path], tmp_path: Path) -> None:
    """TorchScript by MONAI's command and by ours, and .pt2, within 1e-5 of the checkpoint's."""
    (config,) = configs(name, "inference")
    path = tmp_path / "monai.ts"
    ckpt_export(
        config_file=config,
        ckpt_file=str(runs[name] / "models" / "model.pt"),
        filepath=str(path),
        bundle_root=str(BUNDLES / name),
        run_dir=str(runs[name]),
    )
    made = export_model(config, run_dir=runs[name], output=tmp_path / "ours")
    assert len(made.differences) == 2
    assert max(made.differences.values()) <= 1e-5
    latent, label = torch.randn(5, 8), torch.zeros(5, dtype=torch.int64)
    theirs = torch.jit.load(path).eval()(latent, label)
    ours = torch.jit.load(tmp_path / "ours" / "generator.ts")(latent, label)
    assert (theirs - ours).abs().max() <= 1e-5
    assert theirs.shape == (5, 1, 32, 32)


@each_gan
@pytest.mark.parametrize("format", ["png", "nifti", "dicom"])
def test_images_come_in_every_format(
    name: str, format: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    """With a manifest that names the model and each image's class and hash."""
    out = tmp_path / "out"
    workflow(
        name, "inference", run_dir=str(runs[name]), output_dir=str(out), num_images=4, format=format
    ).run()
    manifest = json.loads((out / "manifest.json").read_text())
    assert len(manifest["images"]) == 4
    assert all((out / image["file"]).is_file() for image in manifest["images"])
    assert manifest["model"]["training_set_sha256"]


@pytest.mark.parametrize("amp", ["true", "false"])
def test_dcgan_learns_one_class(amp: str, data: Path, tmp_path: Path) -> None:
    """Only that class's images are trained on, in the split of all classes."""
    out = train("aiin_dcgan", data, tmp_path / "run", class_name="covid", amp=amp, batch_size=2)
    record = json.loads((out / "run.json").read_text())
    assert record["classes"] == ["covid"]
    seen = {item["source_id"] for item in record["data"]["train"]}
    listed = json.loads((out / "models" / "training_set.json").read_text())
    assert set(listed["source_ids"]) == seen
    whole = train("aiin_dcgan", data, tmp_path / "all", batch_size=2)
    everything = json.loads((whole / "run.json").read_text())
    assert seen < {item["source_id"] for item in everything["data"]["train"]}
    assert everything["classes"] == ["all"]


def test_dcgan_learns_from_a_folder_without_classes(data: Path, tmp_path: Path) -> None:
    """It has no use for a second class, and its evaluation hasn't, either."""
    images = tmp_path / "images"
    shutil.copytree(data / "covid", images)
    out = train("aiin_dcgan", images, tmp_path / "run", batch_size=2)
    assert json.loads((out / "run.json").read_text())["classes"] == ["all"]
    made = workflow("aiin_dcgan", "evaluate", run_dir=str(out), dataset_dir=str(images))
    assert made.parser.get_parsed_content("data").classes == ("all",)


def test_cgan_learns_faces_by_two_attributes(tmp_path: Path) -> None:
    """Files in CelebA's exact layout, in colour: an epoch, images of one combination, exports."""
    faces, out = celeba(tmp_path / "celeba"), tmp_path / "run"
    train("cgan", faces, out, dataset="celeba", attributes=["Smiling", "Male"], num_workers=2)
    settings = json.loads((out / "models" / "model.json").read_text())
    assert settings["codes"] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    wanted = "Smiling, not Male"
    workflow("cgan", "inference", run_dir=str(out), num_images=3, class_names=[wanted]).run()
    images = json.loads((out / "synthetic" / "manifest.json").read_text())["images"]
    assert [image["class"] for image in images] == [wanted] * 3
    for image in images:
        picture = np.asarray(Image.open(out / "synthetic" / image["file"]))
        assert picture.shape == (32, 32, 3)
    (config,) = configs("cgan", "inference")
    made = export_model(config, run_dir=out, output=tmp_path / "exported")
    assert max(made.differences.values()) <= 1e-5
