"""`python -m core.files`: the name of the settings' file store on stdout, for a process that is going to fork."""

import sys

from core.errors import InitlabError
from core.files import file_store
from core.files.identity import identity
from core.settings import settings


def main() -> int:
    """Return the exit code: 0, or 2 with the reason on stderr."""
    try:
        sys.stdout.write(identity(file_store(settings())))
    except (InitlabError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
