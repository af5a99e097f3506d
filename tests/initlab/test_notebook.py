"""What a notebook shows of a client's answers, and what they still are for programs."""

import importlib
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from initlab import Client, Experiment, Picture, Report, Series

PNG = b"\x89PNG\r\n"
LABEL = "<td><bdi>[red]&lt;b&gt;</bdi></td>"
POINTS: list[dict[str, Any]] = [
    {"run_id": 1, "arm": "<b>", "seed": 0, "metric": "lr", "unit": "step", "steps": [0, 1], "values": [0.1, 0.2]},
    {
        "run_id": 1,
        "arm": "<b>",
        "seed": 0,
        "metric": "train_loss",
        "unit": "step",
        "steps": [0, 1],
        "values": [2, None],
    },
    {"run_id": 2, "arm": "b", "seed": 1, "metric": "lr", "unit": "step", "steps": [0], "values": [None]},
]


def _found(server: Any, *answers: Any) -> Experiment:
    for answer in answers:
        server.answer(200, answer)
    return Client(patience=0).experiment(7)


def test_an_experiment_shows_its_verdict_a_picture_and_its_page(
    server: Any, experiment: dict[str, Any], report: dict[str, Any]
) -> None:
    report["verdict"]["headline"] = "<i>Decided</i>"
    shown = _found(server, experiment | {"name": "<script>", "tags": ["<u>"]}, report, PNG)._repr_html_()
    assert f'<a href="{server.url}/#/experiments/7"' in shown
    assert "<b><bdi>&lt;script&gt;</bdi></b>" in shown  # a name turns nothing around it
    assert "<p><b>&lt;i&gt;Decided&lt;/i&gt;</b></p><p>[red]&lt;b&gt; is best.</p>" in shown
    assert f"<td>1</td>{LABEL}<td>3</td><td>90.00 %</td><td>89.00 % to 91.00 %</td><td>2</td>" in shown
    assert shown.index(LABEL) < shown.index("<td><bdi>zeros</bdi></td>")
    assert "<li>2 runs of [red]&lt;b&gt; diverged.</li>" in shown
    assert 'src="data:image/png;base64,iVBORw0K"' in shown
    assert not re.search("<script|<i>|<u>", shown)
    assert server.asked[-1].path == "/experiments/7/plots/comparison.png"


def test_one_that_has_not_ended_shows_how_far_each_arm_is(server: Any, experiment: dict[str, Any]) -> None:
    experiment["progress"]["eta_seconds"] = 61.2
    shown = _found(server, experiment | {"status": "running"})._repr_html_()
    assert f'<tr>{LABEL}<td><progress value="90" max="100"></progress></td><td>90 / 100</td>' in shown
    assert "10 of 10 runs, about 61 s left" in shown
    assert len(server.asked) == 1


def test_what_is_known_is_shown_where_the_server_has_gone(server: Any, experiment: dict[str, Any]) -> None:
    found = _found(server, experiment)
    server.answers[:] = [(503, {}, b"{}")]
    assert LABEL in found._repr_html_()


def test_a_picture_is_its_bytes_and_shows_itself(server: Any, experiment: dict[str, Any], tmp_path: Path) -> None:
    found = _found(server, experiment, PNG, "<svg>é</svg>".encode(), b"{}")
    png, svg, data = found.plot("loss"), found.plot("loss", "svg"), found.plot("loss", "json")
    assert (png, svg, data) == (PNG, "<svg>é</svg>".encode(), b"{}")
    assert (png._repr_png_(), png._repr_svg_()) == (PNG, None)
    assert (svg._repr_png_(), svg._repr_svg_()) == (None, "<svg>é</svg>")
    assert (data._repr_png_(), data._repr_svg_()) == (None, None)
    assert repr(png) == "<Picture loss.png, 6 bytes>"
    assert png.save(tmp_path / "a.png").read_bytes() == PNG
    assert isinstance(png, Picture)


def test_a_report_is_a_dict_and_shows_itself(server: Any, experiment: dict[str, Any], report: dict[str, Any]) -> None:
    found = _found(server, experiment, report).report()
    assert isinstance(found, Report)
    assert found == report
    assert found.verdict == "[red]<b> is best."
    assert LABEL in found._repr_html_()


@pytest.fixture
def series(server: Any, experiment: dict[str, Any]) -> Series:
    return _found(server, experiment, {"series": POINTS}).metrics()


def test_series_are_a_list_and_a_long_table(series: Series) -> None:
    assert series == POINTS
    frame = series.to_pandas()
    assert list(frame) == ["run_id", "arm", "seed", "metric", "unit", "step", "value"]
    assert frame["value"].tolist()[:3] == [0.1, 0.2, 2.0]
    assert frame["value"].isna().tolist() == [False, False, False, True, True]
    assert (frame["value"].dtype, frame["step"].dtype) == ("float64", "int64")
    assert frame.loc[4, "arm"] == "b"
    table = series.to_arrow()
    assert table.schema.field("value").type == pa.float64()
    assert table.column("value").to_pylist() == [0.1, 0.2, 2.0, None, None]
    pd.testing.assert_frame_equal(table.to_pandas(), frame, check_dtype=False)


def test_a_wide_table_has_a_column_a_metric(series: Series) -> None:
    frame = series.to_pandas(wide=True)
    assert list(frame) == ["run_id", "arm", "seed", "unit", "step", "lr", "train_loss"]
    assert frame["lr"].tolist()[:2] == [0.1, 0.2]
    assert frame["train_loss"].isna().tolist() == [False, True, True]
    assert series.to_arrow(wide=True).column("train_loss").to_pylist() == [2.0, None, None]


def test_an_empty_table_has_the_same_columns_and_types(series: Series) -> None:
    empty = Series()
    assert list(empty.to_pandas()) == list(empty.to_arrow().column_names)
    assert dict(empty.to_pandas().dtypes) == dict(series.to_pandas().dtypes)
    assert empty.to_arrow().schema.field("step").type == pa.int64()


def test_a_library_that_is_not_there_is_named(series: Series, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match="this needs polars: pip install polars"):
        series.to_polars()


def test_polars_gets_floats_where_all_is_missing(series: Series, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"Float64": "f64", "Int64": "i64", "String": "str"}
    made = SimpleNamespace(**known, DataFrame=lambda columns, schema_overrides: (columns, schema_overrides))
    monkeypatch.setitem(sys.modules, "polars", made)
    columns, types = series.to_polars()
    assert columns == series.columns()
    assert types == dict.fromkeys(("run_id", "seed", "step"), "i64") | dict.fromkeys(
        ("arm", "metric", "unit"), "str"
    ) | {"value": "f64"}
    assert [series.to_polars(wide=True)[1][name] for name in ("lr", "train_loss")] == ["f64", "f64"]


def test_a_notebook_shows_a_row_a_series(series: Series) -> None:
    shown = series._repr_html_()
    assert "<td>1</td><td><bdi>&lt;b&gt;</bdi></td><td>0</td><td>lr</td><td>step</td><td>2</td><td>0.2</td>" in shown
    assert "and 40 more series" in Series(POINTS * 20)._repr_html_()


def test_waiting_in_a_notebook_shows_progress_in_one_place(
    server: Any, experiment: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    handle = SimpleNamespace(update=shown.append)
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    display = SimpleNamespace(HTML=str, display=lambda *_, **__: handle)
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    running = experiment | {"status": "running"}
    found = _found(server, running, running, experiment)
    found.wait()
    assert len(shown) == 2
    assert all(LABEL in one for one in shown)
    assert importlib.import_module("IPython.display") is display
    server.answers[:] = []
    _found(server, running, experiment).wait(progress=False)
    assert len(shown) == 2


def test_waiting_in_a_terminal_shows_bars_and_elsewhere_nothing(
    server: Any, experiment: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _found(server, experiment)
    found.wait()
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    found.wait()
    said = capsys.readouterr()
    assert said.out == ""
    assert "[red]<b>" in said.err
