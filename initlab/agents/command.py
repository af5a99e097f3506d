"""The command that serves agents."""

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from initlab.errors import ClientError

NEEDED = ("mcp", "uvicorn")


def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Serve HTTP (streamable) at /mcp instead of standard input and output.")
    ] = False,
    host: Annotated[str, typer.Option(help="With --http: the address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --http: the port; 0 picks a free one.")] = 8765,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Offer no tool that posts or changes anything.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --http: print the address as a line of JSON, for programs.")
    ] = False,
) -> None:
    """Let agents use the server by the Model Context Protocol: preview, submit, wait, report, compare, studies.

    By --http each caller's `Authorization: Bearer KEY` is the API key that counts; without one INITLAB_API_KEY does,
    but only on loopback.
    """
    if any(find_spec(name) is None for name in NEEDED):
        raise ClientError("initlab mcp needs the Model Context Protocol's SDK: pip install 'initlab[mcp]'")
    server = import_module("initlab.agents.server")  # of an extra, and slow
    if http:
        server.serve_http(host, port, read_only=read_only, as_json=as_json)
    else:
        server.serve_stdio(read_only=read_only)
