"""A folder in place of a server, and what `initlab sync` makes of it."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import initlab
from initlab import ClientError, OfflineClient, Unreachable
from initlab.tracking.journal import FRAME
from initlab.tracking.offline import OfflineExperiment
from tests.initlab.tracking.stand_in import StandIn

RunCli = Callable[..., tuple[int, str, str]]


def logged(folder: Path, name: str = "far away") -> OfflineExperiment:
    """Log two arms on two seeds without a server: one run diverges, one was interrupted."""
    experiment = OfflineClient(folder).external(["he", "xavier"], 2, {"accuracy": "max"}, name=name)
    for run in experiment.wanted():
        with run:
            run.log(0, accuracy=0.5)
            run.log(10, accuracy=math.nan if (run.arm, run.seed) == ("he", 1) else 0.75)
            if (run.arm, run.seed) == ("xavier", 1):
                run.leave()
    return experiment


def test_what_was_logged_without_a_server_is_sent_once(stand_in: StandIn, tmp_path: Path, run_cli: RunCli) -> None:
    experiment = logged(tmp_path / "results")
    assert stand_in.calls == []
    code, out, err = run_cli("sync", str(tmp_path / "results"))
    assert (code, err) == (0, "")
    assert out == "experiment 1 'far away': 8 points sent, 3 runs ended; 1 without an end: still logged, or killed\n"
    assert [(run.arm, run.seed, run.series, run.end) for run in stand_in.runs] == [
        ("he", 0, {"accuracy": [(0, 0.5), (10, 0.75)]}, {"outcome": "completed"}),
        ("xavier", 0, {"accuracy": [(0, 0.5), (10, 0.75)]}, {"outcome": "completed"}),
        ("he", 1, {"accuracy": [(0, 0.5), (10, "NaN")]}, {"outcome": "diverged"}),
        ("xavier", 1, {"accuracy": [(0, 0.5), (10, 0.75)]}, None),
    ]
    with experiment.run("xavier", 1) as run:
        assert run.next_step == 11
        run.log(11, accuracy=1.0)
    stand_in.calls.clear()
    code, out, _ = run_cli("sync", str(tmp_path / "results"), "--json")
    assert json.loads(out)[0] | {"folder": ""} == {
        "folder": "", "experiment": 1, "name": "far away", "points": 1, "ended": 4, "open": 0, "refused": [],
        "skipped": 0,
    }  # fmt: skip
    assert [call for call in stand_in.calls if call.startswith("POST")] == [
        "POST /runs/4/points",
        "POST /runs/4/finish",
    ]
    assert len(stand_in.experiments) == 1


def test_programs_at_the_same_time_share_an_experiment(tmp_path: Path) -> None:
    first = logged(tmp_path)
    again = OfflineClient(tmp_path).external(["he", "xavier"], 2, {"accuracy": "max"}, name="far away")
    assert again.folder == first.folder
    assert [(run.arm, run.seed, run.next_step) for run in again.wanted()] == [("xavier", 1, 11)]
    with pytest.raises(ClientError, match="arm 'he', seed 0 has ended"):
        first.run("he", 0)
    with pytest.raises(ClientError, match="no seed 2"):
        first.run("he", 2)
    assert OfflineClient(tmp_path).external(["he", "xavier"], 3, {"accuracy": "max"}).folder != first.folder
    assert logged(tmp_path, name="a/../b").folder.parent == tmp_path


def test_of_adaptive_seeds_those_of_the_first_look_are_trained(tmp_path: Path) -> None:
    experiment = OfflineClient(tmp_path).external(["he"], {"from": 2, "to": 9}, {"accuracy": "max"})
    assert [run.seed for run in experiment.wanted()] == [0, 1]


def test_what_needs_a_server_says_so(tmp_path: Path) -> None:
    experiment = logged(tmp_path)
    with pytest.raises(Unreachable, match=f"initlab sync {tmp_path}"):
        experiment.report()
    with pytest.raises(Unreachable, match="initlab sync"):
        list(experiment.events())
    assert repr(experiment) == f"<OfflineExperiment 'far away' in {experiment.folder}>"


def test_the_same_script_runs_with_and_without_a_server(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @initlab.compare({"he": {"gain": 2}, "xavier": {"gain": 1}}, seeds=2, metrics={"accuracy": "max"}, margin=0.1)
    def train(seed: int, gain: int, width: int = 3) -> float:
        return seed + gain / width

    monkeypatch.setenv("INITLAB_OFFLINE", str(tmp_path))
    assert isinstance(train(), OfflineExperiment)
    initlab.sync(tmp_path)
    monkeypatch.delenv("INITLAB_OFFLINE")
    assert train().id == 2
    halves = [
        [(run.arm, run.seed, run.series, run.end) for run in stand_in.runs if run.experiment == i] for i in (1, 2)
    ]
    assert halves[0] == halves[1]
    assert halves[0][0] == ("he", 0, {"accuracy": [(0, 2 / 3)]}, {"outcome": "completed"})
    assert stand_in.experiments[1] == stand_in.experiments[2]
    assert (stand_in.experiments[1]["name"], stand_in.experiments[1]["margin"]) == ("train", 0.1)


def test_what_a_killed_program_left_is_sent_by_the_next_or_by_sync(
    stand_in: StandIn, run_cli: RunCli, journal_folder: Path
) -> None:
    experiment = initlab.external(["he"], 2, {"accuracy": "max"})
    experiment.run("he", 1).leave()
    stand_in.away = True
    run = experiment.run("he", 0)
    run.log(0, accuracy=0.5)
    with pytest.warns(RuntimeWarning, match="wait in"):
        run.leave()
    stand_in.away = False
    assert (
        run_cli("sync")[1]
        == "experiment 1 '': 1 points sent, 0 runs ended; 2 without an end: still logged, or killed\n"
    )
    assert stand_in.runs[0].series == {"accuracy": [(0, 0.5)]}


def test_it_is_sent_to_the_server_that_it_belongs_to(
    stand_in: StandIn, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged(tmp_path)
    initlab.sync(tmp_path)
    monkeypatch.setattr(StandIn, "_experiment", lambda _, number: {"id": number, "created_at": "later", "spec": {}})
    code, _, err = run_cli("sync", str(tmp_path))
    assert (code, err) == (1, "experiment 1 is another one now\n")
    monkeypatch.setenv("INITLAB_URL", stand_in.url.replace("127.0.0.1", "localhost"))
    code, _, err = run_cli("sync", str(tmp_path))
    assert (code, err) == (1, f"it belongs to {stand_in.url}: set INITLAB_URL to that\n")
    assert run_cli("sync") == (0, "there is nothing to send\n", "")
    assert run_cli("sync", str(tmp_path / "nothing"))[2] == f"there is no experiment in {tmp_path / 'nothing'}\n"


def test_a_server_that_is_away_is_said(stand_in: StandIn, tmp_path: Path, run_cli: RunCli) -> None:
    logged(tmp_path)
    stand_in.away = True
    assert run_cli("sync", str(tmp_path))[0] == 3
    stand_in.away = False
    stand_in.lost_answers = 3
    initlab.sync(tmp_path)
    assert [len(run.series["accuracy"]) for run in stand_in.runs] == [2, 2, 2, 2]


def harmed(path: Path, *frames: int) -> None:
    """Turn a bit in each of these frames of a journal."""
    data = bytearray(path.read_bytes())
    for at in frames:
        data[at * FRAME.size + 9] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("ended", [True, False])
def test_of_a_run_whose_file_is_damaged_nothing_is_made_up(
    stand_in: StandIn, tmp_path: Path, run_cli: RunCli, ended: bool
) -> None:
    experiment = OfflineClient(tmp_path).external(["he", "xavier"], 1, {"accuracy": "max"})
    for run in experiment.wanted():
        for step in range(1000):
            run.log(step, accuracy=step / 1000)
        if ended:
            run.finish()
        else:
            run.leave()
    points = experiment.folder / "0-0" / "points"
    harmed(points, 300, 301)
    whole = points.read_bytes()
    for _ in range(2):
        code, out, err = run_cli("sync", str(tmp_path))
        assert code == 1
        assert f"points is damaged at byte {300 * 24}: 2 points cannot be read" in err
        assert "to send the 698 behind them and the run's end too: initlab sync FOLDER --skip-damaged" in err
        assert [len(run.series["accuracy"]) for run in stand_in.runs] == [300, 1000]
        assert [run.end is not None for run in stand_in.runs] == [False, ended]
        assert points.read_bytes() == whole
    code, out, err = run_cli("sync", str(tmp_path), "--skip-damaged")
    assert (code, err) == (0, "")
    assert "698 points sent" in out
    assert "2 damaged points left out" in out
    steps = [step for step, _ in stand_in.runs[0].series["accuracy"]]
    assert steps == [*range(300), *range(302, 1000)]
    assert [run.end is not None for run in stand_in.runs] == [ended, ended]


@pytest.mark.parametrize("name", ["head.json", "end.json", "sent.json"])
def test_a_small_file_that_is_damaged_stops_no_other_run(
    stand_in: StandIn, tmp_path: Path, run_cli: RunCli, name: str
) -> None:
    experiment = logged(tmp_path)
    (experiment.folder / "0-0" / name).write_text("{")
    code, _, err = run_cli("sync", str(tmp_path))
    assert (code, "0-0/" in err) == ((0, False) if name == "sent.json" else (1, True))
    sent = [len(run.series.get("accuracy", ())) for run in stand_in.runs]
    assert sent[1:] == [2, 2, 2]
    assert (stand_in.runs[0].end is not None) is (name == "sent.json")


def test_two_processes_that_send_a_folder_at_once_double_nothing(stand_in: StandIn, tmp_path: Path) -> None:
    experiment = OfflineClient(tmp_path).external(["he"], 2, {"accuracy": "max"})
    for run in experiment.wanted():
        with run:
            for step in range(20_000):  # several posts
                run.log(step, accuracy=float(step))
    words = [sys.executable, "-m", "initlab", "sync", str(tmp_path)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    for process in both:
        said, _ = process.communicate(timeout=120)
        assert (process.returncode, "2 runs ended" in said) == (0, True), said
    assert len(stand_in.experiments) == 1
    for stored in stand_in.runs:
        assert stored.series == {"accuracy": [(step, float(step)) for step in range(20_000)]}
        assert stored.end == {"outcome": "completed"}
