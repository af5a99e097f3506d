"""Problems of entries and specs: found by pydantic or by us, each with its path."""

import difflib
import json
import re
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from core.errors import MOST_PROBLEMS, InvalidSpec, Problem

MOST_NAMES = 300
"""Names that a problem with a name looks at and lists."""


def unknown(noun: str, given: str, known: Iterable[str], path: str = "", listed: Iterable[str] = ()) -> Problem:
    """Return the problem of an unknown name, with the nearest known names (when none is near all, or those `listed`).

    Of very many names, such as a deep model's parameters, those are looked at that are next to it in the alphabet.
    """
    names = sorted(set(known))
    at = max(0, min(bisect(names, given) - MOST_NAMES // 2, len(names) - MOST_NAMES))
    shown, left = names[at : at + MOST_NAMES], len(names) - MOST_NAMES
    folded = {name.lower(): name for name in shown}  # of two that differ in case alone the one in small letters
    near = [folded[one] for one in difflib.get_close_matches(given.lower(), folded, n=3, cutoff=0.6)]
    if not near and (of_each := sorted(set(listed))):
        shown, left = of_each[:MOST_NAMES], len(of_each) - MOST_NAMES
    more = f" and {left:,} more" if left > 0 else ""
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(shown)}{more}"
    return Problem(path, f"unknown {noun} {given[:80]!r}{hint}", tuple(near or shown))


def unknown_field(noun: str, given: str, model: type[BaseModel], path: str = "") -> Problem:
    """Return the problem of an unknown field of a model.

    What other tools call so, and this one otherwise, is in the model's `elsewhere`: its name -> the way to say it here.
    """
    elsewhere: Mapping[str, str] = getattr(model, "elsewhere", {})
    if given in elsewhere:
        return Problem(path, f"unknown {noun} {given!r}: {elsewhere[given]}")
    return unknown(noun, given, model.model_fields, path)


def problems_of(errors: Iterable[Any], model: type[BaseModel] | None = None) -> list[Problem]:
    """Convert pydantic's errors to problems: catalogue errors opened, unknown fields with `model`'s nearest field.

    Of more than an answer names, the last says how many more there are.
    """
    found: list[Problem] = []
    given = list(errors)
    for error in given[:MOST_PROBLEMS]:
        path = join_path(*error["loc"])
        nested: list[Problem] | None = error.get("ctx", {}).get("problems")
        if nested is not None:
            found += [p._replace(path=join_path(path, p.path)) for p in nested]
        elif error["type"] == "extra_forbidden" and (inner := _model_at(model, error["loc"][:-1])) is not None:
            found.append(unknown_field("field", str(error["loc"][-1]), inner, path))
        elif error["type"] == "model_type" and (inner := _model_at(model, error["loc"])) is not None:
            found.append(Problem(path, f"should be an object, such as {_example(inner)}"))
        elif error["type"] in ("too_short", "too_long"):
            found.append(Problem(path, _of_other_length(error["type"], error["ctx"])))
        else:
            found.append(Problem(path, re.sub(r"^(Value|Assertion) error, ", "", error["msg"])))
    if len(given) > MOST_PROBLEMS:
        found.append(Problem("", f"and {len(given) - MOST_PROBLEMS:,} more"))
    return found


def _of_other_length(kind: str, of: Mapping[str, Any]) -> str:
    """Return what is wrong with a list that is too short or too long; pydantic stops counting where it knows that."""
    if kind == "too_short":
        return f"should have {of['min_length']:,} or more, and has {of['actual_length']:,}"
    has = f", and has {of['actual_length']:,}" if isinstance(of["actual_length"], int) else ""
    return f"should have {of['max_length']:,} at most{has}"


def _model_at(model: type[BaseModel] | None, loc: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the model of the field at a path; None where there is none, or pydantic's path is of something else."""
    for part in loc:
        if model is None or part not in model.model_fields:
            return None
        annotation = model.model_fields[str(part)].annotation
        among = [annotation, *get_args(annotation)]
        model = next((one for one in among if isinstance(one, type) and issubclass(one, BaseModel)), None)
    return model


def _example(model: type[BaseModel]) -> str:
    """Return an object of a model as JSON: its own `example`, or its defaults, or its fields where they have none."""
    given = getattr(model, "example", None)
    if given is None:
        defaults = {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
        given = {name: one for name, one in defaults.items() if one is not None}
        given = given or dict.fromkeys(model.model_fields, "...")
    return json.dumps(given, default=str)


def invalid(error: ValidationError, model: type[BaseModel]) -> InvalidSpec:
    """Convert pydantic's error to `InvalidSpec`."""
    return InvalidSpec(problems_of(error.errors(), model))


def join_path(*parts: str | int) -> str:
    """Join `("arms", 1, "initializer.low")` to `arms[1].initializer.low`."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part:
            path += f".{part}" if path and not part.startswith("[") else part
    return path


def is_deeper(raw: object, levels: int) -> bool:
    """Return whether JSON-like `raw` has more than so many levels; level by level, so that depth uses no stack."""
    inside = [raw]
    for _ in range(levels):
        inside = [
            child
            for value in inside
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return any(isinstance(value, dict | list) for value in inside)


def custom(problems: Sequence[Problem]) -> PydanticCustomError:
    """Return an error that carries problems through pydantic."""
    return PydanticCustomError("catalog", "not a valid catalogue entry", {"problems": list(problems)})
