"""`python -m core.datasets fetch NAME`: download a public data set into the folder that the settings name."""

import argparse
import json
import socket
import sys
from pathlib import Path

from core.datasets._downloads import DOWNLOADS
from core.datasets._fetch import fetch
from core.errors import Unavailable
from core.registry import unknown
from core.settings import Settings

USAGE, UNREACHABLE, INTERRUPTED = 2, 3, 130
SILENT_SECONDS = 60.0


def main() -> int:
    """Run the command and return its exit code.

    0; 2 for an unknown name or a folder that cannot be written; 3 where the server does not answer.
    """
    parser = argparse.ArgumentParser(prog="initlab datasets", allow_abbrev=False)
    command = parser.add_subparsers(required=True).add_parser("fetch")
    command.add_argument("name", help=", ".join(DOWNLOADS))
    command.add_argument("--data-dir", type=Path, help="where everything is kept (default: INITLAB_DATA_DIR or ./var)")
    command.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.name not in DOWNLOADS:
        return _complain(unknown("data set to download", arguments.name, DOWNLOADS).message, USAGE)
    files = (Settings(data_dir=arguments.data_dir) if arguments.data_dir else Settings()).datasets
    folder = (files / DOWNLOADS[arguments.name].folder).absolute()
    socket.setdefaulttimeout(SILENT_SECONDS)
    try:
        new = fetch(arguments.name, files)
    except Unavailable as error:
        return _complain(error.detail, UNREACHABLE)
    except OSError as error:
        return _complain(f"{arguments.name} cannot be stored: {error}", USAGE)
    except KeyboardInterrupt:
        return _complain(f"{arguments.name} was not downloaded", INTERRUPTED)
    said = f"{arguments.name} is {'' if new else 'there already, '}in {folder}"
    answer = {"name": arguments.name, "folder": str(folder), "new": new}
    sys.stdout.write(f"{json.dumps(answer, indent=2) if arguments.json else said}\n")
    return 0


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
