"""A server, or none, and a folder for what is not yet sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.initlab.tracking.stand_in import StandIn, serving


@pytest.fixture(autouse=True)
def journal_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("INITLAB_JOURNAL", str(tmp_path / "journal"))
    monkeypatch.delenv("INITLAB_OFFLINE", raising=False)
    return tmp_path / "journal"


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with serving() as state:
        monkeypatch.setenv("INITLAB_URL", state.url)
        monkeypatch.setenv("INITLAB_API_KEY", "")
        yield state
