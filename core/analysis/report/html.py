"""Writes the report as a web page."""

import re
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from re import Pattern
from urllib.parse import quote

from markdown_it import MarkdownIt

from core.analysis.report.isolated import Isolating, names_of
from core.analysis.report.markdown import Section, sections
from core.analysis.shapes import Report
from core.results import Results

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #d5d5d5; --faint: #666; --band: #f5f5f5 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181b; --line: #3b3f45; --faint: #9a9fa6; --band: #1f2226 }
}
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.7rem; line-height: 1.2 } h2 { font-size: 1.15rem; margin-top: 2.2rem }
h1 + p { font-size: 1.15rem }
details { margin: .8rem 0 } summary { font-size: 1.05rem; font-weight: 600; cursor: pointer }
.table { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; overflow-wrap: normal; font-size: .875rem; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap }
th { text-align: left; color: var(--faint); font-weight: 600 }
td:not([style]), th:not([style]) { white-space: normal; overflow-wrap: break-word; max-width: 20rem }
tbody tr:nth-child(even) { background: var(--band) }
figure { margin: 1.5rem 0; break-inside: avoid } figcaption { color: var(--faint); font-size: .875rem }
img { max-width: 100% }
@media screen and (max-width: 40rem) {
  .picture { overflow-x: auto } .picture img { width: 40rem; max-width: none }
  body { margin: 1rem auto } h1 { font-size: 1.4rem } td:not([style]), th:not([style]) { max-width: 9rem }
}
@media print {
  @page { margin: 15mm 14mm 17mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif } }
  :root { color-scheme: light; --ink: #000; --paper: #fff; --line: #bbb; --faint: #444; --band: #fff }
  body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt }
  details::details-content { content-visibility: visible; block-size: auto }
  summary { list-style: none } summary::-webkit-details-marker { display: none }
  h1, h2, summary, p:has(+ .table), p:has(+ ul) { break-after: avoid }
  p, li { orphans: 3; widows: 3 }
  .table { overflow: visible } table { font-size: 6.5pt }
  th, td { padding: .15rem .2rem; white-space: normal; overflow-wrap: normal }
  td:not([style]), th:not([style]) { min-width: 4rem; max-width: 9rem; overflow-wrap: anywhere }
  th.long { overflow-wrap: anywhere }
  tr { break-inside: avoid } thead { display: table-header-group }
  figure { margin: .8rem 0; text-align: center } img { max-height: 22cm }
  figcaption { text-align: left; font-size: 8pt }
  a { color: inherit }
}
"""


SCROLLS = 'class="{}" tabindex="0" role="region" aria-label="{}"'
"""The attributes of what scrolls by itself where it is wider than the screen: with a name, and by the keyboard too."""
LONG_HEAD = re.compile(r"<th (?=style=[^>]*>(?:[^<]|</?bdi>)*[^\s<]{12})")
"""A column of numbers headed by an arm's label, which may break anywhere on paper.

The report's own words are shorter, and neither these nor a number is ever broken."""
MARKDOWN = MarkdownIt("commonmark", {"html": False}, renderer_cls=Isolating).enable("table")
SAVED = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The policy of a page that holds its pictures, wherever it is saved: no script, and nothing from elsewhere."""


def html(
    report: Report, results: Results, pictures: Mapping[str, str], drawn: Mapping[str, bytes] | None = None
) -> str:
    """Return the page of `sections` with its pictures: self-contained but for these, no scripts, for screen and print.

    What few readers need is folded, and printed all the same.

    `pictures` are the names of plots with a line about each; they are linked as `plots/NAME.png`, relative to the page,
    with `?theme=dark` where the reader's screen is dark. With `drawn`, the PNG of each, they are inside of the page.
    Labels and names show as they were given, whatever HTML they contain; those that read from right to left turn
    nothing around them.
    """
    names = names_of(results.design)
    figures = {name: _figure(name, about, None if drawn is None else drawn[name]) for name, about in pictures.items()}
    parts = [_section(section, figures, names) for section in sections(report, results)]
    folded = next((i for i, part in enumerate(parts) if part.startswith("<details")), len(parts))
    if figures:
        parts.insert(folded, "<h2>Pictures</h2>\n" + "".join(figures.values()))
    name = escape(results.design.name)
    head = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{SAVED}">' if drawn is not None else "",
        f"<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1><bdi>{name}</bdi></h1>",
    ]
    return "\n".join(filter(None, [*head, *parts, "</body>\n</html>\n"]))


def _section(section: Section, figures: dict[str, str], names: Pattern[str]) -> str:
    """Return a part of the page with the pictures that belong to it, which are taken out of `figures`."""
    body = LONG_HEAD.sub('<th class="long" ', MARKDOWN.render("\n\n".join(section.texts), {"names": names}))
    title = MARKDOWN.renderInline(section.title, {"names": names})
    first, *tables = body.replace("</table>", "</table></div>").split("<table>")
    name = escape(section.title) or "Report"
    body = first + "".join(
        f"<div {SCROLLS.format('table', f'{name}, table {number}' if number > 1 else name)}><table>{rest}"
        for number, rest in enumerate(tables, 1)
    )
    if section.folded:
        return f"<details><summary>{title}</summary>\n{body}</details>"
    shown = "".join(figures.pop(name) for name in section.pictures if name in figures)
    return f"{f'<h2>{title}</h2>' if title else ''}\n{body}{shown}"


def _figure(name: str, about: str, drawn: bytes | None) -> str:
    words = escape(about.replace("`", ""))
    if drawn is not None:
        image = f'<img src="data:image/png;base64,{b64encode(drawn).decode()}" alt="{words}">'
    else:
        source = f"plots/{quote(name, safe='')}.png"
        dark = f'<source srcset="{source}?theme=dark" media="screen and (prefers-color-scheme: dark)">'
        image = f'<picture>{dark}<img src="{source}" alt="{words}" loading="lazy"></picture>'
    scrolls = SCROLLS.format("picture", f"The picture {escape(name.replace('_', ' '))}")
    return f"<figure><div {scrolls}>{image}</div><figcaption>{words}</figcaption></figure>\n"
