"""A secret that several processes share, in a file that the first of them makes."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

BYTES = 32


def shared_secret(path: Path) -> bytes:
    """Return the secret of that file, 32 random bytes; made for its owner alone where there is none.

    The file appears whole: of processes that begin together, all return what the first one wrote. Raises `OSError`.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as draft:
        draft.write(secrets.token_bytes(BYTES))
        draft.flush()
        os.fsync(draft.fileno())
        with suppress(FileExistsError):  # of another process, which was first
            os.link(draft.name, path)
    return path.read_bytes()
