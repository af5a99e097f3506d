"""The software that trains: what a claim records, so that runs of two experiments can be told to be of one code."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import core
from core.plugins import Pin, told
from core.store import Event

PACKAGES = ("datasets", "initializers", "metrics", "models", "optimizers", "schedules", "spec", "training")
"""The parts of `core` on which what a run comes to depends, beside the streams of random numbers."""
MOST_CLAIMS = 10_000


def software(plugins: Mapping[str, Pin] | None = None) -> dict[str, str]:
    """Return the releases of initlab and PyTorch, and `code`, a hash of the sources that trainings depend on.

    With plug-ins also `plugins`, these in words.
    """
    return {**_software(), "plugins": told(plugins)} if plugins else _software()


@cache
def _software() -> dict[str, str]:
    folder = Path(core.__file__).parent
    files = [folder / "streams.py", *(path for part in PACKAGES for path in sorted((folder / part).rglob("*.py")))]
    code = hashlib.blake2b(b"".join(path.read_bytes() for path in files), digest_size=8).hexdigest()
    return {"initlab": version("initlab"), "torch": version("torch"), "code": code}


def trained_by(session: Session, experiment_id: int) -> list[dict[str, str]]:
    """Return the software of all claims of an experiment that say it, each once, the earliest first."""
    claims = (
        select(Event.detail)
        .where(Event.experiment_id == experiment_id, Event.kind == "claimed")
        .order_by(Event.id)
        .limit(MOST_CLAIMS)
    )
    found: dict[str, dict[str, Any]] = {}
    for detail in session.scalars(claims):
        if "software" in detail:
            found.setdefault(repr(sorted(detail["software"].items())), detail["software"])
    return list(found.values())
