"""Links of Markdown pages, as they are in the repository and as they are in the manual."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")
KEPT = re.compile(r"^```.*?^```$|`[^`\n]*\]\([^`\n]*`", re.S | re.M)
"""Blocks of code, and code spans with what looks like a link."""
PICTURES = (".png", ".svg")
ELSEWHERE = re.compile(r"[a-z]+:|/")
"""Addresses, and paths of the service itself."""


def relinked(text: str, file: str, pages: Mapping[str, str], take: Callable[[str], None]) -> str:
    """Return a page's text with its links as they are in the manual.

    `file` is the page's path in the repository, and `pages` maps such paths to the manual's. A picture keeps its path,
    below `pictures/`, and `take` is given it. Of a link to what the manual has not, only the text stays.
    """
    here = PurePosixPath(pages[file]).parent

    def link(found: re.Match[str]) -> str:
        target, anchor = found["target"], found["anchor"] or ""
        if not target or ELSEWHERE.match(target):
            return found[0]
        path = os.path.normpath(PurePosixPath(file).parent / target)
        place = pages.get(path) or pages.get(f"{path}/README.md")
        if place is None and path.endswith(PICTURES):
            take(path)
            place = f"pictures/{path}"
        if place is None:
            return found["text"]
        return f"{found['picture']}[{found['text']}]({os.path.relpath(place, here)}{anchor})"

    parts, end = [], 0
    for code in KEPT.finditer(text):
        parts += [LINK.sub(link, text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, LINK.sub(link, text[end:])])
