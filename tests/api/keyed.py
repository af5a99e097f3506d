"""Keys of a service in a test: made, sent, and looked at again as a second later."""

from collections.abc import Callable

from fastapi.testclient import TestClient

from tests.api.held import service_of

Sent = dict[str, str]
Make = Callable[..., Sent]


def sent_with(key: str) -> Sent:
    """Return the header that sends a key."""
    return {"Authorization": f"Bearer {key}"}


def look_again(*clients: TestClient) -> None:
    """Have what was read of the keys count as too old, as it is a second later."""
    for client in clients:
        service_of(client).keys._read_at = -1e9
