"""Plug-ins that experiments wait for, and the workers that have each."""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Warned
from core.experiments.cohorts.heartbeat import BEAT
from core.plugins import Pin
from core.store import Worker, now


def pins_of_workers(session: Session) -> list[dict[str, Pin]]:
    """Return the plug-ins of each training process that is alive and takes cohorts."""
    alive = (Worker.last_seen > now() - 3 * BEAT, ~Worker.draining)
    return [
        {name: Pin.model_validate(pin) for name, pin in (plugins or {}).items()}
        for plugins in session.scalars(select(Worker.plugins).where(*alive))
    ]


def workers_with(session: Session) -> Counter[tuple[str, str]]:
    """Return the number of these processes that have a plug-in, by its name and hash."""
    return Counter((name, pin.sha256) for own in pins_of_workers(session) for name, pin in own.items())


def missing(needed: Mapping[str, Pin], workers: Iterable[Mapping[str, Pin]]) -> list[Warned]:
    """Return what an experiment waits for: the plug-ins that no worker has, or that none has with all others.

    Nothing where some worker has them all, and where there is no worker: then it waits for any.
    """
    workers = list(workers)
    if not workers or any(all(own.get(name) == pin for name, pin in needed.items()) for own in workers):
        return []
    found: list[Warned] = []
    for name, pin in needed.items():
        others = sorted({str(own[name]) for own in workers if name in own})
        if pin.sha256 not in {own[name].sha256 for own in workers if name in own}:
            there = f"what workers have is {', '.join(others)}" if others else "no worker has that plug-in"
            found.append({"path": f"plugins.{name}", "message": f"it waits for a worker with {name} {pin}: {there}"})
    if not found:
        listed = ", ".join(f"{name} {pin}" for name, pin in needed.items())
        found.append({"path": "plugins", "message": f"it waits for a worker that has all of these: {listed}"})
    return found
