"""Clients of the service for the calls of agents: one's own key, or that which came with a call."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mcp.server.mcpserver.exceptions import ToolError

from initlab.client import Client
from initlab.errors import ClientError

BEARER = "bearer "


class Clients:
    """Lends a client for each call; `own_key`: whether a call without a key may use the key of this process."""

    def __init__(self, *, own_key: bool = True) -> None:
        self._own = Client() if own_key else None

    @contextmanager
    def of(self, headers: Mapping[str, str] | None) -> Iterator[Client]:
        """Yield the client of a call with these HTTP headers; None: it came by standard input.

        Raises `ToolError`, whose words the agent reads, for what the service refuses and where no key is there.
        """
        try:
            said = (headers or {}).get("authorization", "")
            if said.lower().startswith(BEARER):
                with Client(api_key=said[len(BEARER) :]) as client:
                    yield client
            elif self._own is None:
                raise ToolError("send an API key of the service as `Authorization: Bearer KEY`")
            else:
                yield self._own
        except ClientError as refused:
            raise ToolError(str(refused)) from refused
