"""What was told is told once, in the order of the commits."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.experiments.history import events, tell
from core.store import Database, upgrade
from tests.core.experiments.claims import queued


def test_ids_follow_the_commits(postgres_url: str) -> None:
    """Or who has read up to the larger id would never see the smaller one. SQLite has one writer anyway."""
    database = Database(postgres_url)
    upgrade(database.engine)
    first, second = queued(database), queued(database)
    with database.transaction() as one:
        tell(one, first, "paused")
        with pytest.raises(OperationalError, match="lock timeout"), database.transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            tell(other, second, "paused")  # another experiment's is its own affair
            tell(other, first, "resumed")
    with database.reading() as session:
        assert [event.kind for event in events(session, first)] == ["accepted", "paused"]
    database.dispose()
