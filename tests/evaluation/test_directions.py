"""Six generators of which it is known what is wrong with them, judged beside real chest X-rays."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from monai.transforms import Compose, Resized
from torch import Tensor
from torch.nn import functional as F

from medaug.data import ImageCollection, LoadRadiographd
from medaug.evaluation import Answer, Evaluation, Evaluator, LabelledImages

from ..shared import SHARED

N, SIDE = 200, 64
RINGS = {
    "held out": set(),
    "one image a class": {"intra_class_collapse"},
    "one class": {"inter_class_collapse"},
    "copies": {"memorisation"},
    "shifted copies": {"memorisation"},
    "noisy copies": {"memorisation"},
    "blur": {"infidelity"},
    "noise": {"infidelity"},
}
"""What each must ring; `ONLY` nothing else."""
ONLY = ("held out", "copies", "blur", "noise")


@pytest.fixture(scope="module")
def parts() -> dict[str, LabelledImages]:
    """Real images of three groups of patients."""
    folder = SHARED / "data" / "cxr"
    if not folder.exists():
        pytest.skip("../shared/data/cxr is absent")
    data = ImageCollection(folder, seed=1, validation=0.2, test=0.2)
    read = Compose(
        [LoadRadiographd("image"), Resized("image", spatial_size=(SIDE, SIDE), mode="area")]
    )
    found = {
        name: LabelledImages.of([read(dict(item)) for item in getattr(data, name)])
        for name in ("train", "validation", "test")
    }
    return found | {name: found[name].only(_some(found[name])) for name in ("validation", "test")}


@pytest.fixture(scope="module")
def judge(parts: dict[str, LabelledImages]) -> Callable[[str], Evaluation]:
    """Judge a generator by name."""
    evaluator = Evaluator(parts["train"], parts["test"], ("covid", "normal", "pneumonia"))
    return lambda name: evaluator(generated(name, parts))


@pytest.mark.parametrize("name", RINGS)
def test_each_fault_rings_its_own_bell(name: str, judge: Callable[[str], Evaluation]) -> None:
    """What is wrong is told from what isn't."""
    found = judge(name)
    rung = {verdict.name for verdict in found.verdicts if verdict.answer is Answer.YES}
    assert rung >= RINGS[name], found.text()
    if name in ONLY:
        assert rung == RINGS[name], found.text()


def generated(name: str, parts: dict[str, LabelledImages]) -> LabelledImages:
    """200 images as such a generator would make them; what isn't copied is of fresh patients."""
    fresh, train = parts["validation"], parts["train"]
    random = np.random.default_rng(0)
    if name == "one class":
        normal = np.flatnonzero(train.labels.numpy() == 1)
        images = train.images[random.choice(normal, N, replace=False)]
        return LabelledImages(images, fresh.labels)
    if name == "one image a class":
        first = [int(np.flatnonzero(fresh.labels.numpy() == label)[0]) for label in range(3)]
        return LabelledImages(fresh.images[first][fresh.labels], fresh.labels)
    if "copies" in name:
        fresh = train.only(random.choice(len(train.labels), N, replace=False))
    return fresh._replace(images=FAULTS[name](fresh.images))


def _some(images: LabelledImages) -> Tensor:
    order = np.random.default_rng(0).permutation(len(images.labels))
    return torch.from_numpy(order[:N])


def _blurred(images: Tensor, sigma: float = 1.0, reach: int = 4) -> Tensor:
    taps = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    taps /= taps.sum()
    padded = F.pad(images, (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1)).clamp(0, 1)


def _noisy(images: Tensor, spread: float) -> Tensor:
    random = torch.Generator().manual_seed(0)
    return (images + spread * torch.randn(images.shape, generator=random)).clamp(0, 1)


FAULTS: dict[str, Callable[[Tensor], Tensor]] = {
    "held out": lambda images: images,
    "copies": lambda images: images,
    "shifted copies": lambda images: torch.roll(images, (1, 2), (2, 3)),
    "noisy copies": lambda images: _noisy(images, 0.03),
    "blur": _blurred,
    "noise": lambda images: _noisy(images, 0.05),
}
