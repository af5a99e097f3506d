"""What takes space is told, and what is free is given back while others write."""

from pathlib import Path

from sqlalchemy import delete, insert, text

from core.settings import Settings
from core.store import Database, MetricBlock, Run, upgrade
from core.store.disk import disk
from core.store.space import compact, give_back, space
from tests.core.experiments.claims import queued


def filled(database: Database, mib: int = 12) -> None:
    """A database with an experiment of so much."""
    queued(database)
    with database.transaction() as session:
        rows = [
            {"run_id": 1, "metric": "lr", "first": i, "n": 1, "attempt": 1, "values": bytes([i % 251]) * 2**18}
            for i in range(4 * mib)
        ]
        session.execute(insert(MetricBlock), rows)


def test_the_tables_and_folders_that_take_space_are_told(database: Database, tmp_path: Path) -> None:
    filled(database, 2)
    folder = Settings(data_dir=tmp_path).uploads
    folder.mkdir()
    (folder / "one").write_bytes(bytes(3 * 2**20))
    told = disk(database, Settings(data_dir=tmp_path))
    found = told.text().splitlines()
    words = {line.partition("MiB  ")[2]: float(line.split()[0]) for line in found if "MiB  " in line}
    assert words["uploads"] == 3.0
    assert [size for what, size in words.items() if what.startswith("1 ")] == [2.0]
    if database.engine.dialect.name == "sqlite":
        assert 2.0 <= words["metric_blocks"] < 2.5
    others = dict.fromkeys(("checkpoints", "weights", "logs", "datasets"), 0)
    assert told.as_json()["folders"] == {"uploads": 3 * 2**20} | others
    assert [(one.id, one.bytes) for one in told.experiments] == [(1, 2 * 2**20)]
    taken = space(database)
    assert taken.tables is not None
    assert {"runs", "metric_blocks"} <= taken.tables.keys()
    assert sum(taken.tables.values()) <= taken.total


def test_a_new_file_gives_back_what_becomes_free_and_keeps_a_little(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    upgrade(database.engine)
    filled(database)
    with database.transaction() as session:
        session.execute(delete(MetricBlock))
    before = space(database)
    assert before.shrinks
    assert before.free > 11 * 2**20
    assert give_back(database.engine) == 250  # one transaction, and no more than it may
    assert give_back(database.engine, 60) > 1000
    after = space(database)
    assert after.free == 1000 * 4096
    assert before.total - after.total >= before.free - after.free
    assert give_back(database.engine, 60) == 0
    database.dispose()
    assert (tmp_path / "new.sqlite").stat().st_size == after.total


def test_a_file_of_before_is_left_alone_until_it_is_compacted(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    database = Database(f"sqlite:///{path}")
    pooled = database.engine.raw_connection()
    pooled.cursor().execute("PRAGMA auto_vacuum=NONE")
    pooled.cursor().execute("VACUUM")
    pooled.close()
    upgrade(database.engine)
    filled(database)
    with database.transaction() as session:
        session.execute(delete(MetricBlock))
    assert not space(database).shrinks
    assert "initlab db compact" in disk(database, Settings(data_dir=tmp_path)).text()
    assert give_back(database.engine, 60) == 0
    compact(database.engine)
    assert space(database).shrinks
    assert path.stat().st_size < 2**20
    with database.reading() as session:
        assert session.query(Run).count() == 2
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
    database.dispose()


def test_postgresql_is_left_to_its_own_vacuum(postgres: Database) -> None:
    assert give_back(postgres.engine, 60) == 0
    assert space(postgres).shrinks
