"""Durations, and when a worker counts as idle; a worker that leaves is in `tests/service/test_files.py`."""

import argparse
import math

import pytest

from worker.leaving import Activity, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("3h50m", 13_800), ("1d12h", 129_600), ("0.5h", 1800), ("2m30s", 150)],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5m!", "0s", "-5m", "5x", "h5m"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is no duration: 90s, 5m, 3h50m"):
        seconds_of(text)


def test_a_worker_is_idle_since_any_child_last_trained() -> None:
    activity = Activity(2)
    assert activity.idle_seconds == 0, "they import torch"
    activity.began(0)
    assert activity.idle_seconds == 0
    activity.began(1)
    with activity.looking(1) as taken:
        assert activity.idle_seconds == 0
        taken.append(0)
    since = activity.idle_seconds
    assert since > 0
    with activity.looking(0) as taken:
        taken.append(3)
    assert activity.idle_seconds < since, "it took cohorts"
    with activity.looking(0) as taken:
        taken.append(0)
        before = activity.idle_seconds
    assert before == 0
    assert activity.idle_seconds > 0, "a look that finds nothing is no work"


def test_a_child_that_was_killed_at_its_work_is_not_at_work_for_ever() -> None:
    activity = Activity(1)
    activity.began(0)
    with pytest.raises(SystemExit), activity.looking(0):
        activity._last[0] = math.inf
        activity.began(0)
        assert not math.isinf(activity._last[0])
        raise SystemExit
    assert activity.idle_seconds < 60
