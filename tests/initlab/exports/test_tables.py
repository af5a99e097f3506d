"""Runs with their series, as tools that know runs alone take them."""

from collections.abc import Callable
from typing import Any

from initlab import Experiment
from initlab.exports.tables import file_names, runs_of
from tests.initlab.exports.conftest import KEYS, LABEL


def test_every_run_that_has_begun_is_there_with_its_series(server: Any, trained: Callable[[], Experiment]) -> None:
    found = list(runs_of(trained()))
    assert [(run.arm, run.seed, run.varied) for run in found] == KEYS
    assert [{one["run_id"] for one in run.series} for run in found] == [{run.id} for run in found]
    assert [run.outcome for run in found] == ["completed"] * 3 + ["diverged", "completed"]
    assert found[4].name == f"{LABEL}, seed 0 again, init"
    asked = [one.path for one in server.asked if "metrics" in one.path]
    assert asked == [
        f"/experiments/7/metrics?arm={arm}&diagnostics=true" + more
        for arm, more in (("he%3A+a%2Fb", ""), ("zeros", ""), ("he%3A+a%2Fb", "&repeat=true"))
    ], "one arm at a time"


def test_settings_have_dotted_names_and_those_of_the_arm(trained: Callable[[], Experiment]) -> None:
    first, *_, last = [run.settings for run in runs_of(trained()) if not run.varied]
    assert first == {
        "optimizer.name": "adam",
        "optimizer.lr": 0.001,
        "dataset.name": "digits",
        "epochs": 2,
        "initializer.name": "he_normal",
    }
    assert last["optimizer.lr"] == 0.1


def test_epochs_end_with_their_last_update(trained: Callable[[], Experiment]) -> None:
    run = next(runs_of(trained()))
    assert run.steps() == {"train_loss": [0, 1, 2, 3, 4, 5], "activation_std/fc1": [0, 3], "valid_loss": [2, 5]}
    assert (run.time(5, 6) - run.started, run.time(2, 6) - run.started) == (60.0, 30.0)


def test_file_names_are_safe_and_differ() -> None:
    labels = ["a/b", "a:b", "A_b", "..", "  ", "x" * 200, "ü 1"]
    names = file_names(labels)
    assert [*names] == labels
    assert len({name.lower() for name in names.values()}) == len(labels)
    assert names["a/b"] == "a_b"
    assert names["ü 1"] == "ü 1"
    assert not any(set(name) & set('/\\:*?"<>|') or name.strip(" .") != name for name in names.values())
