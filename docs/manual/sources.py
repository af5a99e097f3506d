"""The pages of the manual, laid into one folder for Sphinx: those of docs/, and those that are made."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from api.routes.catalog import CATALOG
from docs.manual.catalogue import catalogue_pages
from docs.manual.links import relinked
from docs.manual.markdown import block
from docs.manual.pictures import draw_entry, draw_plots
from docs.manual.reference import document, reference_pages

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "pages"
OUTSIDE = {
    "README.md": "guide.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "examples/README.md": "examples.md",
}
"""Pages that lie elsewhere in the repository, and the names that they have in the manual."""
LISTS = {"decisions/index.md": "[0-9]*", "studies/index.md": "through_*\n*/*/report"}
"""Pages below which others lie, and the patterns of their paths, a line each."""
TOCTREE = re.compile(r"```{toctree}(.*?)```", re.S)


def pages() -> dict[str, str]:
    """Return the pages of the repository that are in the manual: their paths there, by those here."""
    docs = ROOT / "docs"
    found = {path.relative_to(ROOT).as_posix(): path.relative_to(docs) for path in sorted(docs.rglob("*.md"))}
    inside = {file: place for file, place in found.items() if not file.startswith("docs/manual/")}
    named = {
        file: place.with_name("index.md") if place.name == "README.md" else place for file, place in inside.items()
    }
    return {file: place.as_posix() for file, place in named.items()} | OUTSIDE


def lay(folder: Path) -> None:
    """Write all pages and their pictures into an empty folder."""
    wanted: set[str] = set()
    for place, text in [*_written(wanted), *catalogue_pages(), *reference_pages(document())]:
        _write(folder / place, text.encode())
    for file in sorted(wanted):
        _write(folder / "pictures" / file, (ROOT / file).read_bytes())
    for name, drawn in _drawn():
        _write(folder / "pictures" / "catalogue" / f"{name}.png", drawn)


def _written(pictures: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the pages that people wrote, and add the pictures that they show."""
    known = pages()
    for file, place in known.items():
        text = relinked((ROOT / file).read_text(encoding="utf-8"), file, known, pictures.add)
        if place in LISTS:
            text += "\n" + block("{toctree}", f":hidden:\n:glob:\n\n{LISTS[place]}")
        yield place, text
    yield "index.md", contents_page(known.values())


def contents_page(places: Iterable[str]) -> str:
    """Return the first page: its contents have all pages that are below no other, and whichever it does not name."""
    text = (HERE / "index.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:.*<)?([\w/-]+)>?$", "\n".join(TOCTREE.findall(text)), re.M))
    alone = {place for place in places if "/" not in place or place.startswith("howto/") or place in LISTS}
    others = sorted({place.removesuffix(".md") for place in alone} - named)
    return text.replace("{others}\n", "".join(f"{place}\n" for place in others))


def _drawn() -> Iterator[tuple[str, bytes]]:
    for kind in CATALOG:
        for name in CATALOG[kind]:
            drawn = draw_entry(kind, name)
            if drawn is not None:
                yield f"{kind}-{name}", drawn
    for name, drawn in draw_plots():
        yield f"plots-{name}", drawn


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
