"""Messages to webhooks: their bodies, and their signatures after Standard Webhooks (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Message(NamedTuple):
    """One delivery as it is to be sent, in plain values."""

    id: str
    url: str
    payload: str
    """json or slack."""
    secret: str
    event: str
    at: float
    """Seconds since 1970 of the event."""
    data: Mapping[str, Any]


def body_of(message: Message) -> bytes:
    """Return the body: `{"type", "timestamp", "data"}`, or for Slack `{"text"}`."""
    if message.payload == "slack":
        return json.dumps({"text": _sentence(message.event, message.data)}).encode()
    at = datetime.fromtimestamp(message.at, UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": message.event, "timestamp": at, "data": message.data}).encode()


def headers_of(message: Message, body: bytes, seconds: int) -> dict[str, str]:
    """Return the headers of an attempt that is made at this time, with the signature of what is sent."""
    key = base64.b64decode(message.secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{message.id}.{seconds}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "User-Agent": "initlab-webhooks",
        "webhook-id": message.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def _sentence(event: str, data: Mapping[str, Any]) -> str:
    name = data["name"]
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):  # Slack's own three: a name must be no link
        name = name.replace(sign, escaped)
    called = f"Experiment {data['experiment_id']} ({name})"
    if event == "experiment.decided":
        return f"{called}: its arms were compared after epoch {data['epoch']}"
    return f"{called}: {event.removeprefix('experiment.')}"
