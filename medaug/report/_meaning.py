"""What each kind of figure is, in plain words."""

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """Figures that are made alike and differ by extractor or class.

    Attributes:
        group: under which they stand.
        title: what they are called.
        meaning: one sentence.
        pattern: of their names.
    """

    group: str
    title: str
    meaning: str
    pattern: str


FIDELITY, VARIETY, CLASSES, COPIES, OTHER = "Fidelity", "Variety", "Classes", "Copies", "Others"

GROUPS = {
    FIDELITY: "Do the images look like real ones, as a set?",
    VARIETY: "Are there as many kinds of images as there are real ones?",
    CLASSES: "Do they show the classes that were asked for?",
    COPIES: "Are they new, or taken from the training images?",
    OTHER: "",
}

KINDS = (
    Kind(
        FIDELITY,
        "FD ratio",
        "The floor divided by the distance below: at 1, generated images are as near to held-out "
        "real ones as real training images are.",
        r"(fid|fd_.+)_ratio",
    ),
    Kind(
        FIDELITY,
        "Fréchet distance",
        "How far the set lies from held-out real images in a network's features; between any two "
        "small sets it is above 0, and the real column, the floor, says how far.",
        r"fid|fd_.+",
    ),
    Kind(
        FIDELITY,
        "KID",
        "A distance between the sets that doesn't grow where images are few; two sets of real "
        "images are about 0 apart, and it may be negative.",
        r"kid_.+",
    ),
    Kind(
        FIDELITY,
        "Precision",
        "The share of generated images that lie among held-out real ones.",
        r"precision_.+",
    ),
    Kind(
        FIDELITY,
        "Density",
        "How many real images stand around a generated one, beside how many one would expect: "
        "about 1 for real ones.",
        r"density_.+",
    ),
    Kind(
        VARIETY,
        "Recall",
        "The share of held-out real images that lie among generated ones.",
        r"recall_.+",
    ),
    Kind(
        VARIETY,
        "Coverage",
        "The share of held-out real images with a generated one close by.",
        r"coverage_.+",
    ),
    Kind(
        VARIETY,
        "MS-SSIM of all pairs",
        "How alike two images of one class are, on average: 1 is the same image, and a value "
        "above the real one means too little variety.",
        r"msssim_w.+",
    ),
    Kind(
        VARIETY,
        "Vendi score of thumbnails",
        "How many different images a class amounts to, judged on 8 × 8 pixels, where blur and "
        "noise don't count.",
        r"vendi_thumbnail.+",
    ),
    Kind(
        VARIETY,
        "Vendi score",
        "How many different images the whole set amounts to, in a network's features.",
        r"vendi_.+",
    ),
    Kind(
        CLASSES,
        "Inception score",
        "How clearly a classifier of real images sees a class, and how many classes it sees: from "
        "1 to the number of classes.",
        r"is_.+",
    ),
    Kind(
        CLASSES,
        "Class agreement",
        "How often that classifier sees the class that was asked for; real: how often it is right "
        "on held-out images.",
        r"agreement_.+",
    ),
    Kind(
        COPIES,
        "Authenticity",
        "The share of images that are farther from their nearest training image than that one is "
        "from its own; well below the held-out images' share means copies.",
        r"authenticity_.+",
    ),
    Kind(
        COPIES,
        "Distance to training images",
        "The median distance to the nearest training image, in a network's features.",
        r"train_distance_.+",
    ),
    Kind(
        COPIES,
        "MiFID",
        "A Fréchet distance to the training images, enlarged where images come near them; "
        "infinite for exact copies.",
        r"mifid_.+",
    ),
)
UNKNOWN = Kind(OTHER, "Other figures", "", r".*")


def kind_of(name: str) -> Kind:
    """The kind of a figure, by its name."""
    return next((kind for kind in KINDS if re.fullmatch(kind.pattern, name)), UNKNOWN)
