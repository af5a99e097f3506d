"""The commands that become a part of the service, each in a process of its own: the client imports none of it."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from initlab.errors import ClientError
from initlab.installation import server_path
from initlab.output import AsJson

NEEDED = ("alembic", "celery", "fastapi", "sqlalchemy", "torch", "uvicorn")
Host = Annotated[str | None, typer.Option(help="Address to listen on; any but loopback needs API keys.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")]
Concurrency = Annotated[
    int | None,
    typer.Option(
        min=1, help="Processes that train at the same time: one for each GPU, else for each core (8 at most)."
    ),
]
LinesAsJson = Annotated[
    bool, typer.Option("--json", help="Print a line of JSON when it is ready, and log lines of JSON, for programs.")
]

Id = Annotated[str, typer.Option(help="Whose key it is.")]
Stored = Annotated[int | None, typer.Option(min=0, help="Most of them that it may have stored at a time.")]
Days = Annotated[float | None, typer.Option(min=0, help="Days until it expires; without: never, or as before.")]

database = typer.Typer(no_args_is_help=True, help="The service's database.", rich_markup_mode=None)
keys = typer.Typer(no_args_is_help=True, help="The service's API keys.", rich_markup_mode=None)


def serve(
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept (INITLAB_DATA_DIR, ./var).")] = None,
    host: Host = None,
    port: Port = None,
    concurrency: Concurrency = None,
    first_key: Annotated[
        bool, typer.Option("--first-key", help="Where there is no API key yet, make an admin's and show it once.")
    ] = False,
    as_json: LinesAsJson = False,
    parent_pipe: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the whole service here: API, worker, SQLite and an embedded broker."""
    where = {"data_dir": data_dir, "host": host, "port": port}
    how = {"concurrency": concurrency, "first_key": first_key, "parent_pipe": parent_pipe}
    become("worker.supervisor", **where, **how, json=as_json)


def api(host: Host = None, port: Port = None, as_json: LinesAsJson = False) -> None:
    """Run the API alone, for a deployment."""
    become("api", host=host, port=port, json=as_json)


def worker(
    concurrency: Concurrency = None,
    queues: Annotated[
        str | None, typer.Option(help="What to train, with commas: cpu, gpu, and labels that specs name as queue.")
    ] = None,
    idle_exit: Annotated[
        str | None, typer.Option(help="End when nothing was trained for so long, such as 5m; code 0.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            help="End so long after the start, such as 3h50m: what is trained goes back with a checkpoint; code 0."
        ),
    ] = None,
    as_json: LinesAsJson = False,
) -> None:
    """Run a worker alone, for a deployment."""
    become("worker", concurrency=concurrency, queues=queues, idle_exit=idle_exit, until=until, json=as_json)


@database.command()
def upgrade(as_json: AsJson = False) -> None:
    """Bring the database's tables to this version."""
    become("core.store", "upgrade", json=as_json)


@database.command("compact")
def compact(as_json: AsJson = False) -> None:
    """Write an SQLite database anew, without what is free in it; nobody writes meanwhile."""
    become("core.store", "compact", json=as_json)


@database.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    no_files: Annotated[
        bool, typer.Option("--no-files", help="The database alone: the files are backed up by other means.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the database, and the uploads, weights and checkpoints that it names, while the service runs."""
    become("core.experiments.maintenance.backup", "backup", str(folder), no_files=no_files, json=as_json)


@database.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="What `initlab db backup` made.")], as_json: AsJson = False
) -> None:
    """Put a backup into an empty database and an empty file store, and bring it to this version's tables."""
    become("core.experiments.maintenance.backup", "restore", str(folder), json=as_json)


def disk(as_json: AsJson = False) -> None:
    """Show what takes space: tables, experiments, uploads, checkpoints."""
    become("core.store", "disk", json=as_json)


@keys.command()
def create(
    id: Id,  # noqa: A002 the option's name
    file: Annotated[
        Path | None, typer.Option(help="A file of hashed keys (INITLAB_API_KEYS_FILE), instead of the database.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option(help="read, submit (the default in the database) or admin (in a file).")
    ] = None,
    days: Days = None,
    unfinished_runs: Annotated[
        int | None, typer.Option(min=0, help="Most runs that are queued or running at a time.")
    ] = None,
    priority: Annotated[int | None, typer.Option(help="The highest priority it may ask for.")] = None,
    requests: Annotated[str | None, typer.Option(help="Most requests in a time, such as 20/second.")] = None,
    runs: Stored = None,
    points: Stored = None,
    bytes: Stored = None,  # noqa: A002 the option's name
    as_json: AsJson = False,
) -> None:
    """Make an API key: its hash is kept, the key is shown once. As soon as there is a key, every request needs one."""
    limits = {"unfinished_runs": unfinished_runs, "priority": priority, "requests": requests}
    limits |= {"runs": runs, "points": points, "bytes": bytes}
    become("api.keys", "create", file=file, id=id, scope=scope, days=days, json=as_json, **limits)


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the database's API keys."""
    become("api.keys", "list", json=as_json)


@keys.command()
def revoke(id: Id, as_json: AsJson = False) -> None:  # noqa: A002 the option's name
    """End an API key for good: within a second no API takes it."""
    become("api.keys", "revoke", id=id, json=as_json)


@keys.command()
def rotate(id: Id, days: Days = None, as_json: AsJson = False) -> None:  # noqa: A002 the option's name
    """Give an API key another secret, shown once; the old one ends."""
    become("api.keys", "rotate", id=id, days=days, json=as_json)


def become(module: str, *words: str, **options: object) -> NoReturn:
    """Replace this process by `python -m module`, with the options that were given.

    Raises `ClientError` where only the client is installed.
    """
    if any(find_spec(package) is None for package in NEEDED):
        raise ClientError('The service needs more than the client does: pip install "initlab[server]"')
    said = {
        name.replace("_", "-"): value for name, value in options.items() if value is not None and value is not False
    }
    given = [f"--{name}" if value is True else f"--{name}={value}" for name, value in said.items()]
    path = os.pathsep.join(filter(None, [server_path(), os.environ.get("PYTHONPATH")]))  # its children inherit it
    # A folder named api or core where the user stands is not ours: python -m would import it first.
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": path}
    if options.get("json"):
        environment["INITLAB_LOG_FORMAT"] = "json"
    os.execve(sys.executable, [sys.executable, "-m", module, *words, *given], environment)  # noqa: S606 no shell is meant
