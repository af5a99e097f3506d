"""The plot `examples`: the examples on which the arms disagree."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from core.analysis import final_values, summarize
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.empty import ALL_DIVERGED, all_diverged, draw_nothing
from core.plots.drawing.frames import frame, set_axis
from core.plots.drawing.names import name_of, short_names
from core.plots.drawing.styles import styled
from core.plots.drawing.text import width, wrap
from core.results import Results

MOST_ROWS, MOST_EXAMPLES = 40, 100
_LABEL = 9.0
_PANEL, _STEP = 6.0, 0.28
_COLOURS = colormaps["cividis"]  # Nuñez, Anderton & Renslow 2018, doi:10.1371/journal.pone.0199239: for every eye


@plots.register(
    formula="share of seeds that get each example of the judged split right, of the examples with the largest variance "
    "of that share between arms",
    source="Zhong, Ghosh, Klein & Steinhardt 2021 (Findings of ACL): models compared example by example, over seeds; "
    "stored with each run when it ended, `evaluate.examples`",
)
def examples() -> Plot:
    """Examples on which the arms disagree most: the hardest to the left, one row an arm."""
    return Plot(data, draw, lambda design: design.ranks and design.trained_here)


def data(results: Results) -> dict[str, Any]:
    whole = results.whole or results
    names, split = short_names(whole.design), whole.design.split
    shares = {} if whole.design.splits_vary else _shares(results)
    split_name = "test" if split == "test" else "validation"
    base = {"plot": "examples", "title": f"Examples on which the arms disagree: {results.design.name}"}
    sizes = {len(share) for share, _ in shares.values()}
    if len(shares) < 2 or len(sizes) > 1:
        return base | {"caption": sample(results), "empty": _why_empty(results, len(shares)), "rows": []}
    order = _best_first(results, [*shares])
    table = np.array([shares[label][0] for label in order])
    spread = table.var(axis=0)
    apart = np.argsort(-spread, kind="stable")[:MOST_EXAMPLES]
    apart = apart[spread[apart] > 0]
    apart = apart[np.argsort(table[:, apart].mean(axis=0), kind="stable")]
    differ = int((spread > 0).sum())
    rows = order[:MOST_ROWS]
    notes = [
        sample(results),
        f"A column: one example of the {split_name} split. Bright: every seed of the arm gets it right, dark: none.",
        f"Arms differ on {differ:,} of {table.shape[1]:,} examples; drawn are the {len(apart)} where they do most.",
        f"Drawn are the first {MOST_ROWS} of {len(order)} arms." if len(order) > MOST_ROWS else "",
    ]
    return base | {
        "caption": " ".join(filter(None, notes)),
        "empty": "" if len(apart) else "The arms get the same examples right: they disagree on none.",
        "rows": [
            {
                "label": label,
                "shown": names[label],
                "n": shares[label][1],
                "shares": shares[label][0][apart].tolist(),
            }
            for label in rows
        ],
        "examples": apart.tolist(),
        "x": {
            "label": "examples, the hardest first",
            "scale": "linear",
            "kind": "count",
            "limits": (0.5, len(apart) + 0.5),
        },
    }


def _shares(results: Results) -> dict[str, tuple[NDArray[np.float64], int]]:
    """Return by arm the share of its runs that get each example right, and the number of those runs."""
    stored = results.correct()
    found = {
        arm: [stored[run.id] for run in results.runs if run.arm == arm and run.id in stored]
        for arm in results.design.labels
    }
    return {arm: (np.mean(bits, axis=0), len(bits)) for arm, bits in found.items() if len({*map(len, bits)}) == 1}


def _best_first(results: Results, labels: list[str]) -> list[str]:
    metric = results.design.primary
    means = dict(zip(results.design.labels, map(summarize, final_values(results, metric.name)), strict=True))
    return sorted(labels, key=lambda label: -metric.sign * means[label].mean if means[label].n else np.inf)


def _why_empty(results: Results, arms: int) -> str:
    if (results.whole or results).design.splits_vary:
        return "Every seed has other examples, as splits vary: no two seeds are judged on the same."
    if all_diverged(results):
        return ALL_DIVERGED
    if arms == 1 or len(results.design.arms) == 1:
        return "There is one arm: nothing to compare it with."
    return "It is not stored which examples the runs got right: see evaluate.examples of a classification."


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a row an arm, a column an example."""
    rows = data["rows"]
    if data["empty"]:
        return draw_nothing(data)
    texts = [wrap(name_of(row), _LABEL, 3.0) for row in rows]
    height = max(_STEP, *(len(text) * _LABEL * 1.3 / 72 + 0.08 for text in texts))
    margin = max(width(line, _LABEL) for text in texts for line in text) + 0.15
    total = max(0.8, height * len(rows))
    place = frame(data["title"], data["caption"], margin + _PANEL, total + 0.6)
    axes = place.axes(margin, 0.5, _PANEL, total)
    shares = np.array([row["shares"] for row in rows])
    box = (0.5, shares.shape[1] + 0.5, len(rows), 0.0)
    axes.imshow(shares, cmap=_COLOURS, vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest", extent=box)
    axes.set_yticks([i + 0.5 for i in range(len(rows))], ["\n".join(text) for text in texts], size=_LABEL)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    set_axis(axes, "x", data["x"])
    return place.figure
