"""Examples of entries that nobody wrote one for, as those of plug-ins: values that the schema of a parameter allows."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain, count, islice, product, takewhile
from math import ceil, floor
from typing import Any

from pydantic_core import PydanticCustomError

from core.registry import Registry

NUMBERS = (1, 0.5, 2, 0.1, 10, 0, 100, -1)
"""Numbers that are tried for a parameter, what most can be first; then its bounds, and what is between these."""
TEXTS = ("a", "1", "t", "abcdefgh", "A", "")
MOST_VALUES, MOST_TRIED, NESTING = 32, 64, 4
"""Values that are tried for a parameter, combinations of all parameters', and levels of a schema within itself."""

Schema = Mapping[str, Any]


def derived_example(catalogue: Registry, name: str) -> dict[str, Any]:
    """Return a value for each parameter that has no default, with which the entry is valid; empty where none is found.

    That is the example that its author gave, or else the first values that fit by the parameters' JSON schemas.
    """
    schema = catalogue.describe(name)["parameters"]
    needed = [one for one in schema.get("required", ()) if one != "name"]
    given = {key: value for key, value in catalogue.example(name).items() if key != "name"}
    if not needed or _problems(catalogue, name, given) == []:
        return given
    values = {key: list(islice(_values(schema["properties"][key], schema), MOST_VALUES)) for key in needed}
    if not all(values.values()):
        return {}
    first = {key: found[0] for key, found in values.items()}
    fitting = {
        key: [one for one in found if not _refused(key, _problems(catalogue, name, first | {key: one}))] or found
        for key, found in values.items()
    }
    tried = (dict(zip(fitting, found, strict=True)) for found in product(*fitting.values()))
    return next((one for one in islice(tried, MOST_TRIED) if _problems(catalogue, name, one) == []), {})


def _problems(catalogue: Registry, name: str, given: Mapping[str, Any]) -> list[str]:
    """Return the paths of what is wrong with an entry; an empty one is of the entry as a whole."""
    try:
        catalogue.parse({"name": name, **given})
    except PydanticCustomError as error:
        return [one.path for one in (error.context or {})["problems"]]
    except Exception:  # noqa: BLE001 somebody else's code, with values that it may not have thought of
        return [""]
    return []


def _refused(key: str, paths: list[str]) -> bool:
    return any(re.split(r"[.\[]", path, maxsplit=1)[0] == key for path in paths)


def _values(schema: Schema, root: Schema, level: int = 0) -> Iterator[Any]:
    """Yield values that a schema may allow, the likeliest first; `root` has what it refers to."""
    if level > NESTING:
        return
    for part in (schema, *schema.get("allOf", ())):
        if "$ref" in part:
            schema = {**root.get("$defs", {}).get(part["$ref"].rpartition("/")[2], {}), **schema}
        else:
            schema = {**part, **schema}
    yield from schema.get("examples", ())
    yield from (schema[key] for key in ("default", "const") if key in schema)
    yield from schema.get("enum", ())
    among = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if isinstance(schema.get("type"), list):
        among += [{**schema, "type": one} for one in schema["type"]]
    for one in sorted(among, key=lambda one: one.get("type") == "null"):  # nothing is a poor example
        yield from _values(one, root, level + 1)
    if not among and "enum" not in schema and "const" not in schema:
        yield from _of_type(schema.get("type"), schema, root, level)


def _of_type(type_: str | None, schema: Schema, root: Schema, level: int) -> Iterator[Any]:
    match type_:
        case "null":
            yield None
        case "boolean":
            yield from (True, False)
        case "integer" | "number":
            yield from _numbers(schema, whole=type_ == "integer")
        case "string":
            yield from _texts(schema)
        case "array":
            yield from _lists(schema, root, level)
        case "object":
            yield from _objects(schema, root, level)
        case _:
            yield from (1, "a")


def _numbers(schema: Schema, *, whole: bool) -> Iterator[float]:
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    low, high = schema.get("minimum", above), schema.get("maximum", below)
    step = schema.get("multipleOf", 1 if whole else None)
    ends = [one for one in (low, high) if one is not None]
    between = [(low + high) / 2] if len(ends) == 2 else []
    beside = [one + by for one in ends for by in (1, -1)]
    for one in chain(NUMBERS, between, ends, beside):
        for value in (one,) if step is None else dict.fromkeys((floor(one / step) * step, ceil(one / step) * step)):
            fits = (
                (low is None or value >= low)
                and (high is None or value <= high)
                and (above is None or value > above)
                and (below is None or value < below)
            )
            if fits:
                yield int(value) if whole else float(value)


def _texts(schema: Schema) -> Iterator[str]:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 80)
    for text in TEXTS:
        text = (text * ceil(shortest / len(text)) if text and len(text) < shortest else text)[:longest]
        if len(text) >= shortest and _matches(schema.get("pattern", ""), text):
            yield text


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # of another language of patterns
        return True


def _lists(schema: Schema, root: Schema, level: int) -> Iterator[list[Any]]:
    fewest, most = schema.get("minItems", 0), schema.get("maxItems", MOST_VALUES)
    of_one = list(islice(_values(schema.get("items", {}), root, level + 1), MOST_VALUES))
    for length in takewhile(lambda length: length <= min(most, fewest + 2), count(max(1, fewest))):
        different = [one for at, one in enumerate(of_one) if one not in of_one[:at]]
        if len(different) >= length > 1:
            yield from _ordered(different[:length])
        if not schema.get("uniqueItems") or length == 1:
            yield from ([one] * length for one in of_one)
    if fewest == 0:
        yield []


def _ordered(values: list[Any]) -> Iterator[list[Any]]:
    """Yield numbers in their order, then all values in the order they have: many lists have to grow."""
    if all(isinstance(one, int | float) for one in values) and sorted(values) != values:
        yield sorted(values)
    yield values


def _objects(schema: Schema, root: Schema, level: int) -> Iterator[dict[str, Any]]:
    properties = schema.get("properties", {})
    needed = schema.get("required", ())
    values = [islice(_values(properties.get(key, {}), root, level + 1), MOST_VALUES) for key in needed]
    made = (dict(zip(needed, found, strict=True)) for found in product(*values))
    more = schema.get("additionalProperties")
    if not needed and isinstance(more, Mapping):
        yield from ({"a": one} for one in _values(more, root, level + 1))
    yield from made
