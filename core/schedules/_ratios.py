"""Lengths under other libraries' names for shares of a run: `warmup_ratio` is `warmup_steps` in per cent."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.errors import Problem
from core.registry import Entry, Reading

COUNTS: Mapping[str, tuple[str, ...]] = {
    "warmup_ratio": ("warmup_steps",),
    "total_ratio": ("total_steps", "T_max", "decay_steps"),
    "stable_ratio": ("stable_steps",),
    "decay_ratio": ("decay_steps",),
    "milestone_ratios": ("milestones",),
    "boundary_ratios": ("boundaries",),
}
"""The name of a share -> the parameter that it gives, the first of these that a schedule has."""
_TRANSFORMERS: Mapping[str, tuple[str, ...]] = {
    "num_warmup_steps": ("warmup_steps",),
    "num_training_steps": ("total_steps",),
    "num_stable_steps": ("stable_steps",),
    "num_decay_steps": ("decay_steps",),
}
"""transformers' name of a count -> the parameter that it is."""


def read_ratios(schema: type[Entry], raw: Mapping[str, Any]) -> Reading:
    """Read shares of the run as the lengths that they give, and counts under transformers' names."""
    own: dict[str, Any] = {}
    names: dict[str, str] = {}
    problems = []
    for given, value in raw.items():
        meant = COUNTS.get(given) or _TRANSFORMERS.get(given, ())
        key = next((name for name in meant if name in schema.model_fields), given)
        try:
            read = as_share(value) if key != given and given in COUNTS else value
        except ValueError as error:
            problems.append(Problem(given, str(error)))
            continue
        if key in own:
            other = given if given != key else names[key]
            said = "as a share of the run" if other in COUNTS else "under another name"
            problems.append(Problem(other, f"is {key} {said}: give one of the two"))
        own[key], names[key] = read, given
    return Reading(own, names, problems)


def dotted(path: str, value: Any) -> tuple[str, Any]:
    """Return a dotted path to a share, and the share, as the path to the count and "10%"; anything else as it is."""
    *outer, last = path.split(".")
    if outer[:1] != ["schedule"] or last not in COUNTS:
        return path, value
    try:
        return ".".join([*outer, COUNTS[last][0]]), as_share(value)
    except ValueError:
        return path, value  # refused, with its path, where it is read


def as_share(value: object) -> Any:
    """Return 0.1 as "10%", and a list of such numbers likewise. Raises `ValueError` for anything else."""
    if isinstance(value, list):
        return [as_share(one) for one in value]
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise ValueError("should be a share of the run, from 0 to 1")
    percent = round(Decimal(repr(value)) * 100, 6).normalize()
    return f"{percent:f}%"
