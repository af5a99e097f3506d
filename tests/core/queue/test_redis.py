"""The Redis broker: what others push into its lists harms nobody."""

import pytest
import redis
from kombu.asynchronous import Hub
from kombu.entity import Queue
from kombu.messaging import Consumer

from core.queue import celery_app
from core.settings import Settings
from tests.backends import RedisServer
from tests.core.queue.unreadable import UNREADABLE

pytestmark = pytest.mark.service


@pytest.mark.parametrize("loop", [False, True], ids=["taken", "by the event loop"])
def test_unreadable_messages_are_dropped_and_the_next_one_arrives(
    broker: RedisServer, loop: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """By a worker's event loop and without one: those are two ways of kombu's to take a message."""
    broker.flush()
    celery = celery_app(Settings(broker_url=broker.url))
    client = redis.Redis(port=broker.port)
    client.lpush("tasks", *UNREADABLE)
    got: list[object] = []
    with celery.connection_for_read() as connection:
        queue = Queue("tasks", routing_key="tasks")
        with connection.Producer() as producer:
            producer.publish("good", exchange="", routing_key="tasks", serializer="json")
        with Consumer(connection.default_channel, [queue], callbacks=[lambda body, _message: got.append(body)]):
            if loop:
                hub = Hub()
                connection.register_with_event_loop(hub)
                rounds = hub.create_loop()
                while not got:
                    next(rounds)
                hub.close()
            else:
                while not got:
                    connection.drain_events(timeout=5)
    client.close()
    celery.close()
    assert got == ["good"]
    assert sum("unreadable message was dropped" in line for line in caplog.messages) == len(UNREADABLE)
