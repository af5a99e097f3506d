"""Pictures in a terminal, of the data that the server has behind them."""

import io
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from initlab import charts
from initlab.errors import ClientError

RunCli = Callable[..., tuple[int, str, str]]
ARMS = [{"label": "zeros", "note": "2 diverged of 5"}, {"label": "[red]<b>", "note": ""}]


def _axis(low: float, high: float, kind: str = "number", scale: str = "linear") -> dict[str, Any]:
    return {"label": f"{kind}s", "scale": scale, "kind": kind, "limits": [low, high]}


def _line(arm: int, x: list[Any], y: list[Any], role: str = "main") -> dict[str, Any]:
    return {"arm": arm, "role": role, "x": x, "y": y}


def _curves(*lines: dict[str, Any], **other: Any) -> dict[str, Any]:
    panel = {
        "title": "training",
        "x": _axis(-0.9, 100, "count"),
        "y": _axis(0.1, 1000, scale="log"),
        "lines": list(lines),
    }
    told = {"plot": "loss", "title": "Loss: [x]", "caption": "N = 2 arms. Band: 95 %.", "arms": ARMS}
    return {**told, "panels": [panel | other]}


def _shown(data: dict[str, Any], width: int = 60) -> list[str]:
    file = io.StringIO()
    Console(width=width, markup=False, highlight=False, file=file).print(charts.chart(data, width))
    return file.getvalue().splitlines()


def test_curves_lie_where_their_values_are_on_a_logarithmic_axis() -> None:
    x = list(range(100))
    lines = _shown(_curves(_line(0, x, [10.0] * 100), _line(1, x, [None, 0.0, *[100 - i for i in x[2:]]])))
    assert lines[0] == "Loss: [x]"
    assert (lines[-3].strip(), lines[-2].strip()) == ("a  zeros (2 diverged of 5)", "b  [red]<b>")
    assert lines[-1] == "N = 2 arms."
    drawn = [line.partition("│")[2] for line in lines if "│" in line]
    assert len(drawn) == charts.HEIGHT
    # 10 lies in the middle between 0.1 and 1000, and no other line of characters has an "a".
    assert [i for i, line in enumerate(drawn) if "a" in line] == [charts.HEIGHT // 2]
    rows = [i for i, line in enumerate(drawn) if "b" in line]
    assert rows[0] < charts.HEIGHT // 2 < rows[-1]  # from 98 down to 1
    ticks = [float(line.partition("│")[0]) for line in lines if "│" in line and line.partition("│")[0].strip()]
    assert ticks == pytest.approx([735, 10, 0.136], rel=0.01)
    assert max(map(len, lines)) <= 60


def test_shares_are_told_in_percent_and_counts_whole() -> None:
    lines = _shown(_curves(_line(0, [0, 1], [0.5, 0.75]), y=_axis(0.0, 1.0, "share")))
    assert lines[4].strip().startswith("96.7 % │")
    assert [line.split() for line in lines if line.split()[:1] == ["0"]] == [["0", "50", "100"]]


def test_single_runs_have_no_letter_and_the_key_names_the_rest() -> None:
    data = _curves(_line(0, [0, 99], [1, 10], "seed"), _line(0, [0, 99], [10, 100], "mean"), note="N = 5")
    del data["arms"]
    lines = _shown(data | {"key": [{"role": "mean", "label": "mean of the runs"}]})
    assert lines[2] == "training   N = 5"
    assert [line.strip() for line in lines[-2:]] == ["a  mean of the runs", "N = 2 arms."]


def test_nothing_is_drawn_of_what_was_not_measured() -> None:
    assert "nothing measured yet" in _shown(_curves(_line(0, [], [])))


def test_intervals_are_drawn_to_one_scale() -> None:
    rows: list[dict[str, Any]] = [
        {"label": "[red]<b>", "n": 5, "mean": 0.5, "ci_low": 0.0, "ci_high": 1.0},
        {"label": "zeros", "n": 1, "mean": 1.0, "ci_low": None, "ci_high": None},
        {"label": "ones", "n": 0, "mean": None, "ci_low": None, "ci_high": None},
    ]
    data = {"plot": "comparison", "title": "Final", "caption": "N = 2.", "rows": rows, "x": _axis(0, 1, "share")}
    lines = _shown(data, width=90)
    bar, dot, nothing = (next(line for line in lines if line.strip().startswith(row["label"])) for row in rows)
    assert bar.index("├") < bar.index("●") < bar.index("┤")
    assert bar.index("●") == pytest.approx((bar.index("├") + bar.index("┤")) / 2, abs=1)
    assert dot.index("●") == bar.index("┤")
    assert bar.rstrip().endswith("50.00 % (0.00 % to 100.00 %)")
    assert dot.rstrip().endswith("100.00 %")
    assert "●" not in nothing


def test_what_has_neither_is_to_be_saved() -> None:
    with pytest.raises(ClientError, match=r"save it with -o weights\.png"):
        charts.chart({"plot": "weights", "title": "", "caption": "", "rows": [{"labels": []}]}, 80)


def test_plot_draws_in_the_terminal_saves_with_o_and_prints_the_data_with_json(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Any
) -> None:
    data = _curves(_line(0, [0, 1], [1.0, math.e]))
    server.answer(200, experiment)
    server.answer(200, data)
    code, out, err = run_cli("plot", "7", "loss", "--log", "--arm", "zeros")
    assert (code, err) == (0, "")
    assert "a  zeros" in out
    assert server.asked[-1].path == "/experiments/7/plots/loss.json?arm=zeros&log=true"
    server.answers[:] = []
    server.answer(200, experiment)
    server.answer(200, data)
    assert json.loads(run_cli("plot", "7", "loss", "--json")[1]) == data
    server.answers[:] = []
    server.answer(200, experiment)
    server.answer(200, b"\x89PNG")
    path = tmp_path / "loss.png"
    assert run_cli("plot", "7", "loss", "-o", str(path), "--width", "400") == (0, f"{path}\n", "")
    assert path.read_bytes() == b"\x89PNG"
    assert server.asked[-1].path == "/experiments/7/plots/loss.png?width=400"


def test_confusions_and_confidences_are_tables_and_class_curves_have_no_letters() -> None:
    told = {"plot": "confusion", "title": "Classes", "caption": "N = 1 arm."}
    matrix = {"title": "he", "note": "N = 3", "classes": ["cat", "dog"], "share": [[0.9, 0.1], [None, None]]}
    lines = _shown({**told, "panels": [matrix, {**matrix, "classes": [], "share": []}]})
    assert [line.split() for line in lines if line.strip().startswith(("cat", "dog"))] == [
        ["cat", "90", "10"],
        ["dog", "–", "–"],
    ]
    assert "nothing stored" in lines
    levels = [{"confidence": 0.5, "right": 0.25, "share": 1.0}]
    lines = _shown({**told, "panels": [{"title": "he", "note": "ECE 25 %", "levels": levels}]})
    assert any(line.split() == ["50.00", "%", "25.00", "%", "100.00", "%"] for line in lines)
    curves = _curves(_line(0, [0, 100], [10.0, 10.0], "class"), _line(0, [0, 100], [1.0, 1.0], "mean"))
    del curves["arms"]
    assert _shown(curves)[-2].strip() == "a  mean"
    with pytest.raises(ClientError, match=r"-o classification\.png"):
        charts.chart({**told, "plot": "classification", "panels": [{"title": "he", "parts": {}}]}, 60)
