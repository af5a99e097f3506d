"""Pictures as characters: what a terminal can show of the data behind a plot."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from string import ascii_lowercase
from typing import Any, NamedTuple

import plotille
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from initlab.errors import ClientError
from initlab.words import NONE, number

COLORS = ("bright_blue", "bright_red", "bright_green", "bright_magenta", "bright_cyan", "bright_yellow")
MARGIN = 10
"""Columns of the numbers left of a panel."""
HEIGHT, EVERY = 15, 7
"""Lines of a panel, and how many lie between two numbers beside it."""
WIDEST = 120
"""Columns of a picture at most."""
LETTERS = 8
"""Times that a line's letter stands on it, about."""
ONE_OF_MANY = ("seed", "class")
"""Roles of lines that are one run, or one class, of those that a mean is of."""
ROLES = {"second": ", training", "diverged": ", diverged"}
"""Further lines of an arm."""


class Scale(NamedTuple):
    """An axis: where values lie on it, and how they are told. `log`: it goes by powers of ten."""

    low: float
    high: float
    log: bool
    kind: str

    @classmethod
    def of(cls, axis: Mapping[str, Any]) -> "Scale":
        low, high = axis["limits"]
        log = axis["scale"] == "log"
        return cls(math.log10(low) if log else low, math.log10(high) if log else high, log, axis["kind"])

    def place(self, value: float | None) -> float | None:
        """Return where a value lies, None for one that the axis has not."""
        if value is None or (self.log and value <= 0):
            return None
        return math.log10(value) if self.log else value

    def told(self, part: float) -> str:
        """Return the value at a part of the axis, 0 its low end and 1 its high one."""
        value = self.low + part * (self.high - self.low)
        value = 10**value if self.log else value
        if self.kind == "count":
            return f"{max(0.0, value):,.0f}"
        return f"{100 * value:.1f} %" if self.kind == "share" else f"{value:.3g}"


def chart(data: Mapping[str, Any], width: int) -> RenderableType:
    """Return the picture of a plot's data, `width` columns wide: panels of lines, intervals, or tables of shares.

    Of the caption it has what was measured, the first sentence; the others tell of what only a picture shows. Raises
    `ClientError` for a plot that has none of them.
    """
    head, foot = (
        Text(str(data["title"]), style="bold"),
        Text(data["caption"].split(". ")[0].removesuffix(".") + ".", style="dim"),
    )
    panels = data.get("panels")
    if panels and "share" in panels[0]:
        return Group(head, *(part for panel in panels for part in _matrix(panel)), foot)
    if panels and "levels" in panels[0]:
        return Group(head, *(part for panel in panels for part in _levels(panel)), foot)
    if panels and "lines" in panels[0]:
        return Group(head, *(part for panel in panels for part in _panel(data, panel, width)), foot)
    if data.get("rows") and "mean" in data["rows"][0]:
        return Group(head, _intervals(data["rows"], data["x"], width), foot)
    if data.get("empty"):
        return Group(head, Text(str(data["empty"])), foot)
    raise ClientError(f"{data['plot']} cannot be drawn in a terminal: save it with -o {data['plot']}.png")


def _panel(data: Mapping[str, Any], panel: Mapping[str, Any], width: int) -> Iterator[Text]:
    """Yield the title, the lines beside their axes, and the legend of one panel."""
    yield _title(panel)
    if not any(line["x"] for line in panel["lines"]):
        yield Text("nothing measured yet")
        return
    x, y = Scale.of(panel["x"]), Scale.of(panel["y"])
    canvas = plotille.Canvas(max(20, width - MARGIN - 3), HEIGHT, x.low, y.low, x.high, y.high)
    legend: list[Text] = []
    for line in sorted(panel["lines"], key=lambda one: one["role"] not in ONE_OF_MANY):  # a mean in front of its runs
        color, points = COLORS[line["arm"] % len(COLORS)], _points(line, x, y)
        for (x0, y0), (x1, y1) in pairwise(points):
            canvas.line(x0, y0, x1, y1, color=color)
        if line["role"] not in ONE_OF_MANY:
            letter = ascii_lowercase[len(legend) % len(ascii_lowercase)]
            every = max(1, math.ceil(len(points) / LETTERS))
            for x0, y0 in points[len(legend) % every :: every]:  # not all letters at one place
                canvas.point(x0, y0, color=color, marker=letter)
            legend.append(Text(f"{'':{MARGIN}}   {letter}  {_label(data, line)}", style=color))
    yield Text(str(panel["y"]["label"]), style="dim")
    for i, drawn in enumerate(canvas.plot().splitlines()):
        beside = y.told(1 - (i + 0.5) / HEIGHT) if i % EVERY == 0 else ""
        yield Text(f"{beside:>{MARGIN}} │ ") + Text.from_ansi(drawn)
    ends = [x.told(0.0), x.told(0.5), x.told(1.0)]
    gap = canvas.width - sum(map(len, ends))
    yield Text(f"{'':{MARGIN}}   {ends[0]}{'':{gap // 2}}{ends[1]}{'':{gap - gap // 2}}{ends[2]}")
    yield Text(f"{panel['x']['label']}".rjust(MARGIN + 3 + canvas.width), style="dim")
    yield from legend


def _matrix(panel: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield a confusion matrix as a table: a row a class, in percent of its examples, what is right in bold."""
    yield _title(panel)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("true \\ predicted")
    for name in panel["classes"]:
        table.add_column(str(name), justify="right", no_wrap=True)
    for i, (name, shares) in enumerate(zip(panel["classes"], panel["share"], strict=True)):
        cells = [NONE if share is None else f"{100 * share:.0f}" if share else "" for share in shares]
        table.add_row(str(name), *(Text(cell, style="bold" if i == j else "") for j, cell in enumerate(cells)))
    yield table if panel["classes"] else Text("nothing stored")


def _levels(panel: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield a table of what came true, by how sure the model was."""
    yield _title(panel)
    table = Table("confidence", "right", "of the examples", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in panel["levels"]:
        table.add_row(*(number(row[part], True) for part in ("confidence", "right", "share")))
    yield table if panel["levels"] else Text("nothing stored")


def _title(panel: Mapping[str, Any]) -> Text:
    return Text("\n" + "   ".join(filter(None, [panel["title"], panel.get("note")])))


def _points(line: Mapping[str, Any], x: Scale, y: Scale) -> list[tuple[float, float]]:
    both = ((x.place(a), y.place(b)) for a, b in zip(line["x"], line["y"], strict=True))
    return [(a, b) for a, b in both if a is not None and b is not None]


def _label(data: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """Return a line's arm, or its role where each panel is of one arm."""
    if "arms" not in data:
        return next((str(key["label"]) for key in data.get("key", ()) if key["role"] == line["role"]), line["role"])
    arm = data["arms"][line["arm"]]
    note = f" ({arm['note']})" if arm["note"] else ""
    return f"{arm['label']}{note}{ROLES.get(line['role'], '')}"


def _intervals(rows: Sequence[Mapping[str, Any]], axis: Mapping[str, Any], width: int) -> Table:
    """Return a row for each mean, its interval drawn to one scale."""
    percent = axis["kind"] == "share"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, width=width)
    table.add_column("", overflow="fold")
    table.add_column("N", justify="right")
    table.add_column(str(axis["label"]), ratio=1, no_wrap=True, min_width=20)
    table.add_column("", justify="right", no_wrap=True)
    known = [row[end] for row in rows for end in ("ci_low", "mean", "ci_high") if row[end] is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    for row in rows:
        table.add_row(row["label"], str(row["n"]), Interval(row, low, high), _told(row, percent))
    return table


def _told(row: Mapping[str, Any], percent: bool) -> str:
    low, mean, high = (number(row[end], percent) for end in ("ci_low", "mean", "ci_high"))
    return mean if NONE in (low, high) else f"{mean} ({low} to {high})"


class Interval:
    """The mean and the interval of a row, drawn as wide as there is room, from `low` to `high`."""

    def __init__(self, row: Mapping[str, Any], low: float, high: float) -> None:
        self._row, self._low, self._span = row, low, (high - low) or 1.0

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Text]:
        last = options.max_width - 1
        at = {
            end: round((self._row[end] - self._low) / self._span * last)
            for end in ("ci_low", "ci_high", "mean")
            if self._row[end] is not None
        }
        drawn = [" "] * (last + 1)
        if {"ci_low", "ci_high"} <= at.keys():
            drawn[at["ci_low"] : at["ci_high"] + 1] = "─" * (at["ci_high"] - at["ci_low"] + 1)
            drawn[at["ci_low"]], drawn[at["ci_high"]] = "├", "┤"
        if "mean" in at:
            drawn[at["mean"]] = "●"
        yield Text("".join(drawn))
