"""The command line's results: series and reports, as they come."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from initlab import notebook

RunCli = Callable[..., tuple[int, str, str]]


def test_a_report_is_printed_as_it_is(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    text = "# Report\n\n| " + "a" * 300 + " | [b] |\n"
    server.answer(200, experiment)
    server.answer(200, text.encode(), Content_Type="text/markdown; charset=utf-8")
    assert run_cli("report", "7", "--format", "md")[:2] == (0, text)
    server.answers.clear()
    server.answer(200, experiment)
    server.answer(200, b"<!doctype html>\n<p>&lt;b&gt; [b]</p>\n", Content_Type="text/html; charset=utf-8")
    by = ("--metric", "loss_area", "--margin", "0.01", "--alpha", "0.1")
    printed = run_cli("report", "7", "--format", "html", *by)
    assert printed[:2] == (0, "<!doctype html>\n<p>&lt;b&gt; [b]</p>\n")
    assert server.asked[-1].path == "/experiments/7/report?metric=loss_area&margin=0.01&alpha=0.1"


@pytest.mark.parametrize("terminal", [False, True], ids=["file", "terminal"])
def test_a_report_to_read_has_no_escapes_of_markdown(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    text = "# weights &lt;b&gt;\n\n| arm | N |\n| --- | ---: |\n| U\\[0, 1) \\| wide \\*\\* | 3 |\n\n- \\[red\\] :x:\n"
    server.answer(200, experiment)
    server.answer(200, text.encode(), Content_Type="text/markdown; charset=utf-8")
    code, out, err = run_cli("report", "7")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert (code, err) == (0, "")
    for told in ("weights <b>", "U[0, 1) | wide ** ", "• [red] :x:"):
        assert told in shown
    assert "\\" not in shown
    assert "&" not in shown


def test_a_report_is_saved_in_one_file(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    server.answer(200, experiment)
    server.answer(200, "<p>全零".encode(), Content_Type="text/html; charset=utf-8")
    assert run_cli("report", "7", "-o", str(tmp_path / "x.html"))[0] == 0
    assert (tmp_path / "x.html").read_text(encoding="utf-8") == "<p>全零"
    assert server.asked[-1].path == "/experiments/7/report?pictures=inline"
    server.answer(200, experiment)
    assert run_cli("report", "7", "-o", str(tmp_path / "x.pdf"))[0] != 0


def test_metrics_are_csv(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    one = {
        "run_id": 3,
        "arm": 'a,"b"',
        "seed": 1,
        "metric": "train_loss",
        "unit": "step",
        "steps": [0, 1],
        "values": [2.5, None],
    }
    server.answer(200, experiment)
    server.answer(200, {"series": [one]})
    code, out, _ = run_cli("metrics", "7", "--metric", "train_loss", "--metric", "lr")
    assert code == 0
    assert list(csv.reader(io.StringIO(out))) == [
        ["run_id", "arm", "seed", "metric", "unit", "step", "value"],
        ["3", 'a,"b"', "1", "train_loss", "step", "0", "2.5"],
        ["3", 'a,"b"', "1", "train_loss", "step", "1", ""],
    ]
    assert server.asked[1].path.endswith("metrics?metric=train_loss&metric=lr")


def test_all_pictures_are_saved_in_one_file(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    server.answer(200, experiment)
    server.answer(200, b"PK")
    path = tmp_path / "all.zip"
    assert run_cli("plot", "7", "-o", str(path), "--theme", "dark") == (0, f"{path}\n", "")
    assert path.read_bytes() == b"PK"
    assert server.asked[-1].path == "/experiments/7/plots.zip?theme=dark"
    code, _, err = run_cli("plot", "7", "loss", "-o", str(path))
    assert (code, "leave out the name" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [("list", " 3/10, 7 cancelled "), ("show 7", " 0/5, 5 cancelled "), ("watch 7", "steps, 3/10 runs, 7 cancelled")],
)
def test_what_was_cancelled_is_not_shown_as_done(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, words: str, told: str
) -> None:
    experiment["progress"]["runs_cancelled"] = 7
    for arm, cancelled in zip(experiment["arms"], (5, 2), strict=True):
        arm["cancelled"] = cancelled
    one = experiment | {"status": "cancelled"}
    server.answer(200, {"items": [one], "next": None} if words == "list" else one)
    assert told in "".join(run_cli(*words.split())[1:])
    assert "3 / 10" not in (shown := notebook.progress(one))
    assert "0 / 5, 5 cancelled" in shown
    assert "3 of 10 runs, 7 cancelled" in shown
