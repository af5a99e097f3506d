"""The first look at a data set in a terminal: its classes or targets, its first rows, and who uses it."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from initlab.words import number

MOST_COLUMNS, MOST_ROWS, MOST_CLASSES = 12, 8, 40


def first_look(preview: Mapping[str, Any]) -> RenderableType:
    """Return what `GET /datasets/{name}/preview` has, but for its pictures, which are counted."""
    parts: list[RenderableType] = []
    if preview["classes"]:
        counts = _table("class", "examples", "held out")
        for one in preview["classes"][:MOST_CLASSES]:
            counts.add_row(Text(one["label"]), f"{one['examples']:,}", f"{one['held_out']:,}")
        parts += [counts, *_left(len(preview["classes"]), MOST_CLASSES, "classes")]
    if preview["targets"]:
        targets = _table("target", "least", "mean", "most")
        for one in preview["targets"]:
            targets.add_row(Text(one["name"]), *(number(one[key], percent=False) for key in ("min", "mean", "max")))
        parts.append(targets)
    if preview["rows"]:
        learned = max(1, len(preview["targets"]))
        features = min(MOST_COLUMNS, len(preview["columns"]) - learned)
        rows = _table(*preview["columns"][:features], *preview["columns"][-learned:])
        for row in preview["rows"][:MOST_ROWS]:
            rows.add_row(*(_cell(value) for value in [*row[:features], *row[-learned:]]))
        parts += [Text("first rows"), rows, *_left(preview["columns_total"], features, "columns")]
    if preview["pictures"]:
        parts.append(Text("pictures: see its page"))
    used = ", ".join(f"{one['id']} ({one['status']})" for one in preview["experiments"])
    parts.append(Text(f"used by experiments: {used or 'none'}"))
    return Group(*parts)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(Text(column), justify="left" if column in ("class", "target") else "right", overflow="fold")
    return table


def _cell(value: float | str | None) -> Text:
    return Text(value if isinstance(value, str) else number(value, percent=False))


def _left(total: int, shown: int, what: str) -> list[Text]:
    return [Text(f"and {total - shown:,} more {what}")] if total > shown else []
