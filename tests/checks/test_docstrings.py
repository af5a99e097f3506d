"""A docstring that opens with a question word is found, whatever it describes."""

from pathlib import Path

import pytest

from tests.checks.docstrings import ROOT, Opening, openings


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("core/a.py", '"""What is compared."""\n', [Opening("core/a.py:1", "What is compared.")]),
        ("core/a.py", 'class A:\n    """Who trains.\n\n    More."""\n', [Opening("core/a.py:2", "Who trains.")]),
        ("api/a.py", 'class A:\n    def f(self):\n        """Why so."""\n', [Opening("api/a.py:3", "Why so.")]),
        ("worker/a.py", 'async def f():\n    """\n    Which one."""\n', [Opening("worker/a.py:2", "Which one.")]),
        ("initlab/a.py", 'x = 1\n"""How many."""\n', [Opening("initlab/a.py:2", "How many.")]),
        ("core/a.py", 'class A:\n    x: int\n    "whether so"\n', [Opening("core/a.py:3", "whether so")]),
        ("core/a.py", '"""Return whether it is, and what."""\n', []),
        ("core/a.py", '"""Whole numbers, however many."""\n', []),
        ("core/a.py", 'x = """What it says."""\nf("How?")\n', []),
        ("tests/a.py", '"""What is tested."""\n', []),
    ],
)
def test_an_opening_is_found(tmp_path: Path, path: str, text: str, found: list[Opening]) -> None:
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(text)

    assert list(openings(tmp_path)) == found


def test_the_sources_have_none() -> None:
    assert list(openings(ROOT)) == []
