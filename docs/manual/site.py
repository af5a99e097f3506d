"""The site: pages are laid, Sphinx makes HTML of them, and what is without fault replaces the site before."""

import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from docs.manual.finish import faults, mend
from docs.manual.sources import ROOT, lay

BUILT = ROOT / "api" / "manual" / "site"
"""The folder that the API serves; the wheel has it too where it is there."""


class ManualError(Exception):
    """Something is wrong with the pages; the message has a line for each thing."""


def build(work: Path, to: Path) -> int:
    """Build the site in `to`, by way of the folder `work`; return the number of its pages.

    Raises `ManualError` where Sphinx warns of anything, or a link or an anchor leads nowhere; `to` is then as it was.
    """
    sources, html = work / "sources", work / "html"
    for folder in (sources, html):
        shutil.rmtree(folder, ignore_errors=True)
    lay(sources)
    make(sources, html)
    pages = sum(1 for _ in html.rglob("*.html"))
    shutil.rmtree(to, ignore_errors=True)
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(html, to)
    return pages


def make(sources: Path, html: Path) -> None:
    """Make the HTML of laid pages, and look at it. Raises `ManualError`."""
    cache = html.with_name(f"{html.name}-doctrees")
    words = ["-b", "html", "-c", str(Path(__file__).parent), "-d", str(cache), "-E", "-W", "--keep-going", "-q"]
    if sphinx([*words, str(sources), str(html)]):
        raise ManualError("Sphinx warns of what stands above")
    mend(html)
    shutil.rmtree(cache, ignore_errors=True)
    (html / ".buildinfo").unlink(missing_ok=True)
    sys.stdout.flush()
    found = faults(html)
    if found:
        raise ManualError("\n".join(found))
