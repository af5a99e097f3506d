"""A run as the training that logs it sees it: what is kept, what it ends as, what it never does."""

import math
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

import initlab
from initlab import Client, ClientError, Experiment, Unreachable
from initlab.tracking import outbox, sender
from initlab.tracking.journal import CHUNK, FRAME
from tests.initlab.tracking.stand_in import StandIn

METRICS = {"accuracy": "max", "loss": {"direction": "min", "per": "step"}}


@pytest.fixture
def experiment(stand_in: StandIn) -> Experiment:
    return initlab.external({"he": {"gain": 2.0}, "xavier": {}}, 3, METRICS)  # type: ignore[arg-type]


def stored(stand_in: StandIn, arm: str, seed: int) -> tuple[dict[str, list[tuple[int, object]]], dict[str, object]]:
    found = next(run for run in stand_in.runs if (run.arm, run.seed) == (arm, seed))
    return found.series, found.end or {}


def test_what_is_logged_arrives_with_its_steps(stand_in: StandIn, experiment: Experiment) -> None:
    with experiment.run(arm="he", seed=2) as run:
        assert (run.arm, run.seed, run.config, run.next_step) == ("he", 2, {"gain": 2.0}, 0)
        for step in range(4):
            run.log(step, loss=1 / (step + 1))
        run.log(0, {"accuracy": 0.5})
        run.log(50, accuracy=0.75, loss=0.1)
        run.log(accuracy=0.8)
        assert run.next_step == 52
    series, end = stored(stand_in, "he", 2)
    assert series["loss"] == [(0, 1.0), (1, 0.5), (2, 1 / 3), (3, 0.25), (50, 0.1)]
    assert series["accuracy"] == [(0, 0.5), (50, 0.75), (51, 0.8)]
    assert end == {"outcome": "completed"}


def test_an_exception_fails_the_run_and_goes_on(stand_in: StandIn, experiment: Experiment) -> None:
    with pytest.raises(ZeroDivisionError), experiment.run("he", 0) as run:
        run.log(0, loss=1 / 0)
    assert stored(stand_in, "he", 0) == ({}, {"outcome": "failed", "error": "ZeroDivisionError: division by zero"})
    with pytest.raises(ClientError, match="has ended"):
        experiment.run("he", 0)


def test_a_loss_that_is_no_number_diverges(stand_in: StandIn, experiment: Experiment) -> None:
    with experiment.run("he", 0) as run:
        run.log(0, loss=2.0, accuracy=0.1)
        run.log(1, loss=-math.inf, accuracy=0.1)
        run.log(2, loss=math.nan, accuracy=0.1)
    series, end = stored(stand_in, "he", 0)
    assert series["loss"] == [(0, 2.0), (1, "-Infinity"), (2, "NaN")]
    assert end == {"outcome": "diverged"}
    with experiment.run("he", 1) as run:
        run.log(0, loss=math.inf)
        run.log(1, loss=1.0)  # it came back
    assert stored(stand_in, "he", 1)[1] == {"outcome": "completed"}
    with experiment.run("he", 2) as run:
        run.log(0, loss=math.nan)
        run.finish("completed")  # the user's word
    assert stored(stand_in, "he", 2)[1] == {"outcome": "completed"}


def test_an_interrupt_ends_nothing_and_the_run_goes_on(stand_in: StandIn, experiment: Experiment) -> None:
    with pytest.raises(KeyboardInterrupt), experiment.run("he", 0) as run:
        run.log(0, loss=2.0)
        raise KeyboardInterrupt
    assert stored(stand_in, "he", 0) == ({"loss": [(0, 2.0)]}, {})
    with Client().experiment(experiment.id).run("he", 0) as run:  # as a new program does
        assert run.next_step == 1
        run.log(1, loss=1.0)
    assert stored(stand_in, "he", 0) == ({"loss": [(0, 2.0), (1, 1.0)]}, {"outcome": "completed"})


def test_another_machine_goes_on_behind_what_the_server_has(
    stand_in: StandIn, experiment: Experiment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = experiment.run("he", 0)
    for step in (0, 10, 20):
        run.log(step, loss=step / 10)
    run.leave()
    monkeypatch.setenv("INITLAB_JOURNAL", str(tmp_path / "elsewhere"))
    with Client().experiment(experiment.id).run("he", 0) as run:
        assert run.next_step == 21
        run.log(30, loss=3.0, accuracy=1.0)
    assert stored(stand_in, "he", 0)[0] == {"loss": [(0, 0), (10, 1), (20, 2), (30, 3)], "accuracy": [(30, 1.0)]}


def test_a_step_keeps_its_first_value(stand_in: StandIn, experiment: Experiment) -> None:
    with experiment.run("he", 0) as run:
        run.log(5, loss=1.0)
        with pytest.warns(RuntimeWarning, match="loss has step 5 already"):
            run.log(5, loss=2.0, accuracy=0.5)
        run.log(4, loss=3.0)  # said once
        run.log(6, loss=0.5)
        assert run.repeated == 2
    assert stored(stand_in, "he", 0)[0] == {"loss": [(5, 1.0), (6, 0.5)], "accuracy": [(5, 0.5)]}


def test_wrong_calls_say_what_is_right(experiment: Experiment) -> None:
    with experiment.run("he", 0) as run:
        run.log(0, loss=1.0)
        with pytest.raises(ClientError, match="no metric 'los'; it has accuracy, loss"):
            run.log(1, loss=1.0, los=1.0)
        assert run.next_step == 1  # nothing of it was kept
        with pytest.raises(ClientError, match="a count from 0 on: -1"):
            run.log(-1, accuracy=1.0)
        with pytest.raises(ClientError, match="beyond 64 bits"):
            run.log(2**63, loss=1.0)
        with pytest.raises(TypeError):
            run.log(1.5, loss=1.0)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            run.log(1, loss=[1.0])
    with pytest.raises(ClientError, match="has ended"):
        run.log(2, loss=1.0)
    with pytest.raises(ClientError, match="no arm 'lecun'; it has he, xavier"):
        experiment.run("lecun", 0)
    with pytest.raises(ClientError, match="no seed 7"):
        experiment.run("he", 7)
    with pytest.raises(initlab.SpecError, match="a metric with its direction"):
        initlab.external(["he"], 3, {"lr": "none"})


def test_a_server_that_is_away_delays_nothing_and_gets_all_later(
    stand_in: StandIn, experiment: Experiment, journal_folder: Path
) -> None:
    experiment.run("xavier", 2).leave()  # the ids of the runs are known from then on
    stand_in.away = True
    began = time.perf_counter()
    run = experiment.run("he", 0)
    for step in range(1000):
        run.log(step, loss=float(step))
    with pytest.warns(RuntimeWarning, match="wait in .*Send them later with: initlab sync"):
        run.finish()
    with pytest.warns(RuntimeWarning, match="wait in"), experiment.run("he", 1) as run:
        run.log(0, loss=1.0)
    assert time.perf_counter() - began < 5
    assert stored(stand_in, "he", 0) == ({}, {})
    stand_in.away = False
    with experiment.run("xavier", 0) as run:  # the same program goes on, and its thread sends the others first
        run.log(0, loss=1.0)
    assert stored(stand_in, "he", 0) == ({"loss": [(i, i) for i in range(1000)]}, {"outcome": "completed"})
    assert stored(stand_in, "he", 1)[1] == {"outcome": "completed"}


def test_lost_answers_double_nothing(
    stand_in: StandIn, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "INTERVAL", 0.01)
    run = experiment.run("he", 0)
    for step in range(2000):
        if step % 500 == 0:
            stand_in.lost_answers = 2
        run.log(step, loss=step / 7)
    with run:
        pass
    while stored(stand_in, "he", 0)[1] != {"outcome": "completed"}:
        time.sleep(0.01)
    assert stored(stand_in, "he", 0)[0] == {"loss": [(i, i / 7) for i in range(2000)]}


def test_a_server_put_back_to_an_older_copy_gets_what_it_lost(stand_in: StandIn, experiment: Experiment) -> None:
    run = experiment.run("he", 0)
    run.log(0, loss=0.0)
    run.log(1, loss=1.0)
    run.leave()
    run = experiment.run("he", 0)
    stand_in.runs[0].series["loss"].pop()
    with run:
        run.log(2, loss=2.0)
    assert stored(stand_in, "he", 0) == ({"loss": [(0, 0.0), (1, 1.0), (2, 2.0)]}, {"outcome": "completed"})


def test_what_the_server_refuses_is_told_and_kept(
    stand_in: StandIn, experiment: Experiment, journal_folder: Path
) -> None:
    run = experiment.run("he", 0)
    stand_in.runs[0].series["loss"] = [(0, 9.0)]
    with pytest.warns(RuntimeWarning, match="takes no more of .*other values from place 0"), run:
        run.log(0, loss=1.0)
    assert len(list(journal_folder.rglob("points"))) == 1


def test_the_training_hears_that_it_is_to_stop(
    stand_in: StandIn, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "INTERVAL", 0.01)
    monkeypatch.setattr(outbox, "HEARTBEAT_SECONDS", 0.05)
    with experiment.run("he", 0) as run:
        assert not run.stop_requested
        stand_in.stop = True  # and nothing is logged: signs of life tell it
        while not run.stop_requested:
            time.sleep(0.01)
    assert "POST /runs/1/heartbeat" in stand_in.calls


def test_a_training_that_logs_without_pause_is_sent_at_intervals(
    stand_in: StandIn, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "INTERVAL", 0.1)
    with experiment.run("he", 0) as run:
        while stand_in.calls.count("POST /runs/1/points") < 3:
            run.log(loss=1.0)
        posts, logged, end = stand_in.calls.count("POST /runs/1/points"), 0, time.perf_counter() + 0.3
        while time.perf_counter() < end:
            run.log(loss=1.0)
            logged += 1
        full = logged // (CHUNK // FRAME.size) + 1  # which are sent at once: or a quick training would be ever further
        assert stand_in.calls.count("POST /runs/1/points") - posts <= 4 + full


def test_finished_runs_leave_nothing_behind(experiment: Experiment, journal_folder: Path) -> None:
    with experiment.run("he", 0) as run:
        run.log(0, loss=1.0)
    assert [path.name for path in journal_folder.rglob("*") if path.is_file()] == ["experiment.json"]


@pytest.mark.filterwarnings("ignore:.*_at_fork:pytest.PytestUnraisableExceptionWarning")  # obstore's, of another test
def test_a_child_of_a_fork_does_not_log(experiment: Experiment) -> None:
    with experiment.run("he", 0) as run:
        child = os.fork()
        if child == 0:
            try:
                run.log(0, loss=1.0)
            except ClientError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        run.log(0, loss=1.0)
        assert run.next_step == 1


def test_memory_is_bounded_while_the_server_is_away(stand_in: StandIn, experiment: Experiment) -> None:
    run = experiment.run("he", 0)
    stand_in.away = True
    run.log(0, loss=0.0)
    tracemalloc.start()
    try:
        for step in range(1, 50_000):
            run.log(step, loss=0.5)
        # At most what is read at once; a queue of 50,000 points is more.
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    with pytest.warns(RuntimeWarning, match="50,000 points of .* wait in"):
        run.leave()


def test_importing_initlab_loads_nothing_of_it() -> None:
    code = "import sys, initlab; print([n for n in sys.modules if 'initlab.tracking' in n or 'filelock' in n])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
    with pytest.raises(AttributeError, match="no attribute 'lost'"):
        initlab.lost  # noqa: B018
    assert all(hasattr(initlab, name) for name in initlab.__all__)


def test_without_a_server_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INITLAB_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("INITLAB_API_KEY", "")
    with pytest.raises(Unreachable):
        initlab.external(["he"], 3, {"accuracy": "max"})
