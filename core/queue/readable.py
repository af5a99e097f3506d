"""Messages of the broker, read without trust: what cannot be delivered is dropped and counted, and harms nobody."""

import itertools
import logging
from typing import Any

from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

log = logging.getLogger(__name__)

MOST_BYTES = 2**20
"""Of one message; a wake-up task has about 1,000."""
_dropped = itertools.count(1)


def readable(text: bytes | str, channel: virtual.Channel) -> Any | None:
    """Return a message as kombu's channels take it; None, and a line in the log, where no consumer could be given it.

    Celery takes for granted that a message is JSON, has a delivery tag and a body that decodes, and that a task has an
    id: it ends the worker otherwise, and the message is gone by then.
    """
    try:
        payload = loads(bytes_to_str(text))
        message = channel.Message(payload, channel=channel)
        headers = {**message.headers}
        message.decode()
        named = [message.delivery_tag, message.delivery_info["exchange"], message.delivery_info["routing_key"]]
        if "task" in headers:
            named.append(headers.get("id"))
        if all(isinstance(name, str) for name in named):
            return payload
    except Exception as error:  # noqa: BLE001 a decoder of kombu's may raise anything, and nothing else is done here
        drop(type(error).__name__)
    else:
        drop("no message of a task")
    return None


def drop(why: str) -> None:
    """Tell the log of a message that was dropped, and of how many there were."""
    log.warning("an unreadable message was dropped, the %d. of this process: %s", next(_dropped), why)
