"""Entries of catalogues for people in a terminal: what a spec names, and what a training is measured and judged by."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from initlab.words import NONE, type_words

DIRECTIONS = {"max": "more is better", "min": "less is better", "none": "neither"}
SAID_ABOVE = frozenset(("name", "kind", "label", "summary", "plugin", "bounds"))


def entry(one: Mapping[str, Any]) -> RenderableType:
    """Return all that is said of an entry, with a table of its parameters, or of the bounds of a finding."""
    aliases = f" (also {', '.join(one['aliases'])})" if one.get("aliases") else ""
    plugin = f" (plug-in {one['plugin']})" if one.get("plugin") else ""
    lines = [f"{one['name']}{aliases}{plugin}", str(one["summary"])]
    if "parameters" in one:
        lines += [f"formula  {one['formula']}", f"source   {one['source']}"]
        table = _parameters(one["parameters"])
    else:
        lines += [
            f"{key.replace('_', ' ')}: {_said(key, value)}" for key, value in one.items() if _is_shown(key, value)
        ]
        table = _table("number", "bound", "what it is")
        for name, bound in one.get("bounds", {}).items():
            table.add_row(name, f"{bound['value']:g}", bound["meaning"])
    return Group(Text("\n".join(lines)), *([table] if table.row_count else []))


def entries(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return the entries of one kind, a row each."""
    all_of_it = list(found)
    if any("parameters" not in one for one in all_of_it):
        table = _table("name", "what it is", "better")
        for one in all_of_it:
            table.add_row(str(one["name"]), str(one["summary"]), DIRECTIONS.get(one.get("direction", ""), NONE))
        return table
    table = _table("name", "what it is", "formula", "source")
    for one in all_of_it:
        summary = str(one["summary"]).split("\n")[0]
        table.add_row(str(one["name"]), summary, str(one["formula"]), str(one["source"]))
    return table


def _parameters(schema: Mapping[str, Any]) -> Table:
    table = _table("parameter", "type", "default", "what it is")
    required = schema.get("required", ())
    for name, parameter in schema["properties"].items():
        if name != "name":
            default = "(required)" if name in required else str(parameter.get("default", NONE))
            table.add_row(name, type_words(parameter), default, str(parameter.get("description", "")))
    return table


def _is_shown(key: str, value: Any) -> bool:
    return key not in SAID_ABOVE and value not in (None, False, "", [])


def _said(key: str, value: Any) -> str:
    if key == "direction":
        return DIRECTIONS.get(value, str(value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "yes" if value is True else str(value)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column == "bound" else "left")
    return table
