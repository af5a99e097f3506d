"""Kill, flood, forget and cancel real processes, on both databases and brokers: nothing is lost or done twice."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest
import redis

from core.queue import WAKE_UP, celery_app, queue_name
from core.settings import Settings
from tests.service.conftest import LEASE
from tests.service.running import Running, assert_exact, spec, until

pytestmark = pytest.mark.service

LONG = spec(epochs=40_000)  # far longer than any test waits


ON_ONE = pytest.mark.parametrize("backend", ["sqlite+filesystem"], indirect=True)
"""For what neither database nor broker has a part in, or one that the other has not."""


def test_a_worker_killed_in_mid_run_ends_in_a_finished_experiment(service: Running) -> None:
    """Every update of every run is there once, with the values of a run that nobody killed."""
    wanted = spec(epochs=80)
    experiment = service.post(wanted)
    service.training(experiment)
    for process in service.processes("worker"):
        process.kill()
    until(lambda: service.get(f"/experiments/{experiment}")["attempt"] == 2, 30)
    found = service.ended(experiment)
    assert found["status"] == "succeeded"
    assert found["attempt"] == 2
    steps = 80 * 15
    killed = service.losses(experiment)
    assert_exact(killed, runs=4, steps=steps)
    unbroken = service.losses(service.ended(service.post(wanted))["id"])
    for one, other in zip(killed, unbroken, strict=True):
        assert one["values"] == other["values"]


def test_a_killed_training_goes_on_from_its_checkpoint(service: Running) -> None:
    """Bit for bit as if nobody had killed it, and without doing again what the checkpoint holds."""
    wanted = spec(epochs=120, checkpoint_every=0.1)
    folder = Path(service.environment["INITLAB_DATA_DIR"], "checkpoints")
    of_others = {*folder.glob("*")}  # of processes that were killed at their end: a clean-up will find them
    experiment = service.post(wanted)
    service.training(experiment)
    (first,) = until(lambda: [*{*folder.glob("cohort-*-1-*")} - of_others][:1])
    until(lambda: not first.exists())  # it goes when a later one counts
    for process in service.processes("worker"):
        process.kill()
    held = until(lambda: (f := service.get(f"/experiments/{experiment}"))["attempt"] == 2 and f, 30)
    assert held["progress"]["steps_done"] > 4 * int(first.stem.rpartition("-")[2]) > 0
    found = service.ended(experiment)
    assert (found["status"], found["attempt"]) == ("succeeded", 2)
    killed = service.losses(experiment)
    assert_exact(killed, runs=4, steps=120 * 15)
    whole = service.ended(service.post(wanted))["id"]
    unbroken = service.losses(whole)
    assert [one["values"] for one in killed] == [one["values"] for one in unbroken]
    ends = [[run["final"] for run in service.get(f"/experiments/{one}/runs")["items"]] for one in (experiment, whole)]
    assert ends[0] == ends[1]
    until(lambda: {*folder.iterdir()} <= of_others)


def test_a_training_process_killed_alone_is_replaced(service: Running) -> None:
    """Beside another that trains at the same time, and is not touched."""
    arms = [{"initializer": "he_normal"}, {"initializer": "he_normal", "batch_size": 99}]  # two programs: two cohorts
    experiment = service.post(spec(epochs=240) | {"arms": arms})
    lost, unharmed = until(lambda: (pids := service.trainers(experiment))[1:] and pids)
    assert lost != unharmed
    assert {run["status"] for run in service.get(f"/experiments/{experiment}/runs")["items"]} == {"running"}
    until(lambda: len(service.losses(experiment)) == 4)
    main, *children = service.processes("worker")
    assert {child.pid for child in children} == {lost, unharmed}
    os.kill(lost, signal.SIGKILL)
    assert service.ended(experiment)["status"] == "succeeded"
    assert_exact(service.losses(experiment), runs=4, steps=240 * 15)
    runs = service.get(f"/experiments/{experiment}/runs")["items"]
    assert sorted(run["attempt"] for run in runs) == [1, 1, 2, 2]
    assert main.is_running()
    assert unharmed in {child.pid for child in service.processes("worker")}


def test_training_processes_killed_while_they_wait_are_replaced_and_receive_the_next_task(service: Running) -> None:
    def waiting() -> list[psutil.Process]:
        return [child for child in service.processes("worker")[1:] if child.pid not in killed]

    killed: set[int] = set()
    for _ in range(2):
        until(lambda: len(waiting()) == 2)
        service.ended(service.post(spec(arms=1, seeds=1, epochs=1)))
        first = waiting()[0]
        killed.add(first.pid)
        first.kill()
        assert service.ended(service.post(spec(arms=1, seeds=1, epochs=1)))["status"] == "succeeded"


def test_duplicate_wake_ups_run_it_once(service: Running) -> None:
    current = Settings(
        data_dir=Path(service.environment["INITLAB_DATA_DIR"]),
        broker_url=service.environment.get("INITLAB_BROKER_URL", ""),
    )
    experiment = service.post(spec(epochs=50))
    celery = celery_app(current)
    for _ in range(10):
        celery.send_task(WAKE_UP)
    found = service.ended(experiment)
    celery.close()
    assert (found["status"], found["attempt"]) == ("succeeded", 1)
    assert_exact(service.losses(experiment), runs=4, steps=50 * 15)


def test_queued_experiments_survive_the_loss_of_every_message(service: Running, backend: dict[str, str]) -> None:
    first = service.post(spec(epochs=50))
    service.training(first)
    ids = [service.post(spec(arms=1, seeds=1, epochs=1)) for _ in range(20)]
    if "INITLAB_BROKER_URL" in backend:
        client = redis.Redis.from_url(backend["INITLAB_BROKER_URL"])
        client.flushall()
        client.close()
    else:
        for message in Path(backend["INITLAB_DATA_DIR"], "spool").iterdir():
            message.unlink(missing_ok=True)
    for process in service.processes("worker"):  # or it would go on to the queued ones by itself
        process.kill()
    for experiment in [first, *ids]:
        assert service.ended(experiment)["status"] == "succeeded"
        assert_exact(
            service.losses(experiment), runs=4 if experiment == first else 1, steps=750 if experiment == first else 15
        )


def test_cancel_ends_a_training_soon_and_keeps_what_was_measured(service: Running) -> None:
    experiment, beside, queued = (service.post(LONG) for _ in range(3))
    service.training(experiment)
    service.training(beside)
    assert service.http.post(f"/experiments/{experiment}/cancel").status_code == 202
    found = until(lambda: (f := service.get(f"/experiments/{experiment}"))["status"] == "cancelled" and f)
    for one in service.losses(experiment):
        assert one["steps"] == list(range(len(one["steps"])))
        assert len(one["steps"]) > 0
    assert found["progress"]["steps_done"] == sum(len(one["steps"]) for one in service.losses(experiment))
    service.training(queued)  # the worker goes on to the next
    for ended in (queued, beside):
        service.http.post(f"/experiments/{ended}/cancel")
    service.http.post(f"/experiments/{experiment}/cancel")
    assert service.get(f"/experiments/{experiment}")["finished_at"] == found["finished_at"]
    assert {service.ended(one)["status"] for one in (queued, beside)} == {"cancelled"}


def test_a_service_that_ends_gives_its_cohort_back_and_the_next_one_finishes_it(service: Running) -> None:
    experiment = service.post(spec(epochs=80))
    service.training(experiment)
    children = service.processes("worker") + service.processes("api")
    service.stop()
    assert not [child for child in children if child.is_running()]
    service.start()
    found = service.ended(experiment)
    assert (found["status"], found["attempt"]) == ("succeeded", 2)
    assert [event["kind"] for event in service.history(experiment)][2] == "released", "nobody had to be killed"
    assert_exact(service.losses(experiment), runs=4, steps=80 * 15)


@ON_ONE
def test_children_end_with_a_supervisor_that_is_killed_and_the_next_one_goes_on(service: Running) -> None:
    experiment = service.post(spec(epochs=80))
    service.training(experiment)
    children = psutil.Process(service.process.pid).children(recursive=True)
    service.stop(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    service.start()
    assert service.ended(experiment)["status"] == "succeeded"
    assert_exact(service.losses(experiment), runs=4, steps=80 * 15)


def test_a_zombie_that_wakes_after_its_lease_writes_nothing(service: Running) -> None:
    """Its worker is frozen for longer than its lease; another takes over; then the first wakes."""
    experiment = service.post(spec(epochs=80))
    service.training(experiment)
    main, *children = service.processes("worker")
    for process in (*children, main):
        process.suspend()
    until(lambda: service.get(f"/experiments/{experiment}")["status"] == "queued")
    for process in (main, *children):
        process.resume()
    found = service.ended(experiment, 120)
    assert (found["status"], found["attempt"]) == ("succeeded", 2)
    assert_exact(service.losses(experiment), runs=4, steps=80 * 15)


@ON_ONE
def test_a_second_service_on_the_same_data_is_refused(
    service: Running, backend: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="another initlab service"):
        Running(backend, tmp_path / "second.log")
    assert service.get("/readyz")["status"] == "ready"


@ON_ONE
def test_an_api_that_is_killed_comes_back(service: Running) -> None:
    experiment = service.post(spec(epochs=60))
    [api] = service.processes("api")
    os.kill(api.pid, signal.SIGKILL)

    def back() -> bool:
        try:
            return service.http.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    until(back)
    assert service.ended(experiment)["status"] == "succeeded"


@ON_ONE
def test_unreadable_messages_are_dropped(service: Running) -> None:
    worker = [process.pid for process in service.processes("worker")]
    spool = Path(service.environment["INITLAB_DATA_DIR"], "spool")
    for i, content in enumerate((b"", b'{"body": "', b"\x00\xff garbage", b"[]", b'{"body": 1}')):
        name = f"{i:020d}_x.{queue_name('cpu')}.msg"
        (spool / f".{name}").write_bytes(content)
        os.replace(spool / f".{name}", spool / name)
    until(lambda: not [*spool.glob("*_x.*")])
    assert service.ended(service.post(spec(arms=1, seeds=1, epochs=1)))["status"] == "succeeded"
    assert [process.pid for process in service.processes("worker")] == worker


@ON_ONE
def test_a_writer_that_sleeps_in_its_transaction_holds_up_the_others_and_no_more(service: Running) -> None:
    """On SQLite there is one writer: a post waits for it, and is accepted."""
    wanted = spec(epochs=60, checkpoint_every=0.3)
    experiment = service.post(wanted)
    service.training(experiment)
    service.order("flush.fenced", "freeze")
    [asleep] = until(lambda: [p for p in service.processes("worker") if p.status() == psutil.STATUS_STOPPED])
    with httpx.Client(base_url=service.http.base_url, timeout=30) as other:
        started = time.monotonic()
        answers: list[int] = []

        def post() -> None:
            answers.append(other.post("/experiments", json=spec(arms=1, seeds=1, epochs=1)).status_code)

        posting = threading.Thread(target=post)
        posting.start()
        until(lambda: time.monotonic() - started > 0.4 * LEASE)
        assert answers == []
        asleep.send_signal(signal.SIGCONT)
        posting.join()
        assert answers == [202]
    service.assert_unharmed(experiment, wanted)
