"""Folders of runs, sent to a server: those of machines without one, and what killed programs left behind."""

from pathlib import Path
from typing import Any, NamedTuple

from initlab.client import Client
from initlab.errors import ClientError, Unreachable
from initlab.tracking.journal import read_json, write_json
from initlab.tracking.outbox import Away, Outbox
from initlab.tracking.tracker import FILE, identity, journal_folder, outboxes


class Synced(NamedTuple):
    """The fate of one experiment's folder."""

    folder: Path
    experiment: int | None
    """Its id on the server."""
    name: str
    points: int
    """Points that were sent now."""
    ended: int
    """Runs whose ends the server has."""
    open: int
    """Runs without an end: they are still logged, or were killed."""
    refused: tuple[str, ...]
    """Reasons of the server for what it does not take, and what is wrong with files."""
    skipped: int = 0
    """Points that could not be read and were left out, as was asked for."""


def sync(folder: str | Path | None = None, client: Client | None = None, *, skip_damaged: bool = False) -> list[Synced]:
    """Send all that a folder holds and the server has not; None: what runs of servers left in INITLAB_JOURNAL.

    The same again sends what came since, and nothing twice, also two at the same time. It may run while programs log
    into the folder. A run whose file is damaged is sent until there; with `skip_damaged` what is whole behind it too.
    Raises `Unreachable` where the server is away, and `ClientError` where the folder holds no experiment.
    """
    client = client or Client()
    root = journal_folder() if folder is None else Path(folder)
    files = sorted(root.rglob(FILE)) if root.is_dir() else []
    if not files and folder is not None:
        raise ClientError(f"there is no experiment in {root}")
    found = []
    for file in files:
        try:
            about = read_json(file)
        except ClientError as error:
            found.append(Synced(file.parent, None, "", 0, 0, 0, (str(error),)))
            continue
        if about is not None and (folder is not None or about["url"] == client.url):
            found.append(_send(file.parent, about, client, skip_damaged=skip_damaged))
    return found


def _send(folder: Path, about: dict[str, Any], client: Client, *, skip_damaged: bool) -> Synced:
    name = str(about["spec"].get("name") or "")
    if about["url"] not in (None, client.url):
        reason = f"it belongs to {about['url']}: set INITLAB_URL to that"
        return Synced(folder, about["id"], name, 0, 0, 0, (reason,))
    if about["id"] is None:
        made = client.submit(about["spec"], about["key"]).data
        about |= {"url": client.url, "id": made["id"], "created_at": made["created_at"]}
        write_json(folder / FILE, about)
    experiment = client.experiment(about["id"])
    if identity(experiment.data) != identity(about):
        return Synced(folder, about["id"], name, 0, 0, 0, (f"experiment {about['id']} is another one now",))
    if not about["runs"]:
        about["runs"] = {f"{one['arm']}/{one['seed']}": one["id"] for one in experiment.runs()}
        write_json(folder / FILE, about)
    points = ended = begun = skipped = 0
    refused: list[str] = []
    for box in outboxes(folder, about["runs"], experiment.transport, refused, skip_damaged=skip_damaged):
        _empty(box)
        points, begun, ended = points + box.sent, begun + 1, ended + box.finished
        skipped += box.skipped
        if box.refused:
            refused.append(f"arm {box.head.arm!r}, seed {box.head.seed}: {box.refused}")
    return Synced(folder, about["id"], name, points, ended, begun - ended, tuple(refused), skipped)


def _empty(box: Outbox) -> None:
    try:
        while box.send():
            pass
    except Away as error:
        raise Unreachable(str(error)) from error
