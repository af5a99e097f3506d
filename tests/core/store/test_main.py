"""The commands about the database, as a person calls them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from core.store import Database, require_current
from core.store import __main__ as command
from core.store.space import space


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Return a call of the command; it returns the exit code and what it printed."""
    monkeypatch.setattr(command, "settings", lambda: Settings(data_dir=tmp_path))

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["core.store", *words])
        code = command.main()
        return code, "".join(capsys.readouterr())

    return call


def test_a_database_is_made_described_and_compacted(called, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert called("upgrade") == (0, "")
    database = Database(Settings(data_dir=tmp_path).database)
    require_current(database.engine)
    database.dispose()
    code, told = called("disk")
    assert code == 0
    assert "experiments" in told
    code, told = called("compact")
    assert code == 0
    assert "bytes before" in told


def test_programs_are_told_in_json(called, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def told(word: str) -> dict[str, Any]:
        code, text = called(word, "--json")
        assert code == 0
        found: dict[str, Any] = json.loads(text)
        return found

    database = Database(Settings(data_dir=tmp_path).database)
    assert told("upgrade")["revision"]
    require_current(database.engine)
    size = told("disk")["database"]["total"]
    assert size == space(database).total
    compacted = told("compact")
    assert (compacted["compacted"], compacted["bytes_before"]) == (True, size)
    database.dispose()


@pytest.mark.parametrize("word", ["disk", "compact"])
def test_what_reads_makes_no_database_and_says_what_does(called, tmp_path: Path, word: str) -> None:  # type: ignore[no-untyped-def]
    code, told = called(word)
    assert (code, told.count("\n")) == (2, 1)
    assert "the database has no tables yet" in told
    assert "run `initlab db upgrade`" in told
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "initlab.sqlite").touch()
    assert called(word) == (code, told)


def test_a_database_that_cannot_be_opened_is_told_in_a_line(called, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "initlab.sqlite").mkdir()
    assert called("upgrade") == (2, "upgrade failed: unable to open database file\n")


@pytest.mark.parametrize("words", [(), ("downgrade",), ("disk", "now")])
def test_other_words_are_refused_with_those_there_are(called, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    code, told = called(*words)
    assert code == 2
    assert "upgrade | disk | compact" in told
