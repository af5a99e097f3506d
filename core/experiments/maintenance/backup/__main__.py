"""`python -m core.experiments.maintenance.backup backup | restore FOLDER [--no-files] [--json]`."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from core.errors import InitlabError
from core.experiments.maintenance.backup.make import back_up
from core.experiments.maintenance.backup.manifest import ABOUT, CHECKPOINTS, UPLOADS, WEIGHTS, Manifest
from core.experiments.maintenance.backup.restore import restore
from core.settings import settings
from core.store.database import in_words
from core.store.network_disk import refuse_network_disk


def main() -> int:
    """Return the exit code: 0, or 2 with the reason on stderr."""
    arguments = argparse.ArgumentParser(prog="initlab db")
    arguments.add_argument("what", choices=("backup", "restore"))
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--no-files", action="store_true")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    try:
        refuse_network_disk(settings())
        if given.what == "backup":
            found = back_up(settings(), given.folder, with_files=not given.no_files)
        else:
            found = restore(settings(), given.folder)
    except (InitlabError, DBAPIError, OSError) as error:
        sys.stderr.write(f"{given.what} failed: {in_words(error)}\n")
        return 2
    sys.stdout.write(f"{found.model_dump_json(indent=2)}\n" if given.json else _text(found, given.what, given.folder))
    return 0


def _text(found: Manifest, what: str, folder: Path) -> str:
    parts = Counter(name.split("/")[0] for name in found.files)
    datasets = sum(name.endswith(f"/{ABOUT}") for name in found.below(UPLOADS))
    size = sum(one.bytes for one in found.files.values())
    done = f"{folder} has" if what == "backup" else f"restored from {folder}:"
    text = f"{done} the database at revision {found.revision}"
    if found.with_files:
        text += f", {datasets} data sets, {parts[WEIGHTS]} files of weights, {parts[CHECKPOINTS]} checkpoints"
    text += f"; {size / 2**20:,.1f} MiB\n"
    if found.missing:
        text += f"not there when it was made: {', '.join(found.missing[:10])}"
        text += f" and {len(found.missing) - 10:,} more\n" if len(found.missing) > 10 else "\n"
    return text


if __name__ == "__main__":
    sys.exit(main())
