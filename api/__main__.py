"""`python -m api`: the HTTP server."""

import argparse
import gc
import logging
import socket
import sys
import tempfile
from multiprocessing.util import get_temp_dir

from sqlalchemy.exc import DBAPIError

from api.app import create_app
from api.connections import Limits
from api.pool import fork_from_here
from api.server import Server
from core.errors import InitlabError
from core.exposure import refuse_without_keys
from core.logs import set_up
from core.parent_watch import leave_with_parent, leaving_at_once
from core.settings import settings
from core.store import once_it_answers, require_current
from core.store.network_disk import refuse_network_disk

USAGE = 2

log = logging.getLogger("api")


def main() -> int:
    """Run until SIGTERM; return 0, or 2 with the reason on stderr when it may not run as asked."""
    given = _arguments()
    set_up("api", settings())
    get_temp_dir()  # of the fork server's socket, whose path has to be short: chosen before that of uploads
    fork_from_here()  # before there is a thread, a connection or a handler of a signal
    try:
        inherited = None if given.fd is None else socket.socket(fileno=given.fd)
        leave_with_parent(given.parent_pipe)
        settings().data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_network_disk(settings())
        with leaving_at_once():
            once_it_answers(settings().database, require_current, log.warning)
        for host in (given.host, *([inherited.getsockname()[0]] if inherited else [])):
            refuse_without_keys(host, settings())
        app = create_app(settings())
    except (InitlabError, DBAPIError, OSError) as error:
        log.error("the API cannot start: %s", error)
        return USAGE
    tempfile.tempdir = str(settings().data_dir.absolute())  # uploads are laid aside here: /tmp may be memory
    gc.freeze()  # what was imported stays: a collection that walks it takes a tenth of a second, in mid answer
    server = Server(
        app,
        given.host,
        given.port,
        limits=Limits(settings().header_seconds, settings().body_seconds, settings().max_connections),
        drain=settings().drain_seconds,
        inherited=inherited is not None,
        ready=given.ready_pipe,
        tell=given.json,
    )
    server.run([inherited] if inherited else None)
    return 0 if server.started else USAGE


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="initlab api", description="The HTTP server.")
    arguments.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    arguments.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    arguments.add_argument("--fd", type=int, help="a socket that is listened on already, shared with other processes")
    arguments.add_argument("--json", action="store_true", help="print a line of JSON once requests are answered")
    arguments.add_argument("--ready-pipe", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--parent-pipe", type=int, help=argparse.SUPPRESS)
    return arguments.parse_args()


if __name__ == "__main__":
    sys.exit(main())
