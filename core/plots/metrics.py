"""The plot `metrics`: metrics of every epoch beside the loss and the score."""

from typing import Any

from core.design import Design
from core.metrics import Metric
from core.plots import Plot, plots
from core.plots.drawing.curves import about_lines, about_stopped, arms_drawn, described, epochs_done, mean_lines, sample
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.value_axes import epoch_axis, value_axis
from core.results import Results


@plots.register(
    formula="mean over seeds of each further metric of the task by epoch, with 95 % Student t bands",
    source="measured in evaluation mode after the epoch, on the whole validation split; bands: Student 1908",
)
def metrics() -> Plot:
    """Every metric of the task beside its loss and its score, one panel a metric and one line an arm."""
    return Plot(data, draw_lines, lambda design: design.ranks and bool(further(design)))


def further(design: Design) -> list[Metric]:
    """Return the metrics by epoch whose curves no other plot draws."""
    others = design.score, design.trains_score, design.find("loss", "valid")
    shown = [metric.name for metric in others if metric is not None]
    curves = [metric for metric in design.outcomes if metric.per == "epoch" and metric.split != "test"]
    return [metric for metric in curves if metric.name not in shown]


def data(results: Results) -> dict[str, Any]:
    arms = arms_drawn(results)
    panels, every = [], []
    for metric in further(results.design):
        lines = mean_lines(results.series(metric.name), results, arms, place=epochs_done)
        every += lines
        x, y = epoch_axis(lines), value_axis({0: lines}, metric)
        note = y.pop("note")
        panels.append({"title": metric.label, "x": x, "y": y, "lines": lines, "note": note})
    notes = [
        sample(results),
        about_lines(every, "epoch"),
        *{f"{panel['title']}: {panel['note']}" for panel in panels if panel["note"]},
        about_stopped(results),
        arms.note,
    ]
    empty = {"title": "further metrics", "x": epoch_axis([]), "lines": [], "note": ""}
    nothing = {"label": "", "scale": "linear", "kind": "number", "limits": (0.0, 1.0)}
    return {
        "plot": "metrics",
        "title": f"Further metrics: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "arms": described(arms, results),
        "own_y": True,
        "empty": "nothing measured",
        "panels": panels or [empty | {"y": nothing}],
    }
