"""The site as Sphinx made it: scripts become files, and what its pages ask for and lead to is there."""

import hashlib
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

CAPTION, LEVEL = 'class="caption" role="heading"', ' aria-level="2"'
"""Sphinx makes the captions of the contents headings, and says of no level: screen readers need one."""
WIDE = ("<pre", '<div class="table-wrapper', '<div class="formula')
"""Beginnings of what may be wider than the page, and is moved by itself."""
INLINE = re.compile(r"<script>(.*?)</script>", re.S)
OF_THE_SERVICE = ("/", "/docs", "/openapi.json")
"""Addresses of the service that serves the site, to which a page may lead."""


def mend(site: Path) -> None:
    """Move scripts that stand in pages into files, as the service's policy runs no others; give captions levels.

    And have code, tables and formulas take the keyboard, by which those wider than the page are moved without a mouse.
    """
    for page in sorted(site.rglob("*.html")):

        def move(found: re.Match[str], page: Path = page) -> str:
            name = f"inline-{hashlib.blake2b(found[1].encode(), digest_size=6).hexdigest()}.js"
            (site / "_static" / name).write_text(found[1], encoding="utf-8")
            return f'<script src="{os.path.relpath(site / "_static" / name, page.parent)}"></script>'

        text = page.read_text(encoding="utf-8").replace(CAPTION, CAPTION + LEVEL)
        for begin in WIDE:
            tag = begin.split(" ")[0]
            text = text.replace(begin, begin.replace(tag, f'{tag} tabindex="0"'))
        page.write_text(INLINE.sub(move, text), encoding="utf-8")


def faults(site: Path) -> list[str]:
    """Return what is wrong with a site: links to nothing, what is loaded from elsewhere, scripts within a page."""
    read = {path: _Page.of(path) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in read.items():
        place = path.relative_to(site)
        found += [f"{place}: {fault}" for fault in page.faults]
        found += [f"{place}: loads {address} from elsewhere" for address in page.loads if urlsplit(address).netloc]
        found += [
            f"{place}: {fault}" for address in [*page.loads, *page.leads] for fault in _broken(address, path, read)
        ]
    for path in sorted(site.rglob("*.css")):
        asked = re.findall(r"url\(\s*['\"]?((?:https?:)?//[^)]+)\)|@import\s+[^;]*//[^;]+", path.read_text("utf-8"))
        found += [f"{path.relative_to(site)}: loads {address} from elsewhere" for address in asked]
    return found


def _broken(address: str, page: Path, read: dict[Path, "_Page"]) -> Iterator[str]:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or parts.path in OF_THE_SERVICE:
        return
    target = Path(os.path.normpath(page.parent / unquote(parts.path))) if parts.path else page
    if not target.is_file():
        yield f"leads to {address}, which is not there"
    elif parts.fragment and target in read and unquote(parts.fragment) not in read[target].anchors:
        yield f"leads to {address}, which has no such anchor"


class _Page(HTMLParser):
    """What a page has and asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.faults: list[str] = []

    @classmethod
    def of(cls, path: Path) -> "_Page":
        page = cls()
        page.feed(path.read_text(encoding="utf-8"))
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.faults.append("has a script within")
        self.faults += [f"has a script in {name}" for name in given if name.startswith("on")]
        if tag == "a" and "href" in given:
            self.leads.append(given["href"])
        elif tag != "use":
            self.loads += [given[name] for name in ("src", "href") if given.get(name)]
