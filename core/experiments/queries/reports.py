"""Reports of experiments that have ended, kept with them: made once for each version and what was asked."""

import hashlib
from functools import cache
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

import core.analysis
from core.plugins import fingerprint
from core.store import Experiment, SavedReport, serialise


def find(session: Session, experiment_id: int, version: str, metric: str | None, media: str) -> bytes | None:
    """Return the report as it was made of this version by this code; None where it was not."""
    asked = (SavedReport.experiment_id == experiment_id, SavedReport.asked == _asked(metric, media))
    return session.scalar(select(SavedReport.body).where(*asked, SavedReport.version == _made(version)))


def store(session: Session, experiment_id: int, version: str, metric: str | None, media: str, body: bytes) -> None:
    """Keep a report in place of the one of another version; of an experiment that is gone nothing."""
    serialise(session, f"report {experiment_id}")
    there = select(Experiment.id).where(Experiment.id == experiment_id, Experiment.deleted_at.is_(None))
    if session.scalar(there.with_for_update(read=True, key_share=True)) is None:
        return  # it was deleted while its report was made
    mine = {"experiment_id": experiment_id, "asked": _asked(metric, media)}
    session.execute(delete(SavedReport).filter_by(**mine))
    session.execute(insert(SavedReport).values(**mine, version=_made(version), body=body))


def _asked(metric: str | None, media: str) -> str:
    return f"{media} {metric or ''}"


def _made(version: str) -> str:
    return f"{version} {code()}{fingerprint()}"


@cache
def code() -> str:
    """Return a hash of the code that reports are made by: another one may find other words for the same numbers."""
    folder = Path(core.analysis.__file__).parent
    files = sorted(folder.rglob("*.py"))
    return hashlib.blake2b(b"".join(path.read_bytes() for path in files), digest_size=8).hexdigest()
