"""A study's plan, checked before anything is done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import ConfigError
from ._config import DUPLICATES, METRICS, NORMALISATIONS, NOTHING, Arm, Generator, Study, hint

SPLIT: dict[str, float] = {"seed": 0, "validation": 0.15, "test": 0.3}
CLASSIFIER: dict[str, Any] = {"bundle": "vit_classifier", "overrides": {}}


def checked(study: Study) -> Study:
    """The study with all that was left open filled in.

    Raises:
        ConfigError: naming the key, and what it must be.
    """
    study = replace(
        study,
        split=_filled(study.split, SPLIT, "split"),
        classifier=_filled(study.classifier, CLASSIFIER, "classifier"),
    )
    _check_numbers(study)
    _check_normalisations(study)
    for name, generator in study.generators.items():
        _check_generator(name, generator)
    arms = tuple(
        replace(
            arm,
            model=arm.model or next(iter(study.models)),
            exploratory=arm.exploratory or len(study.seeds) == 1,
        )
        for arm in study.arms
    )
    names = [arm.name for arm in arms]
    if not arms or "" in names or len(set(names)) != len(names):
        raise ConfigError(f"arms must have names, all different, got {', '.join(names) or 'none'}")
    study = replace(study, arms=arms)
    for arm in arms:
        _check_arm(study, arm)
    for group in study.choose:
        _check_choice(study, group)
    return replace(study, arms=tuple(replace(arm, against=_against(study, arm)) for arm in arms))


def _filled(given: Mapping[str, Any], known: Mapping[str, Any], where: str) -> dict[str, Any]:
    for key in given:
        if key not in known:
            raise ConfigError(
                f"{where} must have keys among {', '.join(known)}, got {key!r}{hint(key, known)}"
            )
    return {**known, **given}


def _check_numbers(study: Study) -> None:
    least = {"image_size": 16, "steps": 1, "validations": 1, "generator_seed": 0}
    for key, low in least.items():
        if getattr(study, key) < low:
            raise ConfigError(f"{key} must be at least {low}, got {getattr(study, key)}")
    if study.steps % study.validations:
        raise ConfigError(
            f"steps must be a multiple of validations, {study.validations}, got {study.steps}"
        )
    seeds = study.seeds
    if (
        not seeds
        or len(set(seeds)) != len(seeds)
        or not all(isinstance(one, int) and one >= 0 for one in seeds)
    ):
        raise ConfigError(
            f"seeds must be whole numbers from 0 on, all different, got {list(seeds)}"
        )
    if study.metric not in METRICS:
        raise ConfigError(f"metric must be one of {', '.join(METRICS)}, got {study.metric!r}")
    if not study.models or not all(isinstance(one, dict) for one in study.models.values()):
        raise ConfigError(f"models must be overrides by name, got {study.models!r}")


def _check_normalisations(study: Study) -> None:
    for name, given in study.normalisations.items():
        kind = given.get("kind", name) if isinstance(given, Mapping) else None
        if kind not in NORMALISATIONS:
            raise ConfigError(
                f"normalisations {name!r} must have a kind of {', '.join(NORMALISATIONS)}, "
                f"got {kind!r}"
            )
        for key in given:
            if key != "kind" and key not in NORMALISATIONS[kind]:
                raise ConfigError(f"normalisations {name!r}: {kind} has no parameter {key!r}")


def _check_generator(name: str, one: Generator) -> None:
    if name in (NOTHING, DUPLICATES):
        raise ConfigError(f"generators must not be called {name!r}, which means something else")
    if bool(one.bundle) == bool(one.folder):
        raise ConfigError(
            f"generators {name!r} must have either 'bundle' or 'folder', "
            f"got {'both' if one.bundle else 'neither'}"
        )


def _check_arm(study: Study, arm: Arm) -> None:
    where = f"arm {arm.name!r}"
    known = [NOTHING, DUPLICATES, *study.generators]
    kinds = [*NORMALISATIONS, *study.normalisations]
    for key, value, names in (
        ("extra", arm.extra, known),
        ("normalise", arm.normalise, kinds),
        ("model", arm.model, list(study.models)),
    ):
        if value not in names:
            raise ConfigError(
                f"{where}: {key} must be one of {', '.join(names)}, got {value!r}"
                f"{hint(value, names)}"
            )
    if not arm.ratio > 0:
        raise ConfigError(f"{where}: ratio must be above 0, got {arm.ratio}")
    if arm.pretrain and arm.extra not in study.generators:
        raise ConfigError(f"{where}: extra must be a generator to pre-train on, got {arm.extra!r}")
    if arm.pretrain and study.validations < 2:
        raise ConfigError(f"validations must be at least 2 for {where}, got {study.validations}")


def _check_choice(study: Study, group: Sequence[str]) -> None:
    for name in group:
        if name not in [arm.name for arm in study.arms if arm.extra in study.generators]:
            raise ConfigError(f"choose must name arms with a generator, got {name!r}")


def _against(study: Study, arm: Arm) -> str:
    """The arm's reference: named, or real images alone, else trained in the same way."""
    others = [one for one in study.arms if one is not arm]
    if arm.against:
        if arm.against not in [one.name for one in others]:
            raise ConfigError(
                f"arm {arm.name!r}: against must be another arm, got {arm.against!r}"
                f"{hint(arm.against, [one.name for one in others])}"
            )
        return arm.against
    found = [one.name for one in _references(arm, others)]
    if found or _is_reference(arm):
        return found[0] if found else ""
    raise ConfigError(
        f"arm {arm.name!r} must have a reference: an arm without extra images, with normalise "
        f"{arm.normalise!r} and model {arm.model!r}, or 'against'"
    )


def _is_reference(arm: Arm) -> bool:
    return arm.extra == NOTHING and not arm.augment and not arm.class_weights


def _references(arm: Arm, others: Sequence[Arm]) -> Iterator[Arm]:
    if _is_reference(arm):
        return
    same = [
        one
        for one in others
        if one.extra == NOTHING and (one.normalise, one.model) == (arm.normalise, arm.model)
    ]
    alike = [
        one
        for one in same
        if (one.augment, one.class_weights) == (arm.augment, arm.class_weights)
        and arm.extra != NOTHING
    ]
    yield from alike
    yield from (one for one in same if _is_reference(one))
