"""Which worker takes which cohort, and which queue is told of it."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from core.experiments.cohorts.claims import anything_queued, claim
from core.experiments.cohorts.eligibility import WorkerCapabilities, needed, queues_of
from core.plugins import Pin
from core.store import Cohort, Database
from tests.core.experiments.claims import queued

CPU, GPU = ("auto", "cpu"), ("auto", "cpu", "cuda")
ASKED = list(itertools.product(["auto", "cpu", "cuda"], [None, "big"]))
"""Device and label of the spec."""

WORKERS: list[tuple[Sequence[str], Sequence[str], set[tuple[str, str | None]]]] = [
    (CPU, ["cpu"], {("auto", None), ("cpu", None)}),
    (GPU, ["cpu", "gpu"], {("auto", None), ("cpu", None), ("cuda", None)}),
    (GPU, ["gpu"], {("auto", None), ("cuda", None)}),  # a GPU's time is not for those that asked for none
    (CPU, ["gpu"], {("auto", None)}),  # said to be one of a GPU, and is not
    (CPU, ["big"], {("auto", "big"), ("cpu", "big")}),  # of a label only
    (GPU, ["big"], {("auto", "big"), ("cpu", "big"), ("cuda", "big")}),
    (CPU, ["cpu", "big"], {("auto", None), ("cpu", None), ("auto", "big"), ("cpu", "big")}),
    (GPU, ["gpu", "big"], {("auto", None), ("cuda", None), ("auto", "big"), ("cpu", "big"), ("cuda", "big")}),
    (GPU, ["other"], set()),
    (CPU, ["other", "cpu"], {("auto", None), ("cpu", None)}),
]


class Undone(Exception):
    """The next worker finds everything as it was."""


def test_a_worker_takes_what_it_has_the_device_for_and_answers_to(database: Database) -> None:
    """And looks for nothing else: a worker that saw work which it cannot take would come for it for ever."""
    of = {queued(database, device=device, queue=queue): (device, queue) for device, queue in ASKED}
    for devices, queues, takes in WORKERS:
        capabilities, found = WorkerCapabilities(devices=devices, queues=queues), []
        with pytest.raises(Undone), database.transaction() as session:
            while anything_queued(session, capabilities):
                held = claim(session, "host/1/0", capabilities, 30)
                assert held is not None
                found.append(of[held.experiment_id])
            raise Undone
        assert sorted(found, key=str) == sorted(takes, key=str), (devices, queues)


@pytest.mark.parametrize(
    ("device", "queue", "wake_ups"),
    [
        ("auto", None, ("cpu", "gpu")),
        ("cpu", None, ("cpu",)),
        ("cuda", None, ("gpu",)),
        ("auto", "big", ("big",)),
        ("cuda", "big", ("big",)),
    ],
)
def test_it_wakes_workers_of_a_queue_that_can(device: str, queue: str | None, wake_ups: tuple[str, ...]) -> None:
    assert queues_of(device, queue) == wake_ups
    hears = [takes for devices, queues, takes in WORKERS if not set(queues).isdisjoint(wake_ups) and "cuda" in devices]
    assert any((device, queue) in takes for takes in hears)


A, B = ({"version": "1.0", "sha256": letter * 64} for letter in "ab")
PLUGINS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"plain"}),
    ({"one": A}, {"plain", "one"}),
    ({"one": B}, {"plain"}),  # of another content
    ({"two": A}, {"plain"}),
    ({"one": A, "two": B}, {"plain", "one", "both"}),
    ({"one": B, "two": A}, {"plain"}),
    ({"three": A, "two": B, "one": A}, {"plain", "one", "both"}),
]


def test_a_worker_takes_what_it_has_all_plug_ins_for(database: Database) -> None:
    needs: dict[str, dict[str, Any] | None] = {"plain": None, "one": {"one": A}, "both": {"one": A, "two": B}}
    of = {queued(database): name for name in needs}
    with database.transaction() as session:
        for experiment, name in of.items():
            values = {"plugins": needed(needs[name])}
            session.execute(update(Cohort).where(Cohort.experiment_id == experiment).values(values))
    for has, takes in PLUGINS:
        capabilities = WorkerCapabilities(plugins={name: Pin(**pin) for name, pin in has.items()})
        found = []
        with pytest.raises(Undone), database.transaction() as session:
            while anything_queued(session, capabilities):
                held = claim(session, "host/1/0", capabilities, 30)
                assert held is not None
                found.append(of[held.experiment_id])
            raise Undone
        assert (len(found), set(found)) == (len(takes), takes), has
