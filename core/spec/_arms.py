"""Expansion of a base treatment and its replacements into arms: each a label and a complete treatment."""

import copy
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from core.errors import Problem
from core.letters import unfit_name
from core.registry import Absent, Entry, join_path, problems_of, unknown_field
from core.schedules import dotted

LABEL = 120
"""Most characters of a label."""
_CONTENT = re.compile("@[0-9a-f]{64}$")
"""The hash that a submit adds to the name of a user's data set; labels leave it out."""


@dataclass(frozen=True)
class Arm:
    """One treatment of an experiment."""

    label: str
    treatment: Any  # a `Treatment`; this module is below it
    replaced: tuple[str, ...]
    """The fields of the base that this arm replaces."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings of the arm as text, by dotted path: `{"initializer": "he_normal", "batch_size": "32"}`."""
    asked: "Arm | None" = None
    """The arm as requested, where the experiment's kind derived this one from it."""


@dataclass
class Expansion:
    """Result of an expansion: the arms, their canonical form, and the problems found."""

    arms: list[Arm] = field(default_factory=list)
    canonical_arms: list[dict[str, Any]] | None = None
    grid: dict[str, list[Any]] | None = None
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Draft:
    """An arm as requested: settings by dotted path, and each setting's path in the request."""

    label: str | None
    settings: Mapping[str, Any]
    origins: Mapping[str, str]


def expand(
    base: Mapping[str, Any],
    arms: Sequence[Mapping[str, Any]] | None,
    grid: Mapping[str, Sequence[Any]] | None,
    treatment: type[BaseModel],
    most: int,
) -> Expansion:
    """Resolve every arm of a request against the base (plain values, defaults written out)."""
    result = Expansion()
    arms = None if arms is None else [dict(dotted(key, value) for key, value in arm.items()) for arm in arms]
    grid = None if grid is None else dict(_of_grid(key, values) for key, values in grid.items())
    if arms is not None and grid is not None:
        result.problems.append(Problem("grid", "give arms or grid, not both"))
        return result
    if grid is not None and _size(grid) > most:
        result.problems.append(Problem("grid", f"makes {_size(grid):,} arms; {most} is the most"))
        return result
    drafts = list(_drafts(arms, grid, result.problems))
    resolved = [_resolve(draft, base, treatment, result.problems) for draft in drafts]
    given = [draft.label for draft in drafts]
    labels: dict[str, int] = {}
    for i, arm in enumerate(_labelled(resolved, given)):
        if arm is None:
            continue
        if arm.label in labels:
            where = f"arms[{i}].label" if arms is not None else "grid"
            result.problems.append(Problem(where, f"{arm.label!r} is the label of arm {labels[arm.label]} already"))
        labels.setdefault(arm.label, i)
        result.arms.append(arm)
    result.problems = list(dict.fromkeys(result.problems))  # a fault of the base shows in every arm
    if not result.problems:
        _canonical(result, arms, grid)
    return result


def _of_grid(key: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return a field and its values, shares of the run as the lengths that they are."""
    pairs = [dotted(key, value) for value in values]
    fields = {field for field, _ in pairs}
    return (fields.pop(), [value for _, value in pairs]) if len(fields) == 1 else (key, list(values))


def _drafts(
    arms: Sequence[Mapping[str, Any]] | None, grid: Mapping[str, Sequence[Any]] | None, problems: list[Problem]
) -> Iterator[_Draft]:
    if grid is not None:
        for cell in itertools.product(*(range(len(values)) for values in grid.values())):
            chosen = dict(zip(grid, cell, strict=True))
            settings = {key: grid[key][i] for key, i in chosen.items()}
            yield _Draft(None, settings, {key: f"grid.{key}[{i}]" for key, i in chosen.items()})
        return
    for i, arm in enumerate(arms if arms is not None else [{}]):
        label = arm.get("label")
        why = None if label is None else unfit_name(label) if isinstance(label, str) else "should be text"
        if why is not None:
            problems.append(Problem(f"arms[{i}].label", why))
            continue
        if label is not None and len(label) > LABEL:
            problems.append(Problem(f"arms[{i}].label", f"should have at most {LABEL} characters"))
            continue
        settings = {key: value for key, value in arm.items() if key != "label"}
        yield _Draft(label, settings, {key: f"arms[{i}].{key}" for key in settings})


def _resolve(draft: _Draft, base: Mapping[str, Any], treatment: type[BaseModel], problems: list[Problem]) -> Arm | None:
    merged = dict(base)
    found: list[Problem] = []
    for key in sorted(draft.settings, key=lambda k: k.count(".")):  # a whole field first, then what reaches inside
        problem = _replace(merged, key, draft.settings[key], draft.origins[key], treatment)
        if problem is not None:
            found.append(problem)
    if not found:
        try:
            resolved = treatment.model_validate(merged)
        except ValidationError as error:
            found = [_at_origin(p, draft) for p in problems_of(error.errors(), treatment)]
    if found:
        problems += found
        return None
    replaced = tuple(dict.fromkeys(key.split(".")[0] for key in draft.settings))
    words = {key: _short(_reach(resolved, key)) for key in draft.settings}
    return Arm(draft.label or _label(words, resolved), resolved, replaced, words)


def _labelled(arms: Sequence[Arm | None], given: Sequence[str | None]) -> list[Arm | None]:
    """Return the arms with labels of at most `LABEL` characters; `given` are those that the request has.

    Of the others a long one is cut; where that makes two of them one, all long ones begin where they differ.
    """
    long = [arm.label for arm, own in zip(arms, given, strict=True) if arm and not own and len(arm.label) > LABEL]
    alike = len({label[:LABEL] for label in long}) < len(set(long))
    columns = zip(*(label.split(" ") for label in long), strict=False)
    shared = sum(1 for _ in itertools.takewhile(lambda words: len(set(words)) == 1, columns)) if alike else 0

    def short(label: str) -> str:
        return " ".join([*(["..."] if shared else []), *label.split(" ")[shared:]])[:LABEL]

    return [
        replace(arm, label=short(arm.label)) if arm and arm.label in long and not own else arm
        for arm, own in zip(arms, given, strict=True)
    ]


def _replace(merged: dict[str, Any], key: str, value: Any, origin: str, treatment: type[BaseModel]) -> Problem | None:
    top, *inner = key.split(".")
    if top not in merged:
        return unknown_field("setting", top, treatment, origin)
    if not inner:
        merged[top] = value
        return None
    place = merged[top] = copy.deepcopy({"name": merged[top]} if isinstance(merged[top], str) else merged[top])
    for part in inner[:-1]:
        place = place.get(part) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        return Problem(origin, f"there is nothing to reach inside of at {'.'.join([top, *inner[:-1]])!r}")
    place[inner[-1]] = value
    return None


def _at_origin(problem: Problem, draft: _Draft) -> Problem:
    """Return the problem's path as the request has it: in the arm where the arm set that field, else in the base."""
    for key, origin in sorted(draft.origins.items(), key=lambda item: -len(item[0])):
        rest = problem.path.removeprefix(key)
        if rest != problem.path and rest[:1] in ("", ".", "["):
            return problem._replace(
                path=join_path(origin, rest.removeprefix(".")) if rest[:1] != "[" else origin + rest
            )
        if key.startswith(problem.path + "."):
            return problem._replace(path=origin)
    return problem


def _label(words: Mapping[str, str], treatment: Any) -> str:
    """Return a label from what the arm sets: "he_normal", or "batch_size=32, optimizer.lr=0.1"."""
    words = words or {"initializer": _short(treatment.initializer)}
    key, text = next(iter(words.items()))
    if len(words) == 1 and "." not in key and not isinstance(getattr(treatment, key), int):
        return text
    return ", ".join(f"{key}={text}" for key, text in words.items())


def _short(value: Any) -> str:
    """Return an entry as its name and the parameters that differ from defaults, also inside lists and objects."""
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    if isinstance(value, BaseModel) and not isinstance(value, Entry):
        given = {key: inner for key, inner in value if inner != type(value).model_fields[key].default}
        return ", ".join(f"{key} {_short(inner)}" for key, inner in given.items()) or "default"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_short(inner)}' for key, inner in value.items())}}}"
    if not isinstance(value, Entry):
        return _CONTENT.sub("", str(value))
    if isinstance(value, Absent):
        return value.name  # which of its parameters are defaults nobody knows any more
    fields = type(value).model_fields
    shown = [
        f"{key}={_short(given)}" for key, given in value.parameters().items() if _differs(given, fields[key].default)
    ]
    return f"{value.name}({', '.join(shown)})" if shown else value.name


def _differs(given: Any, default: Any) -> bool:
    return not (given.name == default and _short(given) == default) if isinstance(given, Entry) else given != default


def _canonical(result: Expansion, arms: Sequence[Mapping[str, Any]] | None, grid: Mapping[str, Any] | None) -> None:
    dumps = [arm.treatment.model_dump() for arm in result.arms]
    if grid is None:
        if arms is not None:
            result.canonical_arms = [
                {"label": arm.label} | {name: dump[name] for name in arm.replaced}
                for arm, dump in zip(result.arms, dumps, strict=True)
            ]
        return
    cells = list(itertools.product(*(range(len(values)) for values in grid.values())))
    result.grid = {}
    for axis, key in enumerate(grid):
        first = {cell[axis]: dump for cell, dump in reversed(list(zip(cells, dumps, strict=True)))}
        result.grid[key] = [_reach(first[i], key) for i in range(len(grid[key]))]


def _reach(value: Any, key: str) -> Any:
    """Return the value at a dotted path of a treatment, or of its plain values; None where there is none."""
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    return value


def _size(grid: Mapping[str, Sequence[Any]]) -> int:
    size = 1
    for values in grid.values():
        size *= len(values)
    return size
