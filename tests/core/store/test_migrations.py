"""The migrations make exactly the tables of the code, and a newer database is refused."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from core.store import Base, Database, Experiment, require_current, upgrade
from core.store.migrate import SchemaMismatch, _config, revision


def test_the_migrations_make_the_tables_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        found, head = revision(connection)
    assert found == head
    checks = {table: len(inspect(database.engine).get_check_constraints(table)) for table in ("experiments", "runs")}
    assert checks == {"experiments": 1, "runs": 1}


def test_upgrading_again_changes_nothing(database: Database) -> None:
    upgrade(database.engine)
    upgrade(database.engine)


def test_several_processes_may_upgrade_at_once(empty_database_url: str) -> None:
    words = [sys.executable, "-m", "core.store", "upgrade"]
    environment = {"INITLAB_DATABASE_URL": empty_database_url, "PATH": ""}
    processes = [subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    made = Database(empty_database_url)
    assert "metric_blocks" in inspect(made.engine).get_table_names()
    made.dispose()


def test_a_newer_database_is_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match=r"9999.*update initlab"):
        upgrade(database.engine)


def test_what_the_code_needs_is_there_after_an_upgrade(database: Database) -> None:
    require_current(database.engine)


def test_a_newer_database_is_no_base_to_work_on(database: Database) -> None:
    with database.engine.begin() as connection:
        _, head = revision(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match=rf"9999.*{head}.*update initlab"):
        require_current(database.engine)


def test_an_older_database_is_no_base_to_work_on(empty_database_url: str) -> None:
    """The sentence names what there is, what is needed and what to do; a database without tables is the oldest."""
    database = Database(empty_database_url)
    with database.engine.connect() as connection:
        _, head = revision(connection)
    with pytest.raises(SchemaMismatch, match=rf"no tables yet.*{head}.*`initlab db upgrade`"):
        require_current(database.engine)
    with database.engine.begin() as connection:
        command.upgrade(_config(connection), "0001")
    with pytest.raises(SchemaMismatch, match=rf"0001.*{head}.*`initlab db upgrade`"):
        require_current(database.engine)
    database.dispose()


def test_an_upgrade_waits_for_the_one_before_it(postgres_url: str) -> None:
    database = Database(postgres_url)
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    second = threading.Thread(target=upgrade, args=(database.engine,))
    with database.engine.connect() as first:
        first.execute(text("SELECT pg_advisory_lock(4719200)"))
        second.start()
        deadline = time.monotonic() + 20
        while first.scalar(waiting) == 0:
            assert time.monotonic() < deadline
        assert inspect(first).get_table_names() == []
        first.execute(text("SELECT pg_advisory_unlock(4719200)"))
    second.join()
    assert "runs" in inspect(database.engine).get_table_names()
    database.dispose()


def test_experiments_of_the_first_tables_keep_what_they_are(empty_database_url: str) -> None:
    """Every experiment stored before tasks were learned classes."""
    database = Database(empty_database_url)
    row = {"name": "old", "status": "succeeded", "spec": "{}", "steps": "[15]", "fingerprint": "f" * 64, "at": 1.5}
    with database.engine.begin() as connection:
        command.upgrade(_config(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO experiments (name, status, spec, steps_per_epoch, fingerprint, created_at) "
                "VALUES (:name, :status, :spec, :steps, :fingerprint, :at)"
            ),
            row,
        )
    upgrade(database.engine)
    with database.reading() as session:
        (kept,) = session.scalars(select(Experiment)).all()
        assert (kept.name, kept.spec, kept.steps_per_epoch, kept.task) == ("old", {}, [15], "multiclass")
    database.dispose()


def test_what_code_of_before_writes_can_still_be_written(tmp_path: Path) -> None:
    """A migration leaves what others write meanwhile as it is: no column goes, and a new one needs no value of theirs.

    Workers that were not started anew give back what they train, which is such a write.
    """
    database = Database(f"sqlite:///{tmp_path / 'initlab.sqlite'}")
    every = [one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
    before: dict[str, dict[str, Any]] = {}
    for one in every:
        with database.engine.begin() as connection:
            command.upgrade(_config(connection), one)
            tables = inspect(connection)
            after = {
                name: {column["name"]: column for column in tables.get_columns(name)}
                for name in tables.get_table_names()
            }
        for table, columns in before.items():
            assert columns.keys() <= after[table].keys(), one
            new = [after[table][name] for name in after[table].keys() - columns.keys()]
            assert [column["name"] for column in new if not column["nullable"] and column["default"] is None] == [], one
        before = after
    database.dispose()
