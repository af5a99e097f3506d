"""kombu's Redis transport made safe: what is no message is dropped as it is taken from its list."""

from typing import Any

from kombu.transport import redis

from core.queue.readable import readable


class Channel(redis.Channel):
    """Reads every message before kombu does, in the answers of the commands that take one from a list."""

    def _create_client(self, asynchronous: bool = False) -> Any:
        client = super()._create_client(asynchronous)  # type: ignore[no-untyped-call]
        client.set_response_callback("BRPOP", self._of_pair)
        client.set_response_callback("RPOP", self._of_item)
        return client

    def _of_pair(self, answer: Any, **_: Any) -> Any:
        """Return a queue's key and its message; None, as where there was none in time, for an unreadable one."""
        return tuple(answer) if answer and readable(answer[1], self) is not None else None

    def _of_item(self, answer: Any, **_: Any) -> Any:
        return answer if answer and readable(answer, self) is not None else None


class Transport(redis.Transport):
    """Redis, with channels that survive what others push into their lists."""

    Channel = Channel
