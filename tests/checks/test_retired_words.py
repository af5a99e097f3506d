"""A retired name is found wherever it can be, with the name to use instead."""

from pathlib import Path

import pytest

from tests.checks.retired_words import ROOT, Use, retired, uses

NAMES = {"bell": "dispatcher", "Wish": "StopRequest", "hold_still": "lock_cohorts"}
OPEN = "core/a.py"


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (OPEN, "x = 1\nbell = 2\n", [Use("core/a.py:2", "bell", "dispatcher")]),
        (OPEN, "def ring_bells(): ...\n", [Use("core/a.py:1", "ring_bells", "dispatcher")]),
        (OPEN, "class DoorBell: ...\n", [Use("core/a.py:1", "DoorBell", "dispatcher")]),
        (OPEN, "from core import Wish\n", [Use("core/a.py:1", "Wish", "StopRequest")]),
        (OPEN, "wish = label + 'bell'  # as a bell\n", []),
        (OPEN, "hold_still_longer()\n", []),
        ("worker/bell.py", "", [Use("worker/bell.py", "bell", "dispatcher")]),
        ("docs/a.md", "It is a bell.\n\nSee `core/bell.py`.\n", [Use("docs/a.md:3", "bell", "dispatcher")]),
        ("README.md", "`await hold_still()`\n", [Use("README.md:1", "hold_still", "lock_cohorts")]),
        (".venv/bell.py", "bell = 1\n", []),
    ],
)
def test_a_retired_name_is_found(tmp_path: Path, path: str, text: str, found: list[Use]) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(text)

    assert list(uses(tmp_path, NAMES)) == found


def test_the_sources_have_none() -> None:
    assert retired()
    assert list(uses(ROOT, retired())) == []
