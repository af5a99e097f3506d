"""The server of the Model Context Protocol: the tools, over standard input and output or HTTP."""

import ipaddress
import json
import sys
from importlib.metadata import version

import anyio
import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations

from initlab.agents.clients import Clients
from initlab.agents.guide import INSTRUCTIONS
from initlab.agents.tools import Tools
from initlab.errors import ClientError

PATH = "/mcp"
LOCAL = ("127.0.0.1", "localhost", "[::1]")


def make_server(clients: Clients, *, read_only: bool = False) -> MCPServer:
    """Return the server; with `read_only` it has no tool that posts or changes anything."""
    server = MCPServer("initlab", version=version("initlab"), instructions=INSTRUCTIONS, log_level="WARNING")
    tools = Tools(clients)
    for tool in tools.reading:
        server.add_tool(tool, annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    if not read_only:
        for tool in tools.writing:
            server.add_tool(tool, annotations=_changing(destructive=False))
        for tool in tools.ending:
            server.add_tool(tool, annotations=_changing(destructive=True))
    return server


def _changing(*, destructive: bool) -> ToolAnnotations:
    return ToolAnnotations(
        read_only_hint=False, destructive_hint=destructive, idempotent_hint=destructive, open_world_hint=False
    )


def serve_stdio(*, read_only: bool) -> None:
    """Serve one agent on standard input and output, until they are closed."""
    make_server(Clients(), read_only=read_only).run("stdio")


def serve_http(host: str, port: int, *, read_only: bool, as_json: bool) -> None:
    """Serve agents by streamable HTTP at `/mcp`, and print the address once it is there.

    Beyond loopback a caller without an API key of its own gets nothing. Raises `ClientError` where the port is taken.
    """
    local = is_loopback(host)
    app = make_server(Clients(own_key=local), read_only=read_only).streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        host=host,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=local,  # no page of elsewhere talks to it through a name that it chooses
            allowed_hosts=[f"{one}:*" for one in LOCAL],
            allowed_origins=[f"http://{one}:*" for one in LOCAL],
        ),
    )
    config = uvicorn.Config(app, host=host, port=port, log_level="warning")
    try:
        listening = config.bind_socket()
    except SystemExit:
        raise ClientError(f"nothing can listen at {host}, port {port}: choose another with --port") from None
    where = f"[{host}]" if ":" in host else host
    url = f"http://{where}:{listening.getsockname()[1]}{PATH}"
    sys.stdout.write((json.dumps({"url": url}) if as_json else f"agents are served at {url}") + "\n")
    sys.stdout.flush()
    with listening:
        anyio.run(uvicorn.Server(config).serve, [listening])


def is_loopback(host: str) -> bool:
    """Return whether an address is one of `LOCAL`, which only this machine reaches."""
    try:
        return str(ipaddress.ip_address(host)) in ("127.0.0.1", "::1")
    except ValueError:
        return host == "localhost"
