"""Completion in the shell: ids, names of catalogues and of pictures."""

import json
from importlib.resources import files
from typing import Any

import typer

from initlab.client import Client
from initlab.errors import ClientError

PATIENCE = 0.5
"""Seconds for a server: who presses a key waits for no longer."""
DOWNLOADS = ("cifar10", "cifar100", "fashion_mnist", "kmnist", "mnist")
STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")


def id_of(text: str) -> int:
    """Return an id that was given as text; raises `BadParameter` for what is none."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise typer.BadParameter(f"should be an id, a whole number from 1 on, such as 7; is {text!r}")
    return int(text)


def kinds(incomplete: str) -> list[str]:
    """Return the kinds of catalogues that begin so."""
    return _beginning([*_catalogues(), "metrics", "outcomes", "findings"], incomplete)


def entries(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the entries of the kind before that begin so."""
    return _beginning(_entries(str(ctx.params.get("kind"))), incomplete)


def schedules(incomplete: str) -> list[str]:
    """Return the schedules that begin so."""
    return _beginning(_entries("schedules"), incomplete)


def initializers(incomplete: str) -> list[str]:
    """Return the initializers that begin so."""
    return _beginning(_entries("initializers"), incomplete)


def optimizers(incomplete: str) -> list[str]:
    """Return the optimizers that begin so."""
    return _beginning(_entries("optimizers"), incomplete)


def layers(incomplete: str) -> list[str]:
    """Return the layers that begin so."""
    return _beginning(_entries("layers"), incomplete)


def datasets(incomplete: str) -> list[str]:
    """Return the data sets that begin so."""
    return _beginning(_entries("datasets"), incomplete)


def statuses(incomplete: str) -> list[str]:
    """Return the states of an experiment that begin so."""
    return _beginning(STATUSES, incomplete)


def plots(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the pictures of the experiment before that begin so; none where no server answers."""
    try:
        items = Client(patience=PATIENCE).experiment(_experiment(ctx)).plots()
    except (ClientError, ValueError):
        return []
    return _beginning([str(one["name"]) for one in items], incomplete)


def arms(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the arms of the experiment before that begin so; none where no server answers."""
    try:
        found = Client(patience=PATIENCE).experiment(_experiment(ctx)).arms
    except (ClientError, ValueError):
        return []
    return _beginning([str(one["label"]) for one in found], incomplete)


def series(incomplete: str) -> list[str]:
    """Return the metrics that begin so."""
    return _beginning(_entries("metrics"), incomplete)


def outcomes(incomplete: str) -> list[str]:
    """Return what arms can be compared by that begins so: metrics and what runs come to."""
    return _beginning([*_entries("metrics"), *_entries("outcomes")], incomplete)


def studies(incomplete: str) -> list[str]:
    """Return the studies that begin so; none where no server answers."""
    try:
        return _beginning([str(one["name"]) for one in Client(patience=PATIENCE).studies()], incomplete)
    except ClientError:
        return []


def downloads(incomplete: str) -> list[str]:
    """Return the data sets to fetch that begin so."""
    return _beginning(DOWNLOADS, incomplete)


def _experiment(ctx: typer.Context) -> int:
    """Return the id before; raises ValueError where there is none. Behind an option no argument has been read yet."""
    given = ctx.params.get("experiment")
    return int(given if given is not None else next(iter(ctx.args), ""))


def _catalogues() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(files("initlab").joinpath("build.json").read_text(encoding="utf-8"))
    return {kind: found for kind, found in known.items() if kind not in ("spec", "arm")}


def _entries(kind: str) -> list[str]:
    """Return the names of one kind, those that need no server."""
    found = _catalogues().get(kind)
    if found is not None:
        return list(found)
    try:
        return [str(one["name"]) for one in Client(patience=PATIENCE).catalog(kind)["items"]]
    except ClientError:
        return []


def _beginning(names: Any, incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
