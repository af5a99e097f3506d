"""API keys in the database. A row stays when its key is revoked: nobody else gets its id, and what it owns."""

from collections.abc import Sequence

import limits
from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from api.keys._key import SCOPES, InvalidKeys, Key, Scope, digest, new_key, read_words
from core.store import ApiKey, EndedSession, now, serialise

DAY = 86_400.0


def read(session: Session) -> dict[str, Key]:
    """Return the keys by id, those that have ended too."""
    ended = case((ApiKey.revoked_at.is_not(None), "was revoked"), (ApiKey.expires_at <= now(), "has expired"))
    return {
        one.id: Key(
            one.sha256,
            SCOPES[one.scope],
            unfinished_runs=one.unfinished_runs,
            priority=one.priority,
            requests=one.requests and limits.parse(one.requests),
            runs=one.runs,
            points=one.points,
            bytes=one.bytes,
            ended=why,
        )
        for one, why in session.execute(select(ApiKey, ended))
    }


def keys(session: Session) -> Sequence[ApiKey]:
    """Return the rows of the keys, by id."""
    return session.scalars(select(ApiKey).order_by(ApiKey.id)).all()


def create(session: Session, name: str, words: Sequence[str] = (), days: float | None = None) -> str:
    """Store a new key, `submit` unless the words name its scope, and return it: it cannot be read again.

    It expires after so many `days`; None: never. Raises `InvalidKeys`, also for an id that has been given.
    """
    said = read_words(words)
    key = new_key(name)
    serialise(session, "api keys")
    if session.get(ApiKey, name) is not None:
        raise InvalidKeys(f"there is or was a key {name!r}: `initlab keys rotate` renews it, else choose another id")
    requests = dict(word.split("=") for word in words).get("requests")  # as it is written, to be read again
    session.add(
        ApiKey(
            id=name,
            sha256=digest(key),
            scope=said.get("scope", Scope.SUBMIT).word,
            **{name: said.get(name) for name in ("unfinished_runs", "priority", "runs", "points", "bytes")},
            requests=requests,
            created_at=session.scalar(select(now())),
            expires_at=_in(session, days),
        )
    )
    return key


def revoke(session: Session, name: str) -> None:
    """End a key for good; one that was revoked stays as it is. Raises `InvalidKeys` for an unknown id."""
    one = _row(session, name)
    if one.revoked_at is None:
        one.revoked_at = session.scalar(select(now()))


def rotate(session: Session, name: str, days: float | None = None) -> str:
    """Give a key another secret, and return the new key: the old one ends, all else stays.

    It expires after so many `days`; None: when the old one would have. Raises `InvalidKeys` for a key that is unknown
    or was revoked, and for one that has expired where `days` does not say until when the new one holds.
    """
    one = _row(session, name)
    if one.revoked_at is not None:
        raise InvalidKeys(f"the key {name!r} was revoked, which is for good: make one of another id")
    if days is not None:
        one.expires_at = _in(session, days)
    elif one.expires_at is not None and one.expires_at <= (session.scalar(select(now())) or 0.0):
        raise InvalidKeys(f"the key {name!r} has expired: say with --days how long the new one holds")
    key = new_key(name)
    one.sha256 = digest(key)
    return key


def used(session: Session, name: str) -> None:
    """Note that a key was used."""
    session.execute(update(ApiKey).where(ApiKey.id == name).values(last_used_at=now()))


def ended_sessions(session: Session) -> frozenset[str]:
    """Return the ids of sessions that were signed out and would not have expired."""
    return frozenset(session.scalars(select(EndedSession.id).where(EndedSession.expires_at > now())))


def end_session(session: Session, name: str, expires_at: float) -> None:
    """End a session of a browser in all processes, and forget those that have expired meanwhile."""
    session.execute(delete(EndedSession).where(EndedSession.expires_at <= now()))
    session.merge(EndedSession(id=name, expires_at=expires_at))


def _row(session: Session, name: str) -> ApiKey:
    found = session.get(ApiKey, name, with_for_update=True)
    if found is None:
        known = ", ".join(session.scalars(select(ApiKey.id).order_by(ApiKey.id)).all())
        raise InvalidKeys(f"the database has no key {name!r}; what it has: {known or 'none'}")
    return found


def _in(session: Session, days: float | None) -> float | None:
    if days is not None and days <= 0:
        raise InvalidKeys(f"--days should be more than 0, and is {days:g}: `initlab keys revoke` ends a key")
    return None if days is None else session.scalar(select(now() + days * DAY))
