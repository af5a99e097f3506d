"""Pictures as characters: what a terminal can show of the data behind a plot."""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from string import ascii_lowercase
from typing import Any, NamedTuple

import plotille
from rich.console import Group, RenderableType
from rich.text import Text

from initlab.chart_tables import tables, title
from initlab.errors import ClientError
from initlab.words import called

COLORS = ("bright_blue", "bright_red", "bright_green", "bright_magenta", "bright_cyan", "bright_yellow")
MARGIN = 10
"""Columns of the numbers left of a panel."""
HEIGHT = 15
"""Lines of a panel."""
MOST = 5
"""Numbers at an axis at most."""
FINEST, COARSEST = 1e-4, 1e4
"""Steps between numbers that are written out; others have an exponent."""
EPSILON = 1e-9
WIDEST = 120
"""Columns of a picture at most."""
LETTERS = 8
"""Times that a line's letter stands on it, about."""
ONE_OF_MANY = ("seed", "class")
"""Roles of lines that are one run, or one class, of those that a mean is of."""


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

    def part(self, value: float) -> float:
        """Return at which part of the axis a value lies, 0 its low end and 1 its high one."""
        at = math.log10(value) if self.log else value
        return (at - self.low) / ((self.high - self.low) or 1.0)

    def marks(self) -> list[tuple[float, str]]:
        """Return the parts of the axis at which it is marked, and the round values that stand there."""
        if not self.log:
            step, values = _steps(self.low, self.high, whole=self.kind == "count")
        else:
            step, values = None, _of_a_log(self.low, self.high)
            if len(values) < 2:
                step, values = _steps(10**self.low, 10**self.high)
        return [(self.part(value), self._told(value, step)) for value in values]

    def _told(self, value: float, step: float | None) -> str:
        """Return a mark in words, with the digits that the steps between them have; None: each by itself."""
        factor, unit = (100, " %") if self.kind == "share" else (1, "")
        if self.kind == "count":
            return f"{value:,.0f}"
        if step is None or not FINEST <= factor * step <= COARSEST:
            return f"{factor * value:.3g}{unit}"
        digits = max(0, -math.floor(math.log10(factor * step * (1 + EPSILON))))
        return f"{factor * value:.{digits}f}{unit}"


def _steps(low: float, high: float, whole: bool = False) -> tuple[float, list[float]]:
    """Return the least step of 1, 2 or 5 times a power of ten of which few lie on an axis, and its multiples there."""
    power = math.floor(math.log10((high - low) / MOST)) if high > low else 0
    for step in (digit * 10.0**exponent for exponent in (power, power + 1) for digit in (1, 2, 5)):
        first, last = math.ceil(low / step - EPSILON), math.floor(high / step + EPSILON)
        if last - first < MOST and (step >= 1 or not whole):
            break
    return step, [i * step for i in range(first, last + 1)]


def _of_a_log(low: float, high: float) -> list[float]:
    """Return round values of an axis between two powers of ten: whole powers, or 1, 2 and 5 times one."""
    first, last = math.ceil(low - EPSILON), math.floor(high + EPSILON)
    if last > first:
        every = math.ceil((last - first + 1) / MOST)
        return [10.0**power for power in range(first, last + 1) if power % every == 0]
    found = (digit * 10.0**power for power in (first - 1, first) for digit in (1, 2, 5))
    return [value for value in found if low - EPSILON <= math.log10(value) <= high + EPSILON]


def chart(data: Mapping[str, Any], width: int) -> RenderableType:
    """Return the picture of a plot's data, `width` columns wide: panels of lines, intervals, bars or tables.

    Of the caption it has what was measured, the first sentence; the others tell of what only a picture shows. Raises
    `ClientError` for a plot that has none of them.
    """
    head, foot = (
        Text(str(data["title"]), style="bold"),
        Text(data["caption"].split(". ")[0].removesuffix(".") + ".", style="dim"),
    )
    panels = data.get("panels")
    if panels and "lines" in panels[0]:
        return Group(head, *(part for panel in panels for part in _panel(data, panel, width)), foot)
    drawn = tables(data, width)
    if drawn:
        return Group(head, *drawn, foot)
    if data.get("empty"):
        return Group(head, Text(str(data["empty"])), foot)
    if any(data.get(part) == [] for part in ("panels", "rows", "points")):
        return Group(head, Text("nothing measured yet"), foot)
    raise ClientError(f"{data['plot']} cannot be drawn in a terminal: save it with -o {data['plot']}.png")


def _panel(data: Mapping[str, Any], panel: Mapping[str, Any], width: int) -> Iterator[Text]:
    """Yield the title, the lines beside their axes, and the legend of one panel."""
    yield title(panel)
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
    beside = {min(HEIGHT - 1, int((1 - part) * HEIGHT)): told for part, told in y.marks()}
    for i, drawn in enumerate(canvas.plot().splitlines()):
        yield Text(f"{beside.get(i, ''):>{MARGIN}} │ ") + Text.from_ansi(drawn)
    yield Text(f"{'':{MARGIN}}   {_marked(x, canvas.width)}")
    yield Text(f"{panel['x']['label']}".rjust(MARGIN + 3 + canvas.width), style="dim")
    yield from legend


def _marked(x: Scale, wide: int) -> str:
    """Return the line of numbers below an axis, each below its place; one that has no room is left out."""
    line, free = [" "] * wide, 0
    for part, text in x.marks():
        start = min(max(round(part * (wide - 1)) - len(text) // 2, 0), wide - len(text))
        if start >= free:
            line[start : start + len(text)] = text
            free = start + len(text) + 1
    return "".join(line)


def _points(line: Mapping[str, Any], x: Scale, y: Scale) -> list[tuple[float, float]]:
    both = ((x.place(a), y.place(b)) for a, b in zip(line["x"], line["y"], strict=True))
    return [(a, b) for a, b in both if a is not None and b is not None]


def _label(data: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """Return a line's arm, or its role where each panel is of one arm."""
    if "arms" not in data:
        return next((str(key["label"]) for key in data.get("key", ()) if key["role"] == line["role"]), line["role"])
    arm = data["arms"][line["arm"]]
    if line["role"] == "diverged":
        seed = "" if line.get("seed") is None else f"seed {line['seed']}, "
        return f"{called(arm)}: {seed}diverged"
    note = f" ({arm['note']})" if arm["note"] else ""
    return f"{called(arm)}{note}{', training' if line['role'] == 'second' else ''}"
