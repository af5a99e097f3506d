"""`python -m docs.manual`: build the manual that the API serves at /manual; `make docs`."""

import argparse
import sys
from pathlib import Path

from docs.manual import BUILT, ManualError, build


def main() -> int:
    """Return the exit code: 0, or 1 with what is wrong with the pages on stderr."""
    arguments = argparse.ArgumentParser(prog="python -m docs.manual", description="Build the manual.")
    arguments.add_argument("--to", type=Path, default=BUILT, help="the folder of the site (default: %(default)s)")
    arguments.add_argument("--work", type=Path, default=Path("var/manual"), help="what is made on the way")
    given = arguments.parse_args()
    try:
        pages = build(given.work, given.to)
    except ManualError as error:
        sys.stderr.write(f"the manual is not built:\n{error}\n")
        return 1
    sys.stdout.write(f"{pages:,} pages in {given.to}; a service has them at /manual\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
