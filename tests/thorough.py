"""How much is tried: all with `make test EVERY=1`, as CI does. A person waits for `make test`: it has a selection."""

import os
import socket
from urllib.parse import urlsplit

EVERY = bool(os.environ.get("INITLAB_TEST_EVERY"))
POSTGRES = os.environ.get("INITLAB_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")


def postgres_listens() -> bool:
    """Return whether something listens where PostgreSQL should."""
    where = urlsplit(POSTGRES)
    try:
        socket.create_connection((where.hostname or "127.0.0.1", where.port or 5432), timeout=3).close()
    except OSError:
        return False
    return True
