"""What the documentation names is there: files, functions, links, and every decision in the index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("decisions/*.md"), *DOCS.glob("howto/*.md")])
FILE = re.compile(r"`((?:api|bench|core|initlab(?!/_server)|migrations|tests|worker)/[\w/]*(?:\.py)?)(?:::\w+)?`")
"""What the wheel alone has, `initlab/_server`, is no file of the repository."""
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
DEFINED = re.compile(r"`(\w+)`(?: of a `\w+`)?\s+\((?:both\s+)?`([\w/]+\.py)`")
"""A name, and behind it in brackets the file that defines it."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_and_links_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page.name != "CHANGELOG.md":  # it tells of what was
        assert [path for path in FILE.findall(text) if not (ROOT / path).exists()] == []
    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []


def test_what_the_architecture_names_is_defined_where_it_says() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = DEFINED.findall(text)
    assert len(named) > 20
    missing = [
        (name, path)
        for name, path in named
        if not re.search(rf"^\s*(?:async )?(?:def|class) {name}\b", (ROOT / path).read_text(encoding="utf-8"), re.M)
    ]
    assert missing == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    rows = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \| (.+\.) \|$", (folder / "README.md").read_text("utf-8"), re.M)
    titles = {page.name: page.read_text("utf-8").splitlines()[0] for page in sorted(folder.glob("[0-9]*.md"))}
    assert {file: f"# {number}. {title}" for number, title, file, _ in rows} == titles
    assert [file for _, _, file, _ in rows] == list(titles)


def test_the_tests_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 15
    assert sorted(name for name in named if f"def {name}(" not in tests) == []
