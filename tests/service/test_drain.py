"""Drained processes end, whatever comes between; others go on with their trainings; none takes their place."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.running import Running, running, spec, until

pytestmark = pytest.mark.service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    with running({"INITLAB_DATA_DIR": str(tmp_path / "data")}, tmp_path / "log") as service:
        yield service


def names(service: Running) -> dict[int, str]:
    """Return the names of the processes that take work, by process id."""
    items = service.get("/workers")["items"]
    return {one["process"]: one["name"] for one in items if one["alive"] and not one["draining"]}


@pytest.mark.thorough
def test_one_process_is_drained_and_killed_on_its_way_out_and_then_the_other(service: Running) -> None:
    wanted = spec(
        epochs=600
    )  # it is still on its way when the process that trains it is drained, on a fast machine too
    until(lambda: len(names(service)) == 2)
    experiment = service.post(wanted)
    service.training(experiment)
    [trainer] = service.trainers(experiment)
    before = [process.pid for process in service.processes("worker")]
    service.order("drain.idle", "kill")
    drained = names(service)[trainer]
    answer = service.http.post(f"/workers/{drained}/drain")
    assert (answer.status_code, answer.json()["draining"]) == (202, True)
    until(lambda: not service.is_ordered("drain.idle"))
    until(lambda: {process.pid for process in service.processes("worker")} - {*before})
    service.assert_unharmed(experiment, wanted)
    assert len(names(service)) == 1, "what the pool started in its place does not train"
    why = [event["detail"]["why"] for event in service.history(experiment) if event["kind"] == "released"]
    assert why == ["its worker was drained"]

    (other,) = names(service).values()
    assert service.http.post(f"/workers/{other}/drain").status_code == 202
    until(lambda: "the worker was drained" in service.log.read_text())
    assert service.processes("worker") == []
    waiting = service.post(spec(epochs=1))
    service.process.send_signal(signal.SIGHUP)
    assert service.ended(waiting, 90)["status"] == "succeeded"
    assert len(names(service)) == 2
