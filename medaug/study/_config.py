"""What a study is: its arms, sources of images and sizes, read from JSON and checked."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from ..errors import ConfigError

T = TypeVar("T")
DEFAULT = Path(__file__).with_name("default.json")
"""The study on phantoms."""
NOTHING, DUPLICATES = "none", "duplicates"
METRICS = ("macro_auprc", "balanced_accuracy", "accuracy")
NORMALISATIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "aiin": {"windows": [4, 4], "contrast_threshold": 10.0},
    "standardise": {},
    "equalise": {},
}
"""How images are normalised before all else, real and generated ones alike."""


@dataclass(frozen=True)
class Arm:
    """One way to train the classifier.

    Attributes:
        name: in tables.
        extra: "none", "duplicates" of real images, or the name of a generator.
        ratio: each class is filled up with extra images to so many times the largest one.
        normalise: "none", "aiin", "standardise", "equalise", or one of `Study.normalisations`.
        augment: whether real and extra images are moved and shaded at random: classic augmentation.
        class_weights: whether rare classes weigh more in the loss.
        pretrain: train on generated images alone for half of the steps, then on real ones.
        model: one of `Study.models`; the first, if empty.
        exploratory: one seed, no verdict.
        against: the arm that it is compared with; if empty, real images alone, trained alike.
    """

    name: str
    extra: str = NOTHING
    ratio: float = 1.0
    normalise: str = "none"
    augment: bool = False
    class_weights: bool = False
    pretrain: bool = False
    model: str = ""
    exploratory: bool = False
    against: str = ""


@dataclass(frozen=True)
class Generator:
    """Where images come from: a GAN that is trained here or has been, or a folder.

    Attributes:
        bundle: name of a GAN's bundle, which is trained on the training patients.
        overrides: of the bundle's train.json.
        run_dir: a training of that bundle that is there already.
        folder: images in one subfolder for each class, of any origin; `training_set.json` in it
            tells what their generator was trained on, by pixel hash.
        prepared: whether a folder's images are normalised and need nothing more.
    """

    bundle: str = ""
    overrides: dict[str, Any] = field(default_factory=dict)
    run_dir: str = ""
    folder: str = ""
    prepared: bool = False


@dataclass(frozen=True)
class Study:
    """All that decides about a study's numbers, and where it lies.

    Attributes:
        arms: at least one.
        dataset_dir: what `medaug.data.ImageCollection` reads; phantoms, if empty.
        phantoms: arguments of `medaug.phantoms.chest_xrays`.
        external_dir: a second hospital's images, tested by and never trained on.
        output_dir: results.
        cache_dir: what is kept between studies; in `output_dir`, if empty.
        bundles: folder of the bundles; beside the package or in the present folder, if empty.
        classes: some of the collection's; all, if empty.
        image_size: pixels, to which all images are brought once they are normalised.
        split: seed, and shares of validation and test.
        seeds: of the classifier's trainings.
        steps: of the classifier's optimiser, the same in every arm.
        validations: how often in these the network is validated; the best one is tested.
        metric: that verdicts are about: macro_auprc, balanced_accuracy or accuracy.
        classifier: the bundle, and overrides of its train.json.
        models: overrides by name; arms name one.
        normalisations: parameters of further ones, each with "kind".
        generators: by name.
        generator_seed: of GANs, and of what is drawn from them.
        extractors: for the generators' scores.
        choose: groups of arms of which only the one whose generator has the best FD ratio on
            validation patients is trained.
    """

    arms: tuple[Arm, ...]
    dataset_dir: str = ""
    phantoms: dict[str, Any] = field(default_factory=dict)
    external_dir: str = ""
    output_dir: str = "runs/study"
    cache_dir: str = ""
    bundles: str = ""
    classes: tuple[str, ...] = ()
    image_size: int = 64
    split: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: int = 1000
    validations: int = 20
    metric: str = "macro_auprc"
    classifier: dict[str, Any] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {"default": {}})
    normalisations: dict[str, dict[str, Any]] = field(default_factory=dict)
    generators: dict[str, Generator] = field(default_factory=dict)
    generator_seed: int = 0
    extractors: tuple[str, ...] = ("domain",)
    choose: tuple[tuple[str, ...], ...] = ()

    @property
    def cache(self) -> Path:
        """Where prepared images, generators and cells are kept."""
        return Path(self.cache_dir or Path(self.output_dir) / "cache")

    def arm(self, name: str) -> Arm:
        """The arm of that name."""
        return next(one for one in self.arms if one.name == name)

    def seeds_of(self, arm: Arm) -> tuple[int, ...]:
        """All seeds, or the first where the arm is exploratory."""
        return self.seeds[:1] if arm.exploratory else self.seeds

    def normalisation(self, name: str) -> tuple[str, dict[str, Any]]:
        """Kind and parameters of a normalisation."""
        own = dict(self.normalisations.get(name, {}))
        kind = str(own.pop("kind", name))
        return kind, NORMALISATIONS[kind] | own


def read_study(path: Path, **replaced: str | None) -> Study:
    """Read and check a study's JSON.

    Args:
        path: of the file.
        replaced: keys that the command line replaces; None leaves them.

    Raises:
        ConfigError: the file isn't there or isn't JSON, or something in it is wrong.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"--config must be a study's JSON file, got {path}: {error}") from error
    return study_of(given | {key: value for key, value in replaced.items() if value})


def study_of(given: Mapping[str, Any]) -> Study:
    """A checked `Study` of plain values.

    Raises:
        ConfigError: naming the key, and what it must be.
    """
    plain = {key: value for key, value in given.items() if value is not None}
    plain["arms"] = tuple(
        _made(Arm, one, f"arms[{k}]") for k, one in enumerate(_list(plain.get("arms"), "arms"))
    )
    plain["generators"] = {
        name: _made(Generator, one, f"generators {name!r}")
        for name, one in _table(plain.get("generators", {}), "generators").items()
    }
    for key in ("classes", "seeds", "extractors"):
        if key in plain:
            plain[key] = tuple(_list(plain[key], key))
    plain["choose"] = tuple(tuple(_list(one, "choose")) for one in plain.get("choose", ()))
    from ._checked import checked  # which checks what is defined here

    return checked(_made(Study, plain, "the study"))


def plain_study(study: Study) -> dict[str, Any]:
    """A study as plain values, without the places where images lie."""
    plain = asdict(replace(study, dataset_dir="", external_dir="", output_dir="", cache_dir=""))
    for one in plain["generators"].values():
        one |= {key: "…" for key in ("run_dir", "folder") if one[key]}
    return {key: value for key, value in plain.items() if value != ""}


def hint(name: str, names: Iterable[str]) -> str:
    """In brackets, the name that is most like a wrong one; nothing where none is."""
    near = get_close_matches(name, list(names), n=1)
    return f" (nearest: {near[0]!r})" if near else ""


def _made(kind: type[T], given: object, where: str) -> T:
    table = _table(given, where)
    known = get_type_hints(kind)
    for key, value in table.items():
        if key not in known:
            raise ConfigError(
                f"{where} must have keys among {', '.join(known)}, got {key!r}{hint(key, known)}"
            )
        _check_kind(f"{where}: {key}", value, known[key])
    missing = [
        one.name
        for one in fields(kind)  # type: ignore[arg-type]  # they are dataclasses
        if one.name in ("name", "arms") and one.name not in table
    ]
    if missing:
        raise ConfigError(f"{where} must have {missing[0]!r}, got none")
    return kind(**table)


_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _check_kind(where: str, value: object, kind: Any) -> None:
    base = (kind.__origin__ if get_args(kind) else kind) if kind not in _WORDS else kind
    fits = isinstance(value, (int, float) if base is float else base)
    if base in (int, float) and isinstance(value, bool):
        fits = False
    if not fits:
        word = _WORDS.get(base, "an object" if base is dict else "a list")
        raise ConfigError(f"{where} must be {word}, got {value!r}")


def _table(given: object, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} must be an object, got {given!r}")
    return dict(given)


def _list(given: object, where: str) -> Sequence[Any]:
    if not isinstance(given, list | tuple):
        raise ConfigError(f"{where} must be a list, got {given!r}")
    return given
