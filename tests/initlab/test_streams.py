"""Output to what is no terminal of today: other encodings, and readers that end."""

import os
import subprocess
import sys
from typing import Any

import pytest

LABEL = "größe ≤ 5 שלום"


def command(*words: str, **settings: str) -> subprocess.Popen[bytes]:
    """Start the command line as a shell does, with an environment of its own."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONUTF8", "LC_ALL", "LANG")}
    return subprocess.Popen(
        [sys.executable, "-m", "initlab", *words],
        env=environment | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(*words: str, **settings: str) -> tuple[int, bytes, bytes]:
    process = command(*words, **settings)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "gro?e < 5 ????"),
        ({"PYTHONIOENCODING": "latin-1"}, "größe < 5 ????"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "gro?e < 5 ????"),
        ({"PYTHONIOENCODING": "utf-8"}, LABEL),
    ],
    ids=["ascii", "latin-1", "locale C", "utf-8"],
)
def test_any_encoding_is_written_and_the_exit_code_is_the_experiment_s(
    server: Any, experiment: dict[str, Any], report: dict[str, Any], settings: dict[str, str], told: str
) -> None:
    for arm in experiment["arms"]:
        arm["diverged"] = arm["runs_done"]
    report["arms"][1]["label"] = LABEL
    report["verdict"] |= {
        "headline": f"Decided: {LABEL}.",
        "text": f"{LABEL} is best – by far.",
        "order": [LABEL, "zeros"],
    }
    for answer in (experiment, experiment, report):
        server.answer(200, answer)
    code, out, err = ended("watch", "7", **settings)
    encoding = settings.get("PYTHONIOENCODING", "ascii")
    assert (code, err.decode(encoding)) == (
        4,
        "experiment 7 succeeded: 190/200 steps, 10/10 runs\nall runs of experiment 7 diverged\n",
    )
    assert f"Decided: {told}." in out.decode(encoding)


def test_a_chart_keeps_its_shape_and_a_page_its_letters(server: Any, experiment: dict[str, Any]) -> None:
    axis = {"label": "loss – mean", "scale": "linear", "kind": "number", "limits": [0, 1]}
    line = {"arm": 0, "role": "mean", "x": [0, 1], "y": [0, 1]}
    panel = {"title": LABEL, "x": axis, "y": axis, "lines": [line]}
    data = {
        "plot": "loss",
        "title": LABEL,
        "caption": "µ.",
        "arms": [{"label": LABEL, "note": None}],
        "panels": [panel],
    }
    server.answer(200, experiment)
    server.answer(200, data)
    code, out, err = ended("plot", "7", "loss", PYTHONIOENCODING="ascii")
    assert (code, err) == (0, b"")
    assert out.decode("ascii").count("....") > 3
    server.answers.clear()
    server.answer(200, experiment)
    server.answer(200, f"<p>{LABEL}".encode())
    code, out, _ = ended("report", "7", "--format", "html", PYTHONIOENCODING="latin-1")
    assert (code, out.decode("ascii")) == (0, "<p>gr&#246;&#223;e &#8804; 5 &#1513;&#1500;&#1493;&#1501;")


@pytest.mark.parametrize("words", [["metrics", "7"], ["history", "7"]], ids=["rows", "a table"])
def test_a_reader_that_ends_is_no_failed_experiment(server: Any, experiment: dict[str, Any], words: list[str]) -> None:
    many = list(range(100_000))
    key = {"run_id": 1, "arm": "zeros", "seed": 0, "metric": "train_loss", "unit": "update", "final": True}
    events = [{"at": f"{i}", "kind": "queued", "detail": {}, "cohort": 1, "attempt": 0} for i in range(3_000)]
    server.answer(200, experiment)
    if words[0] == "metrics":
        server.answer(200, {"series": [key | {"steps": many, "values": many}], "items": [], "next": None})
    else:
        server.answer(200, {"items": events, "next": None})
    process = command(*words)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), err) == (141, b"")
