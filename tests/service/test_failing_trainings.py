"""A training dies, hangs, or has neither memory, disk nor device: its runs go on, and others are not held up.

On one backend: neither the database nor the broker has a part in it.
"""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.service.running import Running, running, spec, until

pytestmark = pytest.mark.service

WANTED = spec(epochs=40, checkpoint_every=0.1)
"""Some seconds, and several checkpoints."""
SHORT = spec(epochs=2)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("service")
    environment = {"INITLAB_DATA_DIR": str(folder / "data"), "INITLAB_HANG_SECONDS": "1"}
    with running(environment, folder / "log") as service:
        yield service


def kinds(service: Running, experiment: int) -> list[str]:
    return [event["kind"] for event in service.history(experiment)]


def test_a_poison_run_fails_alone_with_its_last_words_and_others_flow(service: Running) -> None:
    """Its process dies of SIGSEGV at its first update, every time."""
    poison = service.post(spec(arms=1, seeds=1, epochs=2000))
    for attempt in (1, 2, 3):
        until(partial(lambda attempt: service.get(f"/experiments/{poison}")["attempt"] == attempt, attempt))
        service.order("update", "segv")
        until(lambda: not service.is_ordered("update"))
    found = service.ended(poison)
    assert found["status"] == "failed"
    [error] = found["errors"]
    assert error.startswith("3 attempts without progress, after update 0 of 30000: its worker (")
    assert "Fatal Python error: Segmentation fault" in error
    assert "failpoints.py" in error
    assert service.ended(service.post(SHORT))["status"] == "succeeded"
    assert service.http.post(f"/experiments/{poison}/retry").status_code == 202
    service.training(poison)
    service.http.post(f"/experiments/{poison}/cancel")
    assert service.ended(poison)["status"] == "cancelled"


def test_many_crashes_with_progress_between_them_are_no_poison(service: Running) -> None:
    wanted = spec(arms=1, seeds=1, epochs=120, checkpoint_every=0.1)
    experiment = service.post(wanted)
    for _ in range(4):
        service.order("checkpoint.committed", "kill")
        until(lambda: not service.is_ordered("checkpoint.committed"))
    service.assert_unharmed(experiment, wanted)
    assert kinds(service, experiment).count("lost") == 4


def test_cancel_ends_a_training_that_hangs(service: Running) -> None:
    service.order("update", "hang")
    experiment = service.post(spec(epochs=2000))
    until(lambda: not service.is_ordered("update"))
    service.http.post(f"/experiments/{experiment}/cancel")
    assert service.ended(experiment)["status"] == "cancelled"
    assert service.ended(service.post(SHORT))["status"] == "succeeded"


def test_a_training_that_hangs_is_given_up_and_goes_on_elsewhere(service: Running) -> None:
    experiment = service.post(WANTED)
    service.training(experiment)
    service.order("update", "hang")
    service.assert_unharmed(experiment, WANTED)
    [lost] = [event for event in service.history(experiment) if event["kind"] == "lost"]
    assert lost["detail"]["why"].startswith("no update for")


def test_a_broken_device_ends_its_process_and_the_run_goes_on_in_a_fresh_one(service: Running) -> None:
    experiment = service.post(WANTED)
    service.training(experiment)
    before = {process.pid for process in service.processes("worker")}
    service.order("update", "device")
    service.assert_unharmed(experiment, WANTED)
    until(lambda: {process.pid for process in service.processes("worker")} - before)
    [lost] = [event for event in service.history(experiment) if event["kind"] == "lost"]
    assert "CUDA error" in lost["detail"]["why"]


def test_memory_that_runs_out_halves_the_cohort_and_it_goes_on(service: Running) -> None:
    service.order("update", "memory")
    experiment = service.post(WANTED)
    found = service.ended(experiment)
    assert found["status"] == "succeeded"
    assert "halved" in kinds(service, experiment)
    steps = [one["steps"] for one in service.losses(experiment)]
    assert steps == [list(range(600))] * 4


def test_a_disk_without_room_for_a_checkpoint_leaves_the_one_before_it_whole(service: Running) -> None:
    experiment = service.post(WANTED)
    service.training(experiment)
    service.order("checkpoint.written", "disk_full")
    until(lambda: not service.is_ordered("checkpoint.written"))
    for process in service.processes("worker"):
        process.kill()
    service.assert_unharmed(experiment, WANTED)


def test_pause_gives_the_cohort_back_and_resume_goes_on_from_there(service: Running) -> None:
    wanted = spec(epochs=100)
    experiment = service.post(wanted)
    service.training(experiment)
    assert service.http.post(f"/experiments/{experiment}/pause").json()["paused"] is True
    until(lambda: service.get(f"/experiments/{experiment}")["status"] == "queued")
    assert service.ended(service.post(SHORT))["status"] == "succeeded"  # the worker is free for others
    waiting = service.get(f"/experiments/{experiment}")
    assert (waiting["status"], waiting["paused"]) == ("queued", True)
    assert 0 < waiting["progress"]["steps_done"] < 100 * 15 * 4
    assert service.http.post(f"/experiments/{experiment}/resume").json()["paused"] is False
    service.assert_unharmed(experiment, wanted)
    claims = [event["detail"]["step"] for event in service.history(experiment) if event["kind"] == "claimed"]
    assert claims == [0, waiting["progress"]["steps_done"] // 4]
