"""A viewer of a real service sees a training process die, and has at the end what is stored."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from initlab import Client, Event
from tests.core.experiments.viewer import Viewer
from tests.service.running import Running, assert_exact, spec, until

pytestmark = [
    pytest.mark.service,
    pytest.mark.parametrize("backend", ["sqlite+filesystem"], indirect=True),
]


def test_a_training_that_is_killed_in_mid_stream(service: Running) -> None:
    """Two viewers: one that stays, and one that comes back with the id of its last event in between."""
    experiment = service.post(spec(epochs=150, checkpoint_every=0.2))
    client = Client(str(service.http.base_url))
    stays, returns = Viewer(), Viewer()

    def watch(viewer: Viewer, events: Iterator[Event]) -> None:
        for event in events:
            viewer.apply(event.kind, event.data, event.id)

    watching = threading.Thread(target=watch, args=(stays, client.experiment(experiment).events()))
    watching.start()
    first = client.experiment(experiment).events()
    while not returns.received:
        event = next(first)
        returns.apply(event.kind, event.data, event.id)
    first.close()  # type: ignore[attr-defined]
    until(lambda: stays.received > 4 * 100)
    for process in service.trainers(experiment):
        os.kill(process, signal.SIGKILL)
    until(lambda: service.get(f"/experiments/{experiment}")["attempt"] == 2)
    watch(returns, client.experiment(experiment).events(last_event_id=returns.last_id))
    watching.join(30)
    assert not watching.is_alive()

    series = service.get(f"/experiments/{experiment}/metrics")["series"]
    assert_exact([one for one in series if one["metric"] == "train_loss"], runs=4, steps=150 * 15)
    stored = {(one["run_id"], one["metric"]): dict(zip(one["steps"], one["values"], strict=True)) for one in series}
    for viewer in (stays, returns):
        assert viewer.state["status"] == "succeeded"
        assert viewer.whole() == stored
