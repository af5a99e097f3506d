"""Writes what `initlab.build` knows of the catalogues: `python -m tests.initlab.builders`, after a change to one."""

import json
from collections.abc import Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any

from api.routes.catalog import CATALOG
from core.spec import Spec

PACKAGE = Path(__file__).parents[2] / "initlab"
KINDS = ("initializers", "schedules", "optimizers", "models", "layers", "datasets")
NAMED = 20
"""Most names of a type that lists them."""
OF_A_SPEC = frozenset(Spec.model_fields) - frozenset(Spec.__mro__[1].model_fields)  # type: ignore[attr-defined]
"""The fields that no arm has."""
WORDS = {"number": "float", "integer": "int", "boolean": "bool", "string": "str", "null": "None"}
SPEC = "Return a whole spec: the base's settings, and what is compared, by `arms` or `grid`."
ARM = (
    "Return an arm: its label, and the settings that it has instead of the base's.\n\n"
    'A part of a setting is replaced by its path: `arm("fast", {"optimizer.lr": 0.1})`.'
)


def known() -> dict[str, Any]:
    """Return the builders' words: for each the doc, and the type and default of every parameter."""
    fields = _parameters(Spec.model_json_schema())
    told: dict[str, Any] = {
        "spec": {"doc": SPEC, "parameters": fields},
        "arm": {"doc": ARM, "parameters": {name: one for name, one in fields.items() if name not in OF_A_SPEC}},
    }
    for kind in KINDS:
        entries = (CATALOG[kind].describe(name) for name in CATALOG[kind])
        told[kind] = {entry["name"]: _entry(entry) for entry in entries}
    return told


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    parts = [entry["summary"], entry["formula"], f"Source: {entry['source']}." if entry["source"] else ""]
    return {"doc": "\n\n".join(filter(None, parts)), "parameters": _parameters(entry["parameters"], entry=True)}


def _parameters(schema: Mapping[str, Any], entry: bool = False) -> dict[str, Any]:
    found = {
        name: {"type": _type(one)} | ({"default": one["default"]} if "default" in one else {})
        for name, one in schema["properties"].items()
        if not (entry and name == "name")
    }
    if not entry:  # a model's fields are never required, and a default that is made anew has none in the schema
        found = {name: one if "default" in one else {**one, "default": None} for name, one in found.items()}
    return dict(sorted(found.items(), key=lambda item: "default" in item[1]))


def _type(schema: Mapping[str, Any]) -> str:
    """Return a schema as Python's type."""
    return " | ".join(sorted(dict.fromkeys(_types(schema)), key=lambda one: one == "None"))


def _types(schema: Mapping[str, Any]) -> list[str]:
    """Return the types of a union, one for any other."""
    if "anyOf" in schema:
        return [one for option in schema["anyOf"] for one in _types(option)]
    if "const" in schema:
        return [f"Literal[{schema['const']!r}]"]
    if "enum" in schema:
        return [f"Literal[{', '.join(map(repr, schema['enum']))}]" if len(schema["enum"]) <= NAMED else "str"]
    if schema.get("type") == "array":
        return [f"Sequence[{_type(schema.get('items', {}))}]"]
    if schema.get("type") == "object" or "$ref" in schema:
        return ["Mapping[str, Any]"]
    return [WORDS.get(str(schema.get("type")), "Any")]


def stub(told: Mapping[str, Any]) -> str:
    """Return the module's types, for editors and type checkers."""
    lines = [
        '"""Made by `python -m tests.initlab.builders`."""',
        "",
        "from collections.abc import Mapping, Sequence",
        "from typing import Any, Literal",
        "",
        *_function("spec", told["spec"], ["*"]),
        *_function("arm", told["arm"], ["label: str", "paths: Mapping[str, Any] = {}", "*"]),
    ]
    for kind in KINDS:
        lines += ["", f"class _{kind.capitalize()}:"]
        for name, entry in told[kind].items():
            first = ["self", *(["*"] if entry["parameters"] else [])]
            lines += [f"    {line}" for line in _function(f"{name}_" if iskeyword(name) else name, entry, first)]
    return "\n".join([*lines, "", *(f"{kind}: _{kind.capitalize()}" for kind in KINDS), ""])


def _function(name: str, entry: Mapping[str, Any], first: list[str]) -> list[str]:
    given = [
        f"{word}: {one['type']}" + (f" = {one['default']!r}" if "default" in one else "")
        for word, one in entry["parameters"].items()
    ]
    return [f"def {name}({', '.join([*first, *given])}) -> dict[str, Any]:", f'    """{_doc(entry)}"""']


def _doc(entry: Mapping[str, Any]) -> str:
    return str(entry["doc"]).partition("\n")[0].replace("\\", "\\\\").replace('"""', "'''")


def written() -> dict[Path, str]:
    """Return the files' texts by their paths."""
    told = known()
    data = json.dumps(told, indent=1, ensure_ascii=False, sort_keys=False) + "\n"
    return {PACKAGE / "build.json": data, PACKAGE / "build.pyi": stub(told)}


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
