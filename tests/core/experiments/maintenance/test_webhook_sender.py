"""Webhooks are told of exactly what happened, and what no receiver took is tried again; against a real receiver."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from core.experiments.cohorts.outbox import HOOK_EVENTS, OF_STATE, enqueue
from core.experiments.maintenance import send_due, webhook_sender, webhook_targets
from core.experiments.requests import cancel, delete, pause, resume
from core.experiments.requests.webhooks import WebhookSpec, create, replay
from core.settings import Settings
from core.store import Database, Delivery, Experiment, Status, Webhook, now
from tests.at_once import at_once
from tests.core.experiments.at_rungs import arrive, posted
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.fake_worker import Hand
from tests.receiver import Receiver, receiving

PRIVATE = Settings(webhook_private_targets=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def hook(database: Database, url: str = "https://example.com/", owner: str | None = None, **more: Any) -> Webhook:
    with database.transaction() as session:
        spec = WebhookSpec.model_validate({"url": url, "events": list(HOOK_EVENTS)} | more)
        return create(session, spec, owner, private=True)


def told(database: Database, one: Webhook) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Delivery.event).where(Delivery.webhook_id == one.id).order_by(Delivery.id)))


def deliveries(database: Database) -> list[Delivery]:
    with database.reading() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def let_pass(database: Database, seconds: float) -> None:
    """Have that much time passed since everything that waits."""
    with database.transaction() as session:
        session.execute(update(Delivery).values(due_at=Delivery.due_at - seconds))


def test_every_status_has_its_event() -> None:
    assert {f"experiment.{status}" for status in Status} == set(OF_STATE.values())
    assert set(OF_STATE.values()) <= set(HOOK_EVENTS)


def test_it_is_told_of_exactly_what_happened(database: Database) -> None:
    one = hook(database)
    experiment = queued(database, cohorts=2)
    hands = [Hand.of(database, taken(database)) for _ in range(2)]
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        pause(session, session.get_one(Experiment, experiment))
        raise ZeroDivisionError
    for change in (pause, pause, resume):  # the second changes nothing
        with database.transaction() as session:
            change(session, session.get_one(Experiment, experiment))
    for hand in hands:
        hand.train(60)
        hand.finish("succeeded")
    happened = ["queued", "running", "paused", "resumed", "succeeded"]
    assert told(database, one) == [f"experiment.{word}" for word in happened]
    data = deliveries(database)[-1].data
    assert data == {"experiment_id": experiment, "name": "untitled", "status": "succeeded"}
    with database.transaction() as session:
        delete(session, session.get_one(Experiment, experiment))
    assert len(deliveries(database)) == 5, "of what was deleted, what has happened is still told"


def test_it_is_told_of_its_own_alone(database: Database) -> None:
    first = queued(database, tags=["a", "b"])
    every, narrow = hook(database), hook(database, events=["experiment.cancelled"])
    tagged, other_tag = hook(database, tag="b"), hook(database, tag="c")
    this, foreign = hook(database, experiment_id=first), hook(database, owner="somebody")
    second = queued(database)
    for experiment in (first, second):
        with database.transaction() as session:
            cancel(session, session.get_one(Experiment, experiment))
    gone = "experiment.cancelled"
    assert told(database, every) == ["experiment.queued", gone, gone]
    assert told(database, narrow) == [gone, gone]
    assert (told(database, tagged), told(database, this)) == ([gone], [gone])
    assert (told(database, other_tag), told(database, foreign)) == ([], [])


@pytest.mark.parametrize("payload", ["json", "slack"])
def test_what_is_sent_is_signed(database: Database, receiver: Receiver, payload: str) -> None:
    """A peer reads the signature: the package of standardwebhooks.com."""
    one = hook(database, receiver.url, payload=payload, events=["experiment.queued", "experiment.decided"])
    experiment = queued(database, name="a & <b>")
    with database.transaction() as session:
        enqueue(session, experiment, "experiment.decided", epoch=3, pruned=[])
    assert send_due(database, PRIVATE) == 2
    assert send_due(database, PRIVATE) == 0
    bodies = {}
    for got in receiver.received:
        read = Verifier(one.secret).verify(got.body, dict(got.headers))
        bodies[got.headers["webhook-id"]] = read
        with pytest.raises(WebhookVerificationError):
            Verifier(one.secret).verify(got.body.replace(b"1", b"2"), dict(got.headers))
    stored = deliveries(database)
    assert [one.message_id in bodies for one in stored] == [True, True]
    assert [(one.status_code, one.error, one.attempts, one.due_at) for one in stored] == [(204, None, 1, None)] * 2
    assert all(one.delivered_at for one in stored)
    began, decided = (bodies[one.message_id] for one in stored)
    if payload == "slack":
        called = f"Experiment {experiment} (a &amp; &lt;b&gt;)"
        assert began == {"text": f"{called}: queued"}
        assert decided == {"text": f"{called}: its arms were compared after epoch 3"}
    else:
        assert began.keys() == {"type", "timestamp", "data"}
        assert began["timestamp"].endswith("Z")
        assert began["data"] == {
            "experiment_id": experiment, "name": "a & <b>", "status": "queued", "runs": 2, "cohorts": 1
        }  # fmt: skip
        assert (decided["type"], decided["data"]["epoch"]) == ("experiment.decided", 3)


def test_a_decision_is_told_in_the_transaction_that_makes_it(database: Database) -> None:
    one = hook(database, events=["experiment.decided"])
    experiment = posted(database)
    held = [taken(database) for _ in range(3)]
    for claim in held[:2]:
        arrive(database, claim)
    assert told(database, one) == []
    arrive(database, held[2])
    (delivery,) = deliveries(database)
    with database.reading() as session:
        (decision,) = session.get_one(Experiment, experiment).rungs or []
    assert delivery.data.items() >= decision.items()


def test_what_was_not_taken_is_tried_again_for_a_day(database: Database, receiver: Receiver) -> None:
    hook(database, receiver.url, events=["experiment.queued"])
    queued(database)
    receiver.answers = [500, 404, 302, 410, 200]
    receiver.headers = {"Location": "/elsewhere"}
    for attempt, pause_ in enumerate(webhook_sender.PAUSES[:4], start=1):
        assert send_due(database, PRIVATE) == 1
        assert send_due(database, PRIVATE) == 0, "before its time"
        (one,) = deliveries(database)
        assert one.attempts == attempt
        assert one.error == f"the receiver answered {one.status_code}"
        let_pass(database, pause_ - 1)
        assert send_due(database, PRIVATE) == 0
        let_pass(database, 1)
    assert send_due(database, PRIVATE) == 1
    (one,) = deliveries(database)
    assert (one.status_code, one.error, one.due_at) == (200, None, None)
    assert {got.path for got in receiver.received} == {"/hook"}, "a redirect was followed"
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert 23 * 3600 <= sum(webhook_sender.PAUSES) <= 25 * 3600


def test_after_a_day_it_is_given_up_and_may_be_replayed(database: Database, receiver: Receiver) -> None:
    made = hook(database, receiver.url, events=["experiment.queued"])
    queued(database)
    receiver.answers = [503] * (len(webhook_sender.PAUSES) + 1)
    while send_due(database, PRIVATE):
        let_pass(database, 86_400)
    (one,) = deliveries(database)
    assert (one.attempts, one.due_at, one.delivered_at) == (len(webhook_sender.PAUSES) + 1, None, None)
    with database.transaction() as session:
        replay(session, made, one.id)
    assert send_due(database, PRIVATE) == 1
    (one,) = deliveries(database)
    assert one.delivered_at is not None
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1


def test_a_receiver_that_is_silent_or_away_holds_nobody_for_long(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_targets, "SECONDS", 0.3)
    with receiving() as away:
        gone = away.url
    silent, absent = (hook(database, url, events=["experiment.queued"]) for url in (receiver.url, gone))
    receiver.release.clear()
    queued(database)
    assert send_due(database, PRIVATE) == 2
    errors = {one.webhook_id: one.error for one in deliveries(database)}
    assert errors == {silent.id: "no answer within 0.3 s", absent.id: "ConnectError"}


def test_of_several_processes_one_sends(database: Database, receiver: Receiver) -> None:
    hook(database, receiver.url, events=["experiment.queued"])
    for _ in range(3):
        queued(database)
    others = [Database(database.engine.url.render_as_string(hide_password=False)) for _ in range(4)]
    left = iter(others)
    at_once(4, lambda: send_due(next(left), PRIVATE))
    for other in others:
        other.dispose()
    assert len(receiver.received) == 3


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_process_that_is_killed_before_it_sends_loses_none(
    database: Database, receiver: Receiver, tmp_path: Path
) -> None:
    hook(database, receiver.url, events=["experiment.queued"])
    queued(database)
    orders = tmp_path / "orders"
    orders.mkdir()
    (orders / "webhooks.claimed").write_text("kill")
    program = (
        "import sys\n"
        "from core.experiments.maintenance import send_due; from core.settings import Settings\n"
        "from core.store import Database\n"
        "send_due(Database(sys.argv[1]), Settings(webhook_private_targets=True))"
    )
    url = database.engine.url.render_as_string(hide_password=False)
    environment = os.environ | {"INITLAB_FAILPOINTS": str(orders)}
    killed = subprocess.run([sys.executable, "-c", program, url], env=environment, capture_output=True)
    assert killed.returncode == -9, killed.stderr
    assert receiver.received == []
    assert send_due(database, PRIVATE) == 0, "it may still be on its way"
    let_pass(database, webhook_sender.CLAIMED)
    assert send_due(database, PRIVATE) == 1
    assert json.loads(receiver.received[0].body)["type"] == "experiment.queued"


def test_what_is_old_is_forgotten(database: Database, receiver: Receiver) -> None:
    hook(database, receiver.url, events=["experiment.queued"])
    for _ in range(2):
        queued(database)
    first, second = deliveries(database)
    for one, age in ((first, webhook_sender.KEPT + 60), (second, webhook_sender.KEPT - 60)):
        with database.transaction() as session:
            session.execute(update(Delivery).where(Delivery.id == one.id).values(created_at=now() - age, due_at=None))
    webhook_sender.forget(database)
    assert [one.id for one in deliveries(database)] == [second.id]


def test_a_webhook_goes_with_its_deliveries_and_its_experiment(database: Database) -> None:
    experiment = queued(database)
    hook(database, experiment_id=experiment)
    with database.transaction() as session:
        cancel(session, session.get_one(Experiment, experiment))
        delete(session, session.get_one(Experiment, experiment))
    with database.reading() as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in (Webhook, Delivery)] == [0, 0]
