"""Messages that no consumer can be given, as anyone who can write to the broker may leave there."""

import json

from kombu.utils.json import dumps

_PROPERTIES: dict[str, object] = {
    "delivery_tag": "1",
    "delivery_info": {"exchange": "", "routing_key": "tasks"},
    "body_encoding": "base64",
}
_JSON = {"content-type": "application/json", "content-encoding": "utf-8"}


def _message(**changed: object) -> bytes:
    message = {"body": "W10=", "properties": _PROPERTIES, "headers": {}, **_JSON} | changed
    return json.dumps(message).encode()


UNREADABLE = [
    *(b"", b'{"body": "hal', b"\xff\xfe garbage", b"[]garbage", b"[1]", b"null", b"7", b"{}", b"[" * 100_000),
    _message(body="=bad="),
    _message(body="W1"),
    _message(body="bm8gSlNPTg=="),
    _message(body=7),
    _message(properties=[]),
    _message(properties={"delivery_tag": []}),
    _message(properties=_PROPERTIES | {"delivery_info": 7}),
    _message(properties=_PROPERTIES | {"delivery_info": {}}),
    _message(headers=[1]),
    _message(headers={"task": "initlab.wake_up"}),
    _message(**{"content-type": "application/x-python-serialize"}),
    dumps({"__type__": "datetime", "__value__": "never"}).encode(),
]
