"""Image classifiers: any of timm's models, by name, with what an export needs inside."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, ConfigError
from ..transforms import AIINLayer
from ._pretrained import Weights, read_weights

SCRATCH = "from scratch"
INPUT_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "fixed": lambda _: nn.Identity(),
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
}
"""What normalises the input beyond the fixed mean and deviation, for so many channels."""


class ImageClassifier(nn.Module):
    """A network that gives a score for each class, behind its own normalisation of the input.

    Its state dict has the weights of `model`, and of `input_norm` where that has some.

    Args:
        model: images to scores, (N, C, H, W) to (N, K).
        mean: of each channel, subtracted first; in units of the image's range [0, 1].
        std: of each channel, what the rest is divided by.
        image_size: pixels along both axes.
        origin: in words, where the weights came from.
        input_norm: what comes after these two; nothing, by default.

    Shape:
        (N, C, image_size, image_size) in [0, 1] to logits (N, K).
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        model: nn.Module,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        image_size: int,
        origin: str = SCRATCH,
        input_norm: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.input_norm = input_norm or nn.Identity()
        self.model = model
        self.image_size = image_size
        self.origin = origin
        # Not saved: they belong to the model's name, and weights are exchanged without them.
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, -1, 1, 1), persistent=False)

    def logits(self, image: Tensor) -> Tensor:
        """Scores of images as the network has learned to see them."""
        scores: Tensor = self.model(self.input_norm((image - self.mean) / self.std))
        return scores

    def forward(self, image: Tensor) -> Tensor:
        """As `logits`."""
        return self.logits(image)


class RawClassifier(ImageClassifier):
    """A classifier with its preprocessing inside: raw grey images in, probabilities out.

    What the pipelines ``chest_xray_aiin`` and ``chest_xray_rescale`` do to a radiograph of one bit
    depth is done here: AIIN at the image's own size, then the mean of the pixels that fall on each
    pixel of the network's size. Weights are shared with `classifier`, whose state dict fits. It can
    be scripted for images of any size; ``torch.export`` and ONNX fix the size that they are given.

    Args:
        classifier: of grey images, what is wrapped.
        bits: images have the levels 0 to 2^bits - 1, 1 to 16.
        aiin: whether the network has learned from images after AIIN.
        windows: of AIIN, as there.
        contrast_threshold: of AIIN, as there.

    Shape:
        (N, 1, H, W), integer levels or floats in [0, 1], upright and bone bright, to (N, K).

    Raises:
        UserError: a parameter of AIIN is out of its range.
    """

    def __init__(
        self,
        classifier: ImageClassifier,
        *,
        bits: int,
        aiin: bool = True,
        windows: tuple[int, int] = (4, 4),
        contrast_threshold: float = 10.0,
    ) -> None:
        super().__init__(
            classifier.model,
            mean=classifier.mean.flatten().tolist(),
            std=classifier.std.flatten().tolist(),
            image_size=classifier.image_size,
            origin=classifier.origin,
            input_norm=classifier.input_norm,
        )
        layer = AIINLayer(windows, contrast_threshold, bits=bits)
        self.normalise: nn.Module = layer if aiin else nn.Identity()
        self.bits = layer.bits
        self.highest = float((1 << layer.bits) - 1)

    def forward(self, image: Tensor) -> Tensor:
        """Probabilities of each image's classes; they add up to 1."""
        share = image.to(torch.float32)
        if not image.is_floating_point():
            # As in AIIN: by a tensor, for CUDA multiplies by the reciprocal of a number.
            share = share / torch.full((), self.highest, dtype=torch.float32, device=image.device)
        share = self.normalise(share)
        # Two products, for ONNX has no area mode for sizes that don't divide one another.
        rows = _area_weights(share.shape[-2], self.image_size, share.device)
        columns = _area_weights(share.shape[-1], self.image_size, share.device)
        return self.logits(rows @ share @ columns.T).softmax(1)


def _area_weights(size: int, wanted: int, device: torch.device) -> Tensor:
    """Rows that average, (wanted, size): torch's area mode, that is, adaptive average pooling."""
    number, place = torch.arange(wanted, device=device), torch.arange(size, device=device)
    first = number * size // wanted
    last = ((number + 1) * size + wanted - 1) // wanted
    inside = ((place >= first.unsqueeze(1)) & (place < last.unsqueeze(1))).to(torch.float32)
    return inside / inside.sum(1, keepdim=True)


def image_classifier(
    name: str,
    *,
    num_classes: int,
    image_size: int,
    image_channels: int = 1,
    pretrained: bool | str = False,
    input_norm: str = "fixed",
    **options: Any,
) -> ImageClassifier:
    """A model of timm's for images of one size, (N, C, image_size, image_size) in [0, 1].

    Inputs are normalised by the mean and deviation that timm has for the model; those of the three
    colours are averaged where there are other than three channels. Pretrained weights are fitted as
    timm does it: the first layer's are summed over the colours, patches and positions are resampled
    to the size; a head of another number of classes begins anew.

    Args:
        name: of `timm.list_models`, such as vit_tiny_patch16_224, vit_base_patch16_224, resnet18 or
            efficientnet_b0.
        num_classes: 2 or more.
        image_size: in pixels along both axes; a multiple of the patch size.
        image_channels: 1 for grey.
        pretrained: False for none; True for those of timm's hub; or a file: ``.safetensors``, or
            what `torch.load` reads with ``weights_only``, ``models/model.pt`` of a training too.
        input_norm: "batch" puts a batch normalisation before the network, "instance" one of each
            image by itself; "fixed" leaves it at the mean and deviation.
        options: other arguments of `timm.create_model`, such as patch_size, depth, drop_rate.

    Raises:
        ConfigError: timm has no such model, or not with these options or at this size.
        CheckpointError: the weights can't be had, can't be read or belong to another model.
    """
    _check(name, num_classes, image_size, image_channels)
    if input_norm not in INPUT_NORMS:
        raise ConfigError(f"input_norm must be one of {', '.join(INPUT_NORMS)}, got {input_norm!r}")
    known = _timm().get_pretrained_cfg(name)
    sizes = {"num_classes": num_classes, "in_chans": image_channels}
    if known is not None and known.fixed_input_size:
        sizes["img_size"] = image_size
    if pretrained is False:
        model, origin = _create(name, sizes | options), SCRATCH
    elif pretrained is True:
        model, origin = _from_hub(name, sizes | options)
    else:
        weights = read_weights(pretrained)
        model = _from_file(name, sizes | options, weights)
        origin = weights.origin
    _try(model, name, image_channels, image_size)
    mean, std = (_per_channel(model, key, image_channels) for key in ("mean", "std"))
    return ImageClassifier(
        model,
        mean=mean,
        std=std,
        image_size=image_size,
        origin=origin,
        input_norm=INPUT_NORMS[input_norm](image_channels),
    )


def _timm() -> Any:
    import timm  # here, for it takes seconds, and GANs don't need it

    return timm


def _check(name: str, num_classes: int, image_size: int, image_channels: int) -> None:
    timm = _timm()
    if not isinstance(name, str) or not timm.is_model(name):
        near = get_close_matches(str(name), timm.list_models(), n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        raise ConfigError(f"model_name must be one of timm's models, got {name!r}{hint}")
    if num_classes < 2:
        raise ConfigError(f"num_classes must be at least 2, got {num_classes}: nothing to tell")
    for key, value in (("image_size", image_size), ("image_channels", image_channels)):
        if value < 1:
            raise ConfigError(f"{key} must be at least 1, got {value}")


def _create(name: str, arguments: dict[str, Any]) -> nn.Module:
    """By timm; a fault of the arguments, which comes in any form, in one line."""
    try:
        model: nn.Module = _timm().create_model(name, **arguments)
    except (TypeError, ValueError, AssertionError, RuntimeError, ZeroDivisionError) as error:
        given = ", ".join(f"{key} {value}" for key, value in arguments.items())
        raise ConfigError(
            f"model_options must fit timm's {name}, got {given}: {_line(error)}"
        ) from error
    return model


def _from_hub(name: str, arguments: dict[str, Any]) -> tuple[nn.Module, str]:
    model = _create(name, arguments)  # faults of the arguments are told from those of the network
    try:
        model = _timm().create_model(name, pretrained=True, **arguments)
    except Exception as error:  # whatever hub, network, disk and file format raise
        raise CheckpointError(
            f"the weights of {name} must come from timm's hub, got {type(error).__name__}: "
            f"{_line(error)}; without a network, name a file by --pretrained PATH, or begin from "
            "scratch by --pretrained false"
        ) from error
    known: Any = model.pretrained_cfg
    source = known.get("hf_hub_id") or known.get("url") or "unnamed"
    return model, f"pretrained, timm's hub: {source}"


def _from_file(name: str, arguments: dict[str, Any], weights: Weights) -> nn.Module:
    """As timm fits a file; its own way takes a file without a single fitting weight, too."""
    fresh = _create(name, arguments)
    known: Any = fresh.pretrained_cfg
    state, wanted = dict(weights.state), fresh.state_dict()
    heads = known.get("classifier") or ()
    for head in (heads,) if isinstance(heads, str) else heads:
        for part in (f"{head}.weight", f"{head}.bias"):
            if part in wanted and (part not in state or state[part].shape != wanted[part].shape):
                state[part] = wanted[part]
    overlay: dict[str, Any] = {"state_dict": state, "num_classes": arguments["num_classes"]}
    first = known.get("first_conv")
    stem = state.get(f"{first}.weight") if isinstance(first, str) else None
    if stem is not None and stem.ndim == 4:
        overlay["input_size"] = (stem.shape[1], *known["input_size"][1:])
    try:
        model: nn.Module = _timm().create_model(
            name, pretrained=True, pretrained_cfg_overlay=overlay, **arguments
        )
    except Exception as error:  # timm's filters of a file of another model raise anything
        raise CheckpointError(
            f"{weights.path} must hold the weights of {name} as it is configured: {_line(error)}"
        ) from error
    model.pretrained_cfg = known  # without the weights, of which a copy would stay for ever
    model.default_cfg = known
    return model


@torch.no_grad()
def _try(model: nn.Module, name: str, channels: int, size: int) -> None:
    """Let an image through, for timm's models say nothing of sizes before."""
    patch = getattr(getattr(model, "patch_embed", None), "patch_size", None)
    if patch is not None and any(size % int(side) for side in patch):
        raise ConfigError(
            f"image_size must be a multiple of the patch size of {name}, {max(patch)}, got {size}; "
            "--model_options {'patch_size': …} sets another"
        )
    try:
        model.eval()(torch.zeros(1, channels, size, size))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise ConfigError(
            f"image_size must be one that {name} takes, got {size}: {_line(error)}"
        ) from error
    model.train()


def _per_channel(model: nn.Module, key: str, channels: int) -> list[float]:
    known: Any = model.pretrained_cfg
    values = [float(value) for value in known[key]]
    return values if len(values) == channels else [sum(values) / len(values)] * channels


def _line(error: BaseException, most: int = 160) -> str:
    """The end of a message, which is where torch names the layer, in one line."""
    text = " ".join(str(error).split("\n\t")[-1].split())
    return text if len(text) <= most else f"{text[:most]}…"
