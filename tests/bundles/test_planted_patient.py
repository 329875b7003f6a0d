"""What is planted in a patient's files is found nowhere in what is made of them."""

import os
import pickle
import zipfile
from pathlib import Path

import nibabel as nib
import pytest
import torch
from monai.bundle import create_workflow
from monai.data.meta_tensor import MetaTensor

from medaug.data import (
    CineReader,
    LoadCine,
    LoadCined,
    LoadRadiograph,
    LoadRadiographd,
    RadiographReader,
)

from ..bundle.process import TRUSTED
from ..launch import python
from ..pipelines.pipelines import ROOT, config, load
from .acgan import BUNDLE, SMALL
from .planted import cine, collection, found, found_below, found_in

pytestmark = TRUSTED
FILES = ("zq_holiday_0.dcm", "zq_holiday_3.png", "zq_holiday_4.nii.gz", "zq_holiday_5.nrrd")
each_file = pytest.mark.parametrize("name", FILES)


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collection(tmp_path_factory.mktemp("patients") / "in")


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cine(tmp_path_factory.mktemp("cines"))


@each_file
def test_nothing_in_the_metadata_of_a_radiograph(patients: Path, name: str) -> None:
    """Reader and both loaders: neither in the text nor in the pickle, the file's name included."""
    path = patients / "normal" / name
    pixels, meta = RadiographReader().get_data(path)
    assert not found_in(meta) | found_in(pixels)
    assert not found_in(LoadRadiograph()(path))
    loaded = LoadRadiographd("image", mask_keys="mask")({"image": str(path)})
    assert isinstance(loaded["image"], MetaTensor)
    assert set(loaded) == {"image", "mask"}
    assert not found_in(loaded["image"]) | found_in(loaded["mask"])


def test_nothing_in_the_metadata_of_a_cine(phases: Path) -> None:
    """A folder of single frames, whose own name is planted as well."""
    _, meta = CineReader().get_data(phases)
    assert not found_in(meta)
    assert not found_in(LoadCine()(phases))
    assert not found_in(LoadCined("image")({"image": str(phases)})["image"])


def test_a_file_name_is_there_when_asked(patients: Path) -> None:
    """And so the search would have found it."""
    asked = LoadRadiograph(file_name=True)(patients / "normal" / FILES[0])
    assert found_in(asked) == {"file name"}


@pytest.mark.parametrize("pipeline", ["chest_xray_aiin", "chest_xray_rescale", "dicom_to_png"])
@each_file
def test_nothing_in_what_a_pipeline_gives(patients: Path, name: str, pipeline: str) -> None:
    """The pipelines as another program loads them."""
    item = load(ROOT / "transforms" / pipeline)({"image": str(patients / "normal" / name)})
    assert isinstance(item["image"], torch.Tensor)
    assert not set().union(*(found_in(value) for value in item.values()))


def test_nothing_in_what_the_cine_pipeline_gives(phases: Path) -> None:
    """The same for a cine."""
    item = load(ROOT / "transforms" / "cardiac_cine_aiin")({"image": str(phases)})
    assert not found_in(item["image"])


def test_a_pipeline_writes_names_of_files_only(
    patients: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Pictures are named after the files, which is what was asked for; nothing else is theirs."""
    settings = {"input": str(patients), "output": str(tmp_path / "out")}
    made = create_workflow(
        config_file=str(config(ROOT / "transforms" / "dicom_to_png")), **settings
    )
    made.run()
    made.finalize()
    assert not found("".join(capfd.readouterr()))
    written = list((tmp_path / "out").rglob("*.png"))
    assert len(written) == 6
    assert not any(found(path.read_bytes()) for path in written)


def test_nothing_in_what_a_training_leaves(patients: Path, tmp_path: Path) -> None:
    """Model, logs, tables, TensorBoard, pictures, caches, and every word on the terminal."""
    settings = SMALL | {"dataset_dir": str(patients), "output_dir": str(tmp_path / "out")}
    words = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    caches = ("XDG_CACHE_HOME", "TORCH_HOME", "MPLCONFIGDIR", "TMPDIR", "HOME")
    for name in caches:
        (tmp_path / name).mkdir()
    config_file = str(BUNDLE / "configs" / "train.json")
    done = python(
        *("-m", "monai.bundle", "run", "--config_file", config_file, *words),
        cwd=tmp_path,
        env=os.environ | {name: str(tmp_path / name) for name in caches},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    made = {path.name.partition(".")[0] for path in (tmp_path / "out").rglob("*")}
    assert {"model", "metrics", "run", "events", "epoch_0001"} <= made
    assert {"resume_000000002", "training_set", "iterations"} <= made
    assert not found(done.stdout + done.stderr)
    assert not found_below(tmp_path)


def test_the_search_finds_what_is_there(patients: Path, tmp_path: Path) -> None:
    """In DICOM, archives, compressed files and pickles, in capitals and in two bytes a letter."""
    everything = {"name", "id", "birth date", "institution", "UID"}
    assert found((patients / "normal" / FILES[0]).read_bytes()) == everything
    assert found((patients / "normal" / FILES[1]).read_bytes()) == {"name", "id", "institution"}
    assert found((patients / "normal" / FILES[2]).read_bytes()) >= {"name", "id"}
    torch.save({"a": torch.zeros(3), "who": "Quimbleton"}, tmp_path / "model.pt")
    with zipfile.ZipFile(tmp_path / "deep.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "model.pt")
    (tmp_path / "zq_holiday").write_text("")
    assert found_below(tmp_path) == {
        "deep.zip": {"name"},
        "model.pt": {"name"},
        "zq_holiday": {"file name"},
    }
    assert found("WEXWORTHY") == found("Wexworthy".encode("utf-16-be")) == {"institution"}
    assert found(pickle.dumps(nib.Nifti1Header())) == set()
