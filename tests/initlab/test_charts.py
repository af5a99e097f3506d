"""Pictures in a terminal, of the data that the server has behind them."""

import io
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from initlab import charts
from initlab.display import PLAIN_WIDTH, console
from initlab.errors import ClientError
from initlab.report_text import Report

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
    assert ticks == [1000, 100, 10, 1, 0.1]
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize(
    ("axis", "marked"),
    [
        (_axis(-0.0113, 0.215), ["0.00", "0.05", "0.10", "0.15", "0.20"]),
        (_axis(-0.0113, 0.0), ["-0.010", "-0.005", "0.000"]),
        (_axis(1.234, 1.2361), ["1.2340", "1.2345", "1.2350", "1.2355", "1.2360"]),
        (_axis(0, 3.2e7), ["0", "1e+07", "2e+07", "3e+07"]),
        (_axis(0, 4e-9), ["0", "1e-09", "2e-09", "3e-09", "4e-09"]),
        (_axis(0.612, 0.943, "share"), ["70 %", "80 %", "90 %"]),
        (_axis(0.98, 0.9931, "share"), ["98.0 %", "98.5 %", "99.0 %"]),
        (_axis(-0.03, 2.1, "count"), ["0", "1", "2"]),
        (_axis(-4, 12_345, "count"), ["0", "5,000", "10,000"]),
        (_axis(1e-6, 10, scale="log"), ["1e-06", "0.0001", "0.01", "1"]),
        (_axis(0.15, 0.9, scale="log"), ["0.2", "0.5"]),
        (_axis(0.27, 0.34, scale="log"), ["0.28", "0.30", "0.32", "0.34"]),
        (_axis(3.0, 3.0), ["3"]),
    ],
)
def test_the_numbers_at_an_axis_are_round(axis: dict[str, Any], marked: list[str]) -> None:
    marks = charts.Scale.of(axis).marks()
    assert [told for _, told in marks] == marked
    assert all(-1e-6 <= part <= 1 + 1e-6 for part, _ in marks)


def test_shares_are_told_in_percent_and_counts_whole() -> None:
    lines = _shown(_curves(_line(0, [0, 1], [0.5, 0.75]), y=_axis(0.0, 1.0, "share")))
    assert lines[4].strip().startswith("100 % │")
    assert [line.split() for line in lines if "│" not in line and line.split()[:1] == ["0"]] == [["0", "50", "100"]]


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


@pytest.mark.parametrize("width", [80, 40])
def test_intervals_lose_no_digit_and_no_name_where_there_is_little_room(width: int) -> None:
    names = [f"resnet-like mlp, width 256, dropout 0.1, {end}, warm-up" for end in ("adam", "sgd")]
    rows = [{"label": "x", "shown": name, "n": 5, "mean": 0.4777, "ci_low": 0.1, "ci_high": 0.2} for name in names]
    data = {"plot": "comparison", "title": "", "caption": "", "rows": rows, "x": _axis(0, 1, "share")}
    lines = _shown(data, width)
    words = " ".join(" ".join(lines).split())
    assert words.count("47.77 % (10.00 % to 20.00 %)") == 2
    assert {"adam,", "sgd,"} <= set(words.split())
    assert max(map(len, lines)) <= width


def test_differences_have_the_numbers_of_the_picture() -> None:
    row = {"label": "a", "n": 3, "mean": -0.25, "ci_low": -0.5, "ci_high": 0.0, "p_adjusted": 1e-4}
    data = {"plot": "forest", "title": "", "caption": "", "digits": 2, "reference": "b", "x": _axis(-1, 0)}
    lines = _shown(data | {"rows": [row | {"decision": "worse"}]}, 100)
    assert "less b: numbers" in lines
    assert any("−0.25 (−0.50 to +0.00), p < 0.001: worse" in line for line in lines)


def test_whole_numbers_stand_below_their_places() -> None:
    lines = _shown(_curves(_line(0, [1, 2], [1.0, 2.0]), x=_axis(0.98, 2.02, "count")))
    assert [line.split() for line in lines if "│" not in line and line.split()[:1] == ["1"]] == [["1", "2"]]


def test_a_diverged_run_is_named_by_its_arm_and_seed_and_cells_of_a_grid_by_what_differs() -> None:
    data = _curves(_line(0, [0, 1], [1.0, 2.0]), _line(0, [0, 1], [1.0, 9.0], "diverged") | {"seed": 3})
    arms = [{"label": "initializer=zeros, batch_size=5", "shown": "zeros", "note": "1 diverged of 3"}]
    lines = _shown(data | {"arms": arms})
    assert [line.strip() for line in lines[-3:-1]] == ["a  zeros (1 diverged of 3)", "b  zeros: seed 3, diverged"]


def test_what_has_neither_is_to_be_saved() -> None:
    with pytest.raises(ClientError, match=r"save it with -o new\.png"):
        charts.chart({"plot": "new", "title": "", "caption": "", "rows": [{"unheard": []}]}, 80)


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


def test_a_report_loses_nothing_where_there_are_few_columns() -> None:
    heads = ["arm", "runs that ended", "mean", "95 % interval", "standard deviation"]
    cells = ["mlp, width 256", "5", "47.77 %", "12.34 % to 99.9 %", "1.2 %"]
    table = "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * 5, cells))
    for width in (80, 40):
        file = io.StringIO()
        Console(width=width, file=file).print(Report(table))
        assert {word for cell in heads[1:] + cells for word in cell.split()} <= set(
            file.getvalue().replace(":", "").split()
        )
        assert "…" not in file.getvalue()


def test_columns_are_those_of_the_environment_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == PLAIN_WIDTH
    monkeypatch.setenv("COLUMNS", "50")
    assert console().width == 50
