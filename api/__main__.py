"""`python -m api`: the HTTP server."""

import argparse
import gc
import sys
import tempfile

import uvicorn

from api.app import create_app
from api.guard import is_loopback
from core.errors import InitlabError
from core.lifeline import leave_with_parent
from core.logs import set_up
from core.settings import settings

USAGE = 2


def main() -> int:
    """Runs until SIGTERM; returns 2 with the reason on stderr when it may not run as asked."""
    arguments = argparse.ArgumentParser(prog="initlab api", description="The HTTP server.")
    arguments.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    arguments.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    arguments.add_argument("--parent-pipe", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if not is_loopback(given.host) and settings().api_keys_file is None:
        sys.stderr.write(
            f"{given.host} can be reached from other machines, and no API keys are configured: make one with "
            "`initlab keys create --file keys --id NAME` and set INITLAB_API_KEYS_FILE=keys\n"
        )
        return USAGE
    set_up("api", settings())
    try:
        app = create_app(settings())
    except InitlabError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    tempfile.tempdir = str(settings().data_dir.absolute())  # uploads are laid aside here: /tmp may be memory
    leave_with_parent(given.parent_pipe)
    gc.freeze()  # what was imported stays: a collection that walks it takes a tenth of a second, in mid answer
    # A poller asks several times a second: its every request in the log would hide what matters.
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=given.host, port=given.port, log_config=None, access_log=False, timeout_graceful_shutdown=3
        )
    )
    server.run()
    return 0 if server.started else USAGE


if __name__ == "__main__":
    sys.exit(main())
