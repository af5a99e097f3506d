"""The picture of the signal that a network passes on before it is trained."""

from typing import Any

from matplotlib.figure import Figure

from core.plots.drawing.depth_axes import depth_axis, depth_line, named, size_axis
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.styles import PREVIEW_DPI


def draw_signal(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/signal`'s answer; `title` is optional."""
    panels: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for field, title, label in (
        ("forward", "forward: outputs of each layer", "variance of a layer's outputs"),
        ("backward", "backward: gradients by those outputs", "variance of the gradient"),
    ):
        lines = []
        for i, one in enumerate(data["initializers"]):
            values = [layer[field] for layer in one["layers"]]
            mean, low, high = ([value[name] for value in values] for name in ("mean", "low", "high"))
            lines.append(depth_line(i, "main", mean, data["seeds"], low=low, high=high))
            expected = [value["theory"] for value in values]
            if any(value is not None for value in expected):
                lines.append(depth_line(i, "second", expected, data["seeds"]))
        x = depth_axis(max(len(line["x"]) for line in lines))
        panels.append({"title": title, "x": x, "y": size_axis(lines, label), "lines": lines})
    theory = any(line["role"] == "second" for line in lines)
    notes = [
        f"N = {data['seeds']} {'seed' if data['seeds'] == 1 else 'seeds'}, batch of {data['batch']:,}, "
        f"inputs: {data['data']}; outputs pulled by standard normal noise.",
        "Line: mean; band: lowest to highest seed." + (" Dashed: expected by theory." if theory else ""),
        named([layer["name"] for layer in data["initializers"][0]["layers"]]),
    ]
    figure = draw_lines(
        {
            "title": data.get("title", f"Signal at update 0: {data['model']['name']}"),
            "caption": " ".join(filter(None, notes)),
            "arms": [{"label": one["label"], "note": ""} for one in data["initializers"]],
            "own_y": True,
            "panels": panels,
        }
    )
    figure.set_dpi(PREVIEW_DPI)
    return figure
