"""The built site: faults of its pages are found, and no script stays within one."""

from pathlib import Path

import pytest

from docs.manual.finish import faults, mend

OTHER = '<h1 id="top">Other</h1>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "_static").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "other.html").write_text(OTHER)
    return tmp_path


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="a/nothing.html">', "leads to a/nothing.html, which is not there"),
        ('<a href="a/other.html#bottom">', "leads to a/other.html#bottom, which has no such anchor"),
        ('<a href="#here">', "leads to #here, which has no such anchor"),
        ('<img src="a/picture.png">', "leads to a/picture.png, which is not there"),
        ('<img src="https://elsewhere.example/a.png">', "loads https://elsewhere.example/a.png from elsewhere"),
        ('<script src="//elsewhere.example/a.js"></script>', "loads //elsewhere.example/a.js from elsewhere"),
        ('<link rel="stylesheet" href="https://e.example/a.css">', "loads https://e.example/a.css from elsewhere"),
        ("<script>go()</script>", "has a script within"),
        ('<p onclick="go()">', "has a script in onclick"),
        ('<a href="/nothing">', "leads to /nothing, which is not there"),
    ],
)
def test_a_fault_is_found(site: Path, html: str, fault: str) -> None:
    (site / "index.html").write_text(html)
    assert faults(site) == [f"index.html: {fault}"]


def test_a_font_from_elsewhere_is_found(site: Path) -> None:
    (site / "_static" / "a.css").write_text("@font-face { src: url(https://fonts.example/a.woff2) }")
    assert faults(site) == ["_static/a.css: loads https://fonts.example/a.woff2 from elsewhere"]


def test_what_is_right_is_no_fault(site: Path) -> None:
    good = '<p id="here"><a href="#here"><a href="a/other.html#top"><a href="/"><a href="https://e.example/">'
    (site / "index.html").write_text(good)
    assert faults(site) == []


def test_scripts_within_pages_become_files(site: Path) -> None:
    (site / "index.html").write_text("<script>\n  first()\n</script><script>second()</script>")
    (site / "a" / "other.html").write_text("<script>second()</script>")
    mend(site)
    assert faults(site) == []
    assert sorted(path.read_text() for path in (site / "_static").iterdir()) == ["\n  first()\n", "second()"]
    assert 'src="../_static/inline-' in (site / "a" / "other.html").read_text()
