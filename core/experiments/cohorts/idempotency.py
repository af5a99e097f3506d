"""Idempotency keys end: for a day the same key gives what was made under it, and then makes something new."""

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from core.store import Experiment, Webhook, now

KEPT = 86_400.0
"""Seconds from when something was made for which its key counts."""

Made = type[Experiment] | type[Webhook]


def is_known(made: Made, key: str) -> ColumnElement[bool]:
    """Return the condition of what was made under a key that still counts."""
    return (made.idempotency_key == key) & (made.created_at > now() - KEPT)


def forget(session: Session, made: Made, key: str | None = None) -> None:
    """Take the keys that have ended from what was made under them; with `key` that one alone."""
    ended = [made.idempotency_key.is_not(None), made.created_at <= now() - KEPT]
    if key is not None:
        ended.append(made.idempotency_key == key)
    session.execute(
        update(made).where(*ended).values(idempotency_key=None).execution_options(synchronize_session=False)
    )
