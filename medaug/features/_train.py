"""Training of the domain's classifier, from images in memory."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .._precision import autocast_dtype
from ..errors import ConfigError, UserError
from ._checks import check_images
from ._domain import SMALLEST_SIDE, DomainClassifier

# of AdamW over one cycle; the first of those tried, on MNIST at 32 x 32
_LEARNING_RATE, _WEIGHT_DECAY = 3e-3, 1e-2


def train_classifier(
    images: Tensor,
    labels: Tensor,
    *,
    num_classes: int,
    epochs: int,
    seed: int = 0,
    device: torch.device | str = "cpu",
    batch_size: int = 128,
    max_shift: float = 1 / 16,
) -> DomainClassifier:
    """Train a `DomainClassifier` by cross-entropy, with AdamW and a one-cycle learning rate.

    Half precision is used where the device has it. The result depends on the arguments, the kind
    of machine and its number of threads; the global random state is neither read nor changed.

    Args:
        images: (N, C, H, W) floats in [0, 1], C of 1 or 3, sides of at least 16, N at least 2.
        labels: (N,) integers from 0 on.
        num_classes: number of classes.
        epochs: passes over the images; 3 are enough for 55,000 MNIST digits.
        seed: draws weights, order and shifts.
        device: where to train; the classifier stays there.
        batch_size: images of a step; what is left over at the end of an epoch is left out.
        max_shift: images are moved by up to this share of their side, each way, and filled up with
            0; in [0, 0.5).

    Returns:
        The classifier, in evaluation mode.

    Raises:
        ConfigError: an option is out of range.
        UserError: the images or labels have another form.
    """
    _check_options(epochs, batch_size, max_shift)
    check_images(images, 1, 3, side=SMALLEST_SIDE)
    check_labels(images, labels, num_classes)
    place = torch.device(device)
    random = torch.Generator().manual_seed(seed)
    model = _new(num_classes, images.shape[1], seed).to(place)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    batch_size = min(batch_size, len(images))
    per_epoch = len(images) // batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=_LEARNING_RATE, total_steps=epochs * per_epoch + 1
    )
    dtype = autocast_dtype(place)
    scaler = torch.amp.GradScaler(place.type, enabled=dtype is torch.float16)
    for _ in range(epochs):
        order = torch.randperm(len(images), generator=random)
        for chosen in order[: per_epoch * batch_size].split(batch_size):
            batch = _shifted(images[chosen].float(), max_shift, random).to(place)
            batch = batch.contiguous(memory_format=torch.channels_last)
            with torch.autocast(place.type, dtype=dtype, enabled=dtype is not None):
                loss = F.cross_entropy(model(batch), labels[chosen].to(place))
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
    return model.eval()


def _new(num_classes: int, channels: int, seed: int) -> DomainClassifier:
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed the GPUs as well
        torch.default_generator.manual_seed(seed)
        model = DomainClassifier(num_classes=num_classes, channels=channels)
    return model.to(memory_format=torch.channels_last)


def _shifted(images: Tensor, share: float, random: torch.Generator) -> Tensor:
    """Move each image by whole pixels, drawn for it."""
    n, _, height, width = images.shape
    most = int(share * min(height, width))
    if most == 0:
        return images
    drawn = torch.randint(0, 2 * most + 1, (2, n, 1), generator=random)
    rows = drawn[0] + torch.arange(height)
    columns = drawn[1] + torch.arange(width)
    padded = F.pad(images, (most,) * 4)
    index = torch.arange(n)[:, None, None]
    return padded[index, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _check_options(epochs: int, batch_size: int, max_shift: float) -> None:
    if epochs < 1:
        raise ConfigError(f"epochs must be at least 1, got {epochs}")
    if batch_size < 2:
        raise ConfigError(f"batch_size must be at least 2, got {batch_size}")
    if not 0 <= max_shift < 0.5:
        raise ConfigError(f"max_shift must be at least 0 and below 0.5, got {max_shift}")


def check_labels(images: Tensor, labels: Tensor, num_classes: int) -> None:
    if len(images) < 2:
        raise UserError(f"images must be at least 2 to learn from, got {len(images)}")
    if labels.shape != (len(images),) or labels.is_floating_point():
        raise UserError(
            f"labels must be {len(images):,} integers, one for each image, "
            f"got {labels.dtype} of {tuple(labels.shape)}"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise UserError(f"labels must be 0 to {num_classes - 1}, got {low} to {high}")
