"""The report in a terminal: Markdown whose tables lose nothing where there are few columns."""

from typing import ClassVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


class FittingTable(TableElement):
    """A table, or where even its longest words have no room side by side a line for each cell, behind its heading."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heads = [cell.content for cell in self.header.row.cells] if self.header and self.header.row else []
        rows = [[cell.content for cell in row.cells] for row in self.body.rows] if self.body else []
        longest = [
            max(cell_len(word) for cell in column for word in ["", *cell.plain.split()])
            for column in zip(heads, *rows, strict=True)
        ]
        if sum(longest) + 2 * len(longest) > options.max_width:
            yield from _below_each_other(heads, rows)
            return
        for part in super().__rich_console__(console, options):
            if isinstance(part, Table):
                for column, least in zip(part.columns, longest, strict=True):
                    column.overflow, column.min_width = "fold", least
            yield part


def _below_each_other(heads: list[Text], rows: list[list[Text]]) -> RenderResult:
    for name, *cells in rows:
        yield Text.assemble("\n", (_told(heads[0], name), "bold"))
        for head, cell in zip(heads[1:], cells, strict=True):
            if cell.plain:
                yield Padding(Text(_told(head, cell)), (0, 0, 0, 2))
    yield Text()


def _told(head: Text, cell: Text) -> str:
    return f"{head.plain}: {cell.plain}" if head.plain else cell.plain


class Report(Markdown):
    """Markdown whose tables are as wide as the terminal at most; what has no room stands in lines below each other."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = Markdown.elements | {"table_open": FittingTable}
