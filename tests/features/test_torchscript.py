"""Networks of one's own, as TorchScript."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from medaug.errors import CheckpointError, UserError
from medaug.features import find_extractor, torchscript


class Colours(nn.Module):
    """Means of three channels, and logits of two classes; noise in training."""

    def __init__(self, with_classes: bool) -> None:
        super().__init__()
        self.with_classes = with_classes
        self.scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
        self.drop = nn.Dropout(0.5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        vectors = self.drop(images.view(images.shape[0], 3, -1).mean(2) * self.scale)
        return vectors, vectors[:, :2]


class Vectors(Colours):
    def forward(self, images: Tensor) -> Tensor:
        return self.drop(images.view(images.shape[0], 3, -1).mean(2) * self.scale)


def saved(network: nn.Module, path: Path, *, freeze: bool = False) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.script(network)
        torch.jit.save(torch.jit.freeze(script.eval()) if freeze else script, path)
    return path


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("kind", [Vectors, Colours])
def test_vectors_and_classes_of_a_script(tmp_path, kind, freeze):
    """Saved in training or frozen; grey images come with three channels."""
    made = torchscript(saved(kind(True).train(), tmp_path / "my net.pt", freeze=freeze))
    images = torch.rand(5, 1, 8, 6)
    found = made(images, batch_size=2)
    expected = images.mean((2, 3)) * torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(found.vectors, expected)
    if kind is Colours:
        torch.testing.assert_close(found.probabilities, expected[:, :2].softmax(1))
    else:
        assert found.probabilities is None
    assert made.name == "torchscript_my_net"


def test_the_protocol_tells_two_networks_of_one_name_apart(tmp_path):
    """By the checksum of the file."""
    (tmp_path / "b").mkdir()
    first = torchscript(saved(Vectors(False), tmp_path / "net.pt"))
    second = find_extractor(f"torchscript:{saved(Colours(True), tmp_path / 'b' / 'net.pt')}")
    assert first.name == second.name
    assert first.protocol["weights"] != second.protocol["weights"]


def test_a_network_that_cannot_take_the_images(tmp_path):
    """Its own reason, in one line, behind its name and the images' form."""

    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(7, 2)

        def forward(self, images: Tensor) -> Tensor:
            return self.layer(images.flatten(1))

    made = torchscript(saved(Wide(), tmp_path / "wide.pt"))
    with pytest.raises(
        UserError, match=r"torchscript_wide must take images of \(2, 3, 8, 8\), got"
    ):
        made(torch.rand(2, 3, 8, 8))


def test_files_that_are_no_scripts(tmp_path):
    """None, a text, a state dict."""
    path = tmp_path / "net.pt"
    with pytest.raises(
        CheckpointError, match=r"torchscript must be a file, got no such file: .*net"
    ):
        torchscript(path)
    path.write_text("no network")
    with pytest.raises(CheckpointError, match=r"net.pt must be a TorchScript archive, got a file"):
        torchscript(path)
    torch.save(Vectors(True).state_dict(), path)
    with pytest.raises(CheckpointError, match=r"net.pt must be a TorchScript archive, got a file"):
        torchscript(path)
