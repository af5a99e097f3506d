"""Tables and bars in a terminal: intervals, places, cells of a grid, classes, energy, weights and examples."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from initlab.words import NONE, called, number

NARROW = 76
"""Columns from which a bar has room beside its name and its numbers; with fewer they stand below each other."""
EIGHTHS, SHADES = "▁▂▃▄▅▆▇█", "░▒▓█"
BINS = 24
"""Columns of a histogram."""

ENDS = ("ci_low", "mean", "ci_high")

Data = Mapping[str, Any]


def tables(data: Data, width: int) -> list[RenderableType]:
    """Return a plot's data as tables of `width` columns; empty where there is nothing that a table has."""
    panels, rows = data.get("panels") or [], data.get("rows") or []
    for key, make in _OF_PANELS.items():
        if panels and key in panels[0]:
            return [part for panel in panels for part in make(data, panel, width)]
    for key, make_rows in _OF_ROWS.items():
        if isinstance(rows, Sequence) and rows and key in rows[0]:
            return [make_rows(data, rows, width)]
    if data.get("points"):
        return [_energy(data)]
    if data.get("axes") and data.get("lines"):
        return [_parallel(data)]
    return [_ranks(data)] if data.get("ranks") else []


def title(panel: Data) -> Text:
    """Return the heading of a panel: its title and its note."""
    return Text("\n" + "   ".join(filter(None, [panel["title"], panel.get("note")])))


def _table(*columns: str, **settings: Any) -> Table:
    """Return a table whose first column are names; long ones go on in the next line."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, **settings)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", overflow="fold")
    return table


def _matrix(_data: Data, panel: Data, width: int) -> Iterator[RenderableType]:
    """Yield a confusion matrix as a table: a row a class, in percent of its examples, what is right in bold.

    Where its columns have no room, its most frequent mistakes.
    """
    yield title(panel)
    classes = [str(name) for name in panel["classes"]]
    if not classes:
        yield Text("nothing stored")
        return
    longest = max(map(len, classes))
    if max(longest, 5) + sum(max(len(name), 3) + 2 for name in classes) > width:
        mistakes = _table("true", "predicted", "of its examples")
        for one in panel.get("mistakes", ()):
            mistakes.add_row(str(one["actual"]), str(one["named"]), f"{100 * one['share']:.1f} %")
        yield mistakes
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("true \\ predicted", overflow="fold", min_width=max(longest, 5))
    for name in classes:
        table.add_column(name, justify="right", no_wrap=True, min_width=3)
    for i, (name, shares) in enumerate(zip(classes, panel["share"], strict=True)):
        cells = [NONE if share is None else f"{100 * share:.0f}" if share else "" for share in shares]
        table.add_row(name, *(Text(cell, style="bold" if i == j else "") for j, cell in enumerate(cells)))
    yield table


def _levels(_data: Data, panel: Data, _width: int) -> Iterator[RenderableType]:
    """Yield a table of what came true, by how sure the model was."""
    yield title(panel)
    table = Table("confidence", "right", "of the examples", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in panel["levels"]:
        table.add_row(*(number(row[part], True) for part in ("confidence", "right", "share")))
    yield table if panel["levels"] else Text("nothing stored")


def _classified(data: Data, panel: Data, width: int) -> Iterator[RenderableType]:
    """Yield an arm's confusion matrix, and the notes of its curves."""
    parts = panel["parts"]
    noted = ", ".join(filter(None, [panel.get("note"), parts["confusion"]["note"]]))
    yield from _matrix(data, {**parts["confusion"], "title": panel["title"], "note": noted}, width)
    for name in ("roc", "precision_recall", "reliability"):
        if parts[name]["note"]:
            yield Text(f"{name.replace('_', ' and ')}: {parts[name]['note']}")


def _grid(data: Data, panel: Data, _width: int) -> Iterator[RenderableType]:
    """Yield the cells of a grid as a table: a row and a column a level, in each cell the mean and N."""
    if panel["title"]:
        yield title(panel)
    across, down = data["columns"], data["rows"]
    corner = " \\ ".join(filter(None, [down["field"], across["field"]]))
    cells = {(cell["row"], cell["column"]): cell for cell in panel["cells"]}
    table = _table(corner, *across["levels"])
    for i, level in enumerate(down["levels"]):
        there = [cells.get((i, j)) for j in range(len(across["levels"]))]
        table.add_row(level, *(_cell(cell, data["kind"] == "share") for cell in there))
    yield table


def _cell(cell: Data | None, percent: bool) -> str:
    if cell is None:
        return ""
    if cell["mean"] is None:
        return str(cell["note"] or "no result")
    return f"{number(cell['mean'], percent)}\nN = {cell['n']}"


def _intervals(data: Data, rows: Sequence[Data], width: int) -> RenderableType:
    """Return a row for each mean, its interval drawn to one scale."""
    percent = data["x"]["kind"] == "share"
    return _bars(rows, width, ENDS, str(data["x"]["label"]), lambda row: _told(row, percent))


def _differences(data: Data, rows: Sequence[Data], width: int) -> RenderableType:
    """Return a row for each difference, with the numbers that stand beside the picture's."""
    digits = data["digits"]

    def told(row: Data) -> str:
        if row["mean"] is None:
            return "no pairs"
        ends = [row["ci_low"], row["mean"], row["ci_high"]]
        low, mean, high = ("" if end is None else _signed(end, digits) for end in ends)
        p = row["p_adjusted"]
        sure = "" if p is None else f", p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
        return f"{mean}{f' ({low} to {high})' if low else ''}{sure}: {row['decision']}"

    reference = data.get("reference_shown") or data.get("reference")
    less = f"less {reference}: " if reference else ""
    label = data["x"]["label"].split(";")[0]  # in a terminal the axis is linear
    return _bars(rows, width, ENDS, f"{less}{label}", told)


def _signed(value: float, digits: int) -> str:
    return (f"{value:+z.2f}" if digits == 2 else f"{value:+z.3g}").replace("-", "−")


def _places(data: Data, rows: Sequence[Data], width: int) -> RenderableType:
    """Return a row for each arm, a bar over the places that are left to it."""

    def told(row: Data) -> str:
        return str(row["low"]) if row["low"] == row["high"] else f"{row['low']} to {row['high']}"

    return _bars(rows, width, ("low", "", "high"), str(data["x"]["label"]), told)


def _bars(
    rows: Sequence[Data], width: int, ends: tuple[str, str, str], heading: str, told: Callable[[Data], str]
) -> RenderableType:
    """Return a row for each name: its N, a bar, and what is `told`; below each other where there is little room."""
    known = [row[end] for row in rows for end in ends if end and row[end] is not None]
    scale = (min(known), max(known)) if known else (0.0, 1.0)
    counted = "n" in rows[0]
    head = Text(f"\n{heading}", style="dim")
    if width < NARROW:
        lines = [head]
        for row in rows:
            lines += [Text(called(row), style="bold"), Text(f"N = {row['n']}: {told(row)}" if counted else told(row))]
            lines.append(Bar(row, ends, scale).drawn(width))
        return Group(*lines)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, width=width, show_header=counted)
    table.add_column("", overflow="fold", max_width=width // 3)
    if counted:
        table.add_column("N", justify="right")
    table.add_column("", ratio=1, min_width=14)
    table.add_column("", justify="right", overflow="fold", max_width=width // 2)
    for row in rows:
        table.add_row(called(row), *([str(row["n"])] if counted else []), Bar(row, ends, scale), told(row))
    return Group(head, table)


def _told(row: Data, percent: bool, ends: tuple[str, str, str] = ENDS) -> str:
    """Return a mean and its interval; of two runs the picture has their range, and says so in its caption."""
    low, mean, high = (number(row[end], percent) for end in ends)
    return mean if NONE in (low, high) else f"{mean} ({'range ' if row.get('n') == 2 else ''}{low} to {high})"


class Bar:
    """A bar between two of a row's numbers with a point at a third, drawn as wide as there is room, to a scale."""

    def __init__(self, row: Data, ends: tuple[str, str, str], scale: tuple[float, float]) -> None:
        self._row, self._ends, self._scale = row, ends, scale

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Text]:
        yield self.drawn(options.max_width)

    def drawn(self, wide: int) -> Text:
        """Return the bar, `wide` columns wide."""
        last, (least, most) = wide - 1, self._scale
        low, middle, high = (
            round((self._row[end] - least) / ((most - least) or 1.0) * last)
            if end and self._row[end] is not None
            else None
            for end in self._ends
        )
        drawn = [" "] * (last + 1)
        if low is not None and high is not None:
            drawn[low : high + 1] = "─" * (high - low + 1)
            drawn[low], drawn[high] = ("├", "┤") if low < high else ("●", "●")
        if middle is not None:
            drawn[middle] = "●"
        return Text("".join(drawn))


def _energy(data: Data) -> Table:
    """Return what a run of each arm took and came to, the best first as in the picture."""
    x, y = (data[axis]["label"] for axis in "xy")
    table = _table("", "N", x, y)
    percent = data["y"]["kind"] == "share"
    for point in sorted(data["points"], key=lambda one: -one["y"]):
        x_told = _told(point, False, ("x_low", "x", "x_high"))
        y_told = _told(point, percent, ("y_low", "y", "y_high"))
        table.add_row(called(data["arms"][point["arm"]]), str(point["n"]), x_told, y_told)
    return table


def _parallel(data: Data) -> Table:
    """Return the cells of a grid, the best first: their levels, their mean and N."""
    percent, worst = data["kind"] == "share", float("inf")
    table = _table(*(one["field"] for one in data["axes"]), data["outcome"], "N")
    sign = 1 if data["less_is_better"] else -1
    for line in sorted(data["lines"], key=lambda one: worst if one["mean"] is None else sign * one["mean"]):
        levels = [one["levels"][at] for one, at in zip(data["axes"], line["at"], strict=True)]
        table.add_row(*levels, number(line["mean"], percent), str(line["n"]))
    return table


def _ranks(data: Data) -> Table:
    table = _table("", "mean rank")
    for one in data["ranks"]:
        table.add_row(called(one), f"{one['rank']:.2f}")
    return table


def _weights(_data: Data, rows: Sequence[Data], _width: int) -> RenderableType:
    """Return a table for each way to start: its layers, a row each with its histogram."""
    parts: list[RenderableType] = []
    for row in rows:
        table = _table("layer", "shape", "sd", "law's", "from", "to")
        table.add_column("histogram", overflow="fold")
        for layer in row["layers"]:
            law = (layer["law"] or {}).get("std")
            sizes = (number(value, False) for value in (layer["sd"], law, layer["min"], layer["max"]))
            table.add_row(layer["name"], " x ".join(map(str, layer["shape"])), *sizes, _heights(layer["counts"]))
        parts += [Text("\n" + " = ".join(row["shown"])), table]
    return Group(*parts)


def _heights(counts: Sequence[float]) -> str:
    """Return a histogram of `BINS` columns at most."""
    each = -(-len(counts) // BINS)
    sums = [sum(counts[i : i + each]) for i in range(0, len(counts), each)]
    return "".join(" " if not one else EIGHTHS[min(7, int(8 * one / max(sums)))] for one in sums)


def _examples(_data: Data, rows: Sequence[Data], width: int) -> Table:
    """Return a row for each arm: the shares of its seeds that are right, the hardest examples at the left."""
    table = _table("", "N")
    table.add_column("none ░▒▓█ every seed gets it right", overflow="fold")
    for row in rows:
        each = max(1, -(-len(row["shares"]) // max(20, width // 2)))
        parts = [row["shares"][i : i + each] for i in range(0, len(row["shares"]), each)]
        shades = "".join(SHADES[min(3, int(4 * sum(part) / len(part)))] for part in parts)
        table.add_row(called(row), str(row["n"]), shades)
    return table


_OF_PANELS: Mapping[str, Callable[[Data, Data, int], Iterable[RenderableType]]] = {
    "share": _matrix,
    "levels": _levels,
    "parts": _classified,
    "cells": _grid,
}
"""Makers of a panel's tables, by a key that only such panels have."""
_OF_ROWS: Mapping[str, Callable[[Data, Sequence[Data], int], RenderableType]] = {
    "decision": _differences,
    "mean": _intervals,
    "low": _places,
    "layers": _weights,
    "shares": _examples,
}
"""Makers of a table of rows, by a key that only such rows have."""
