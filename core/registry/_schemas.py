"""Schemas of entries as a request may name them, for programs that are generated from the API's description.

A client that is made from them writes every default out. So a default is here only where it holds whatever else is
given: an alias that has its own defaults or parameters has a schema of its own, and what a preset sets has none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.registry._aliases import Alias, Presets


def schemas_of(
    name: str, schema: Mapping[str, Any], presets: Presets, aliases: Sequence[Alias]
) -> dict[str, dict[str, Any]]:
    """Return the schemas of an entry and of those of its aliases that have one of their own, by (the first) name."""
    own: list[tuple[dict[str, Any], list[str]]] = []
    same = [name]
    for alias in aliases:
        if not (alias.defaults or alias.renames or alias.converts):
            same.append(alias.name)
            continue
        found = _of_alias(schema, alias)
        names = next((names for other, names in own if other == found), None)
        if names is None:
            own.append((found, names := []))
        names.append(alias.name)
    return {name: _closed(_named(schema, presets), same)} | {names[0]: _closed(found, names) for found, names in own}


def _named(schema: Mapping[str, Any], presets: Presets) -> dict[str, Any]:
    """Return an entry's schema without the defaults that a preset may set."""
    properties = dict(schema["properties"])
    for parameter in {other for by_value in presets.values() for found in by_value.values() for other in found}:
        properties[parameter] = {key: value for key, value in properties[parameter].items() if key != "default"}
    return {**schema, "properties": properties}


def _of_alias(schema: Mapping[str, Any], alias: Alias) -> dict[str, Any]:
    """Return an entry's schema under a name of another library: its defaults, its parameters."""
    given = {own: other for other, own in alias.renames.items()}
    properties = {}
    for own, property_ in schema["properties"].items():
        if own in alias.defaults:
            property_ = property_ | {"default": alias.defaults[own]}
        other = given.get(own, own)
        if other in alias.converts:
            property_ = {"description": "as the library has it that the name is of"}
        if other not in alias.refuses:
            properties[other] = property_ | {"title": other}
    required = [given.get(own, own) for own in schema.get("required", ()) if own not in alias.defaults]
    return {**schema, "properties": properties, "required": required}


def _closed(schema: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": schema.get("description", ""),
        "properties": {**schema["properties"], "name": {"type": "string", "enum": [*names], "title": "Name"}},
        "required": ["name", *schema.get("required", ())],
        "additionalProperties": False,
    }


def told(schema: dict[str, Any], meanings: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON schema of an entry with what its parameters mean, by their name or by "entry.name"."""
    entry = schema["properties"]["name"]["default"]
    for name, about in schema["properties"].items():
        meaning = meanings.get(f"{entry}.{name}", meanings.get(name))
        if meaning is not None:
            about["description"] = ": ".join(filter(None, [meaning, about.get("description")]))
    return schema
