"""Whether a training hangs: decided from when it was last here, and since when it should stop."""

import pytest

from core.experiments.worker.watchdog import BEFORE_THE_FIRST, MANY, STOP_SECONDS, Reason, Watchdog

HANG = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("updates", "silence", "stuck"),
    [
        ([], BEFORE_THE_FIRST - 1, False),  # data are read and weights are drawn
        ([], BEFORE_THE_FIRST + 1, True),
        ([0.0], HANG - 1, False),
        ([0.0], HANG + 1, True),
        ([0.0, 1.0, 1.0], HANG + 1, True),  # twenty times the longest are less than what is given anyway
        ([0.0, 10.0, 1.0], MANY * 10.0 - 1, False),  # slow updates may become slower
        ([0.0, 10.0, 1.0], MANY * 10.0 + 1, True),
        ([500.0], HANG + 1, True),  # what came before the first update says nothing of the others
    ],
)
def test_an_update_hangs_when_it_takes_far_longer_than_any_before(
    clock: Clock, updates: list[float], silence: float, stuck: bool
) -> None:
    watched = Watchdog(HANG, clock=clock.monotonic)
    for seconds in updates:
        clock.now += seconds
        watched.beat()
    clock.now += silence
    assert watched.stuck(None, 0.0) == (silence if stuck else None)


def test_more_patience_may_be_asked_for_the_first_update_too(clock: Clock) -> None:
    watched = Watchdog(2 * BEFORE_THE_FIRST, clock=clock.monotonic)
    clock.now += 2 * BEFORE_THE_FIRST - 1
    assert watched.stuck(None, 0.0) is None


@pytest.mark.parametrize("reason", STOP_SECONDS)
def test_a_trainer_that_is_to_stop_has_some_time(clock: Clock, reason: Reason) -> None:
    watched = Watchdog(HANG, clock=clock.monotonic)
    watched.beat()
    clock.now += 30  # of a long update
    since = clock.now
    clock.now += STOP_SECONDS[reason] - 0.1
    assert watched.stuck(reason, since) is None
    clock.now += 0.2
    assert watched.stuck(reason, since) == pytest.approx(30 + STOP_SECONDS[reason] + 0.1)


def test_whoever_must_not_write_or_must_go_has_less_time_than_a_lease(clock: Clock) -> None:
    """Others take the cohort when its lease of 30 s ends; a supervisor kills what has not left after 5 s."""
    assert STOP_SECONDS["drain"] < 5
    assert STOP_SECONDS["silent"] < 0.2 * 30


def test_a_process_that_slept_did_not_hang(clock: Clock) -> None:
    watched = Watchdog(HANG, clock=clock.monotonic)
    watched.beat()
    clock.now += 10 * HANG
    watched.forgive(10 * HANG - 1)
    assert watched.stuck(None, 0.0) is None
    clock.now += HANG
    assert watched.stuck(None, 0.0) == HANG + 1


@pytest.mark.parametrize("reason", [None, *STOP_SECONDS])
def test_a_trainer_that_has_stopped_may_write_for_as_long_as_it_takes(clock: Clock, reason: Reason | None) -> None:
    watched = Watchdog(HANG, clock=clock.monotonic)
    watched.beat()
    watched.end()
    clock.now += 10 * HANG
    assert watched.stuck(reason, 0.0) is None
