"""The plot `layers`: activations and gradients from layer to layer."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from core.analysis import layers_by_arm
from core.finite import finite_list
from core.plots import Plot, plots
from core.plots.drawing.curves import arms_drawn, described, sample
from core.plots.drawing.depth_axes import depth_axis, depth_line, named, size_axis
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.styles import COLOURS
from core.results import Results, RunResult, Series

NONE = 'Layers were not measured: post the experiment with "diagnostics": {"every": 50}.'
PANELS = {
    "activation_std": ("activations", "standard deviation of activations"),
    "gradient_norm": ("gradients of the weights", "norm of a layer's gradient"),
}


@plots.register(
    formula="geometric mean over an arm's runs of activation_std, and of gradient_norm, of every layer at update 0, "
    "and at the last update that was looked at",
    source="diagnostics of the training itself, after Glorot & Bengio 2010, figures 6 and 7",
)
def layers() -> Plot:
    """Activations and gradients from layer to layer, one line an arm, at the start and at the last look.

    Of many arms the last look has panels of its own, below those of the start.
    """
    return Plot(data, draw_lines, lambda design: design.diagnostics)


def data(results: Results) -> dict[str, Any]:
    arms = arms_drawn(results)
    known = layers_by_arm(results) if results.design.diagnostics else {}
    names = {label: known[label] for label in arms.labels if label in known}
    few = len(arms.labels) <= len(COLOURS)
    runs = {run.id: run for run in results.runs if run.status != "failed"}
    panels, lasts = [], set[int]()
    for metric, (title, label) in PANELS.items():
        found = _by_run(results.series(metric) if results.design.diagnostics else [], runs)
        lines = []
        for index, arm in enumerate(arms.labels):
            mine = [found[run] for run in found if runs[run].arm == arm]
            lines += _lines(index, mine, names.get(arm, []), lasts)
        x = depth_axis(max([len(line["x"]) for line in lines], default=2))
        panels.append({"title": title, "x": x, "y": size_axis(lines, label), "lines": lines})
    if not few and any(lasts):
        panels = _parted(panels)
    measured = any(panel["lines"] for panel in panels)
    alike = len({tuple(one) for one in names.values()}) == 1
    notes = [
        sample(results),
        _about(len(panels) > len(PANELS), lasts) if measured else "",
        "" if results.design.diagnostics else NONE,
        named(next(iter(names.values()))) if alike else "Arms have layers of their own." if names else "",
        arms.note,
    ]
    return {
        "plot": "layers",
        "title": f"Layer by layer: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "arms": described(arms, results),
        "own_y": True,
        "columns": len(PANELS),
        "empty": "nothing measured yet" if results.design.diagnostics else "no diagnostics were asked for",
        "layers": names,
        "panels": panels,
    }


def _about(parted: bool, lasts: set[int]) -> str:
    later = {step for step in lasts if step}
    words = "Geometric means over an arm's runs; band: lowest to highest run."
    when = f"update {max(later)}" if len(later) == 1 else "the last look at each arm"
    if parted:
        return f"{words} Above: update 0; below: {when}."
    return f"{words} Solid: update 0{f'; dashed: {when}' if later else ''}."


def _parted(panels: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return panels of update 0, and below them those of the last look: of many arms some are dashed themselves."""
    rows = (("main", "update 0"), ("second", "the last look"))
    return [
        panel
        | {"title": f"{panel['title']}, {when}"}
        | {"lines": [line | {"role": "main"} for line in panel["lines"] if line["role"] == role]}
        for role, when in rows
        for panel in panels
    ]


def _by_run(series: Iterable[Series], runs: Mapping[int, RunResult]) -> dict[int, dict[str, Series]]:
    """Return each run's series by layer."""
    found: dict[int, dict[str, Series]] = defaultdict(dict)
    for one in series:
        if one.run_id in runs and len(one.steps):
            found[one.run_id][one.metric.partition("/")[2]] = one
    return found


def _lines(
    arm: int, runs: Sequence[Mapping[str, Series]], names: Sequence[str], lasts: set[int]
) -> list[dict[str, Any]]:
    """Return the line at update 0, and that at the last measured update of the longest run."""
    if not runs:
        return []
    last = max(int(series.steps[-1]) for run in runs for series in run.values())
    lasts.add(last)
    start = _values(runs, names, 0)
    with np.errstate(all="ignore"):
        low, high = start.min(axis=0), start.max(axis=0)
    band = {"low": finite_list(low), "high": finite_list(high)} if len(runs) > 1 else {}
    lines = [depth_line(arm, "main", _mean(start), len(runs), **band)]
    if last > 0:
        lines.append(depth_line(arm, "second", _mean(_values(runs, names, last)), len(runs)))
    return lines


def _values(runs: Sequence[Mapping[str, Series]], names: Sequence[str], step: int) -> Any:
    """Return the values at an update, (runs, layers); NaN where a run has no such point."""
    values = np.full((len(runs), len(names)), np.nan)
    for i, run in enumerate(runs):
        for j, name in enumerate(names):
            if name in run:
                at = np.flatnonzero(run[name].steps == step)
                values[i, j] = run[name].values[at[0]] if len(at) else math.nan
    return values


def _mean(values: Any) -> list[float | None]:
    """Return the geometric mean of each layer over the runs with a finite value; 0 where one of them is 0."""
    found: list[float | None] = []
    for column in values.T:
        finite = column[np.isfinite(column)]
        with np.errstate(divide="ignore"):
            found.append(float(np.exp(np.log(finite).mean())) if len(finite) else None)
    return found
