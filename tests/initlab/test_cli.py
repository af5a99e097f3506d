"""The command line against canned answers: what it prints, and its exit codes."""

import io
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from initlab import display

RunCli = Callable[..., tuple[int, str, str]]


def test_submit_says_how_to_follow(server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("seeds: 2")
    server.answer(202, experiment | {"status": "queued"})
    code, out, err = run_cli("submit", str(tmp_path / "spec.yaml"))
    assert (code, err) == (0, "")
    assert out == "experiment 7 is queued. Follow it with: initlab watch 7\n"


def test_submit_reads_standard_input(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"seeds": 3}'))
    server.answer(202, experiment)
    assert run_cli("submit", "-")[0] == 0
    assert server.asked[0].body == {"seeds": 3}


def test_a_preview_shows_arms_cohorts_and_what_they_take(
    server: Any, preview: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text("seeds: 10")
    server.answer(200, preview)
    code, out, err = run_cli("submit", str(tmp_path / "spec.yaml"), "--preview")
    assert (code, err) == (0, "")
    assert [(asked.path, asked.body) for asked in server.asked] == [("/experiments/preview", {"seeds": 10})]
    rows = [" ".join(line.split()) for line in out.splitlines() if line.strip(" ─")]
    assert rows == [
        "weights: 20 runs, 30,000 steps",
        "arm runs steps parameters",
        "zeros 10 1,500 1,210",
        "[red]<b> 10 1,500 1,210",
        "cohorts of runs threads layout steps each memory such as",
        "2 10 1 loop 1,500 42 s 2.5 MB zeros, [red]<b> / seed 0, 1, 2, ... (5)",
        "about 42 s and 5.0 MB on cpu, 2 processes at a time (as measured there)",
    ]


def test_a_preview_says_where_bits_depend_on_company(
    server: Any, preview: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text("seeds: 10")
    cohorts = [{**preview["plan"]["cohorts"][0], "layout": "vmap", "independent": False}]
    server.answer(200, preview | {"plan": {**preview["plan"], "cohorts": cohorts}})
    _, out, _ = run_cli("submit", str(tmp_path / "spec.yaml"), "--preview")
    assert "depend on who trains together in 1 of them" in " ".join(out.split())
    assert '"layout": "loop"' in " ".join(out.split())


def test_what_is_probably_not_meant_is_told(
    server: Any, preview: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text("seeds: 10")
    warning = {"path": "schedule.end_lr", "message": "is 0.5, above the lr"}
    note = {"path": "dataset.columns.day", "message": "its dates are days"}
    server.answer(200, preview | {"warnings": [warning], "notes": [note]})
    out = run_cli("submit", str(tmp_path / "spec.yaml"), "--preview")[1]
    assert out.splitlines()[-2:] == [
        "Note: schedule.end_lr: is 0.5, above the lr",
        "Note: dataset.columns.day: its dates are days",
    ]


def test_a_preview_says_that_it_guesses(server: Any, preview: dict[str, Any], run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("seeds: 10")
    server.answer(200, preview | {"plan": preview["plan"] | {"numbers": "guess", "processes": 1}})
    out = run_cli("submit", str(tmp_path / "spec.yaml"), "--preview")[1]
    assert out.endswith("on cpu, 1 process at a time (a guess: no machine was measured yet)\n")
    assert json.loads(run_cli("submit", str(tmp_path / "spec.yaml"), "--preview", "--json")[1])["name"] == "weights"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0421, "0.042 s"), (9.91, "9.9 s"), (61, "61 s"), (721, "12 min"), (12_600, "3.5 h"), (1e7, "2,777.8 h")],
)
def test_durations_are_said_as_people_do(seconds: float, words: str) -> None:
    assert display.duration(seconds) == words


def test_waiting_tells_progress_in_lines_and_ends_in_the_verdict(
    server: Any, experiment: dict[str, Any], report: dict[str, Any], run_cli: RunCli
) -> None:
    early = experiment["progress"] | {"steps_done": 20, "runs_done": 0, "eta_seconds": 61.2}
    running = experiment | {"status": "running", "progress": early}
    for answer in (running, running, running, experiment):
        server.answer(200, answer)
    server.answer(200, report)
    code, out, err = run_cli("watch", "7")
    assert code == 0
    assert err.splitlines() == [
        "experiment 7 running: 20/200 steps, 0/10 runs, 1 min 1 s left",
        "experiment 7 succeeded: 190/200 steps, 10/10 runs",
    ]
    rows = [line.split() for line in out.splitlines() if line.strip()]
    assert " ".join(rows[2]) == "1 [red]<b> 3 90.00 % 89.00 % to 91.00 % 1.00 % 2"
    assert " ".join(rows[3]) == "1-2 zeros 5 10.00 % – 0.00 % 0"
    assert out.splitlines()[-3:] == [
        "Decided: [red]<b>; open: nothing.",
        "[red]<b> is best.",
        "Note: 2 runs of [red]<b> diverged.",
    ]


def test_a_range_test_ends_in_its_rates(
    server: Any, experiment: dict[str, Any], report: dict[str, Any], run_cli: RunCli
) -> None:
    said = {"lr": 0.00123, "low": 0.001, "high": 0.004, "n": 5}
    rates = [
        {"label": "[red]<b>", "n": 5, "suggested": said, "tenth": 0.02, "diverged": said | {"lr": 1.5}},
        {"label": "flat", "n": 5, "suggested": None, "tenth": None, "diverged": None},
    ]
    server.answer(200, experiment)
    server.answer(200, experiment)
    server.answer(200, report | {"lr_range": rates})
    code, out, _ = run_cli("watch", "7")
    assert code == 0
    rows = [" ".join(line.split()) for line in out.splitlines() if line.strip()]
    assert rows[2:4] == ["[red]<b> 5 0.0012 0.001 to 0.004 0.02 1.5", "flat 5 – – – –"]
    assert rows[-2] == "[red]<b> is best."


def test_a_coordinate_check_ends_in_its_slopes(
    server: Any, experiment: dict[str, Any], report: dict[str, Any], run_cli: RunCli
) -> None:
    early = {"n": 5, "slope": 0.0, "ci_low": 0.0, "ci_high": 0.0}
    layers = [
        {
            "name": "fc1",
            "move": "still",
            "updates": [early, early | {"slope": 0.0123, "ci_low": -0.1, "ci_high": 0.124}],
        },
        {"name": "fc2", "move": "open", "updates": [{"n": 0, "slope": None, "ci_low": None, "ci_high": None}]},
    ]
    server.answer(200, experiment)
    server.answer(200, experiment)
    server.answer(200, report | {"coordinate_check": [{"label": "[red]<b>", "layers": layers}]})
    code, out, _ = run_cli("watch", "7")
    assert code == 0
    rows = [" ".join(line.split()) for line in out.splitlines() if line.strip()]
    assert rows[2:4] == ["[red]<b> fc1 5 0.0123 -0.1 to 0.124 still", "[red]<b> fc2 0 – – open"]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_experiment_that_did_not_succeed_ends_in_1(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, status: str
) -> None:
    server.answer(200, experiment | {"status": status, "errors": ["disk full"]})
    code, out, err = run_cli("watch", "7")
    assert (code, out) == (1, "")
    assert err.endswith(f"experiment 7 {status}\n  disk full\n")


@pytest.mark.parametrize(
    ("kind", "lost", "ends"),
    [("comparison", (5, 5), 4), ("comparison", (5, 4), 0), ("lr_range_test", (5, 5), 0)],
    ids=["every run", "every run of one arm", "a range test's"],
)
def test_an_experiment_of_which_every_run_diverged_ends_in_4(
    server: Any, experiment: dict[str, Any], report: dict[str, Any], run_cli: RunCli, kind: str, lost: Any, ends: int
) -> None:
    arms = [arm | {"diverged": diverged} for arm, diverged in zip(experiment["arms"], lost, strict=True)]
    for _ in range(2):
        server.answer(200, experiment | {"arms": arms, "spec": {"kind": kind}})
    server.answer(200, report)
    code, out, err = run_cli("watch", "7")
    assert code == ends
    assert "[red]<b> is best." in out
    assert ("all runs of experiment 7 diverged" in err) == (ends == 4)


def test_an_invalid_spec_ends_in_2_with_every_problem(server: Any, run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"arms": [{"initializer": "he_norml"}], "epochs": 0}')
    errors = [
        {
            "path": "arms[0].initializer",
            "message": "unknown initializer 'he_norml'",
            "known": ["he_normal", "he_uniform"],
        },
        {"path": "epochs", "message": "Input should be greater than or equal to 1", "known": []},
    ]
    server.answer(422, {"title": "Invalid request", "status": 422, "detail": "...", "errors": errors})
    code, out, err = run_cli("submit", str(tmp_path / "spec.json"), "--wait")
    assert (code, out) == (2, "")
    assert err.splitlines()[1:] == [
        "  arms[0].initializer: unknown initializer 'he_norml' (near: he_normal, he_uniform)",
        "  epochs: Input should be greater than or equal to 1",
    ]


@pytest.mark.parametrize(
    "words", [["submit", "none.json"], ["show", "0"], ["show", "x"], ["nothing"], ["plot", "7", "loss", "-o", "a.gif"]]
)
def test_a_wrong_call_ends_in_2(server: Any, experiment: dict[str, Any], run_cli: RunCli, words: list[str]) -> None:
    server.answer(200, experiment)
    code, out, err = run_cli(*words)
    assert (code, out) == (2, "")
    assert err
    assert "Traceback" not in err


def test_no_server_ends_in_3(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("INITLAB_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        code, out, err = run_cli("list")
    assert (code, out) == (3, "")
    assert "initlab serve" in err


def test_a_picture_is_saved_in_the_form_of_its_file(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    server.answer(200, experiment)
    server.answer(200, b"<svg/>")
    code, out, _ = run_cli("plot", "7", "loss", "-o", str(tmp_path / "a.svg"))
    assert (code, out) == (0, f"{tmp_path / 'a.svg'}\n")
    assert (tmp_path / "a.svg").read_bytes() == b"<svg/>"
    assert server.asked[1].path == "/experiments/7/plots/loss.svg"


def test_a_picture_s_options_reach_the_server(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    server.answer(200, experiment)
    server.answer(200, b"\x89PNG")
    size = ["--width", "800", "--height", "600", "--dpi", "200", "--theme", "dark"]
    what = ["--arm", "a b", "--arm", "c", "--linear", "--first", "all"]
    assert run_cli("plot", "7", "loss", "-o", str(tmp_path / "a.png"), *size, *what)[0] == 0
    query = "width=800&height=600&dpi=200&theme=dark&arm=a%20b&arm=c&log=false&first=all"
    assert server.asked[1].path.replace("+", "%20") == f"/experiments/7/plots/loss.png?{query}"


def test_lists_and_details_show_labels_as_text(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    server.answer(200, {"items": [experiment], "next": None})
    assert "weights" in run_cli("list")[1]
    server.answers.clear()
    server.answer(200, experiment)
    assert "[red]<b>" in run_cli("show", "7")[1]


@pytest.mark.parametrize(("words", "answer"), [(["show", "7"], "one"), (["list"], "page")])
def test_json_is_the_servers_own(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, words: list[str], answer: str
) -> None:
    server.answer(200, experiment if answer == "one" else {"items": [experiment], "next": None})
    printed = json.loads(run_cli(*words, "--json")[1])
    assert printed == (experiment if answer == "one" else [experiment])


def test_cancel_and_delete(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    server.answer(200, experiment | {"status": "cancelled"})
    assert run_cli("cancel", "7")[:2] == (0, "experiment 7 is cancelled\n")
    server.answers.clear()
    server.answer(200, experiment | {"status": "running"})
    server.answer(409, {"title": "Conflict", "detail": "it is running"})
    code, _, err = run_cli("delete", "7")
    assert (code, err) == (2, "Conflict (409): it is running\n")


def test_every_command_explains_itself(run_cli: RunCli) -> None:
    code, out, _ = run_cli("--help")
    assert code == 0
    commands = [
        line.split()[0] for line in out.split("Commands:\n")[1].splitlines() if line.startswith("  ") and line[2] != " "
    ]
    assert {"serve", "submit", "watch", "report", "db", "keys"} <= set(commands)
    for command in commands:
        assert run_cli(command, "--help")[0] == 0
