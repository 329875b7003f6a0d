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
MOTION, CONDITION = "Motion", "Ejection fraction"

GROUPS = {
    MOTION: "Do the hearts move as real ones do?",
    FIDELITY: "Do they look like real ones, as a set?",
    VARIETY: "Are there as many kinds as there are of real ones?",
    CLASSES: "Do they show the classes that were asked for?",
    CONDITION: "Is what is seen what was asked for?",
    COPIES: "Are they new, or taken from the training data?",
    OTHER: "",
}

KINDS = (
    Kind(
        FIDELITY,
        "FD ratio",
        "The floor divided by the distance below: at 1, what was generated is as near to held-out "
        "real data as real training data are.",
        r"(clip_)?(fid|fd_.+)_ratio",
    ),
    Kind(
        FIDELITY,
        "Fréchet distance",
        "How far the images lie from held-out real ones in a network's features; between any two "
        "small sets it is above 0, and the real column, the floor, says how far.",
        r"fid|fd_.+",
    ),
    Kind(
        FIDELITY,
        "Fréchet distance of clips",
        "How far whole sequences lie from held-out real ones: the mean of their frames' features, "
        "and how much these change from frame to frame. It isn't the FVD, which has a network of "
        "its own.",
        r"clip_fd_.+",
    ),
    Kind(
        FIDELITY,
        "KID",
        "A distance between the sets that doesn't grow where they are small; two real sets are "
        "about 0 apart, and it may be negative.",
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
        "How alike two of one class are, on average (sequences: at the same phase): 1 is the "
        "same, and a value above the real one means too little variety.",
        r"msssim_w.+",
    ),
    Kind(
        VARIETY,
        "Vendi score of thumbnails",
        "How many different ones a class amounts to, judged on 8 × 8 pixels, where blur and "
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
        "on held-out ones.",
        r"agreement_.+",
    ),
    Kind(
        COPIES,
        "Authenticity",
        "The share that is farther from the nearest of the training set than that one is from its "
        "own nearest; well below the held-out ones' share means copies.",
        r"authenticity_.+",
    ),
    Kind(
        COPIES,
        "PSNR to the nearest",
        "Of a sequence and the training sequence that is nearest to it, at the best shift in time, "
        "in decibels: above the held-out ones' it may be a copy, or blurred.",
        r"psnr_to_nearest",
    ),
    Kind(
        COPIES,
        "SSIM to the nearest",
        "The same pairs by structural similarity: 1 is the same.",
        r"ssim_to_nearest",
    ),
    Kind(
        MOTION,
        "Motion energy, by real",
        "How much each frame differs from the next, over the sequence's own variance; mean of the "
        "generated sequences by that of training ones. 0 stands still; noise counts as motion. "
        "Real: held-out sequences by training ones.",
        r"motion_energy_ratio",
    ),
    Kind(
        MOTION,
        "Motion energy of the beat, by real",
        "The same of what changes no faster than four times a cycle, which holds the beat and "
        "little noise: a still heart with noise is far below 1.",
        r"motion_energy_4_harmonics_ratio",
    ),
    Kind(
        MOTION,
        "Distance of consecutive frames, by real",
        "The same in VGG16's features, which is what the temporal consistency loss looks at.",
        r"frame_distance_.+_ratio",
    ),
    Kind(
        CONDITION,
        "Correlation of asked and read",
        "Of the ejection fraction asked for with the one read back from the left ventricle's area; "
        "real: of the known one, which says how well it can be read at all.",
        r"ejection_fraction_correlation",
    ),
    Kind(
        CONDITION,
        "Read less asked",
        "Mean difference of the two; 0.05 is five percentage points too high.",
        r"ejection_fraction_difference",
    ),
    Kind(
        CONDITION,
        "Share that could be read",
        "In the others, no round cavity was found in some frame.",
        r"ejection_fraction_found",
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
