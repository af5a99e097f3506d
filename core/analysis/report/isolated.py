"""Isolates names that read from right to left, so that they turn nothing around them."""

import re
from collections.abc import Iterable, Sequence

from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from core.design import Design

_TURNS = (
    "\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
)
"""Characters that have a text around them read from right to left: letters, and the marks that turn a direction."""
_RUN = f"[{_TURNS}](?:[{_TURNS}\\s\\d_.=+/\u200c\u200d-]*[{_TURNS}])?"
"""A part of a text that reads from right to left, with the digits and spaces within it."""


def names_of(design: Design) -> re.Pattern[str]:
    """Return what to isolate in texts about a design: names that users gave and that turn, and other parts that do.

    A name is isolated as a whole, its Latin letters and digits with it. Names that do not turn stay as they are:
    a label may be a word of the sentences around it.
    """
    grid = design.dataset_grid
    levels = (str(level) for values in (design.grid or {}).values() for level in values)
    settings = (value for arm in design.arms for value in arm.settings.values())
    treatments = () if grid is None else grid.treatments
    given = [design.name, *design.labels, *(arm.group for arm in design.arms), *treatments, *levels, *settings]
    return _pattern(" ".join(name.split()) for name in given)  # as `page_text.escape` writes them


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    turning = {name for name in names if re.search(f"[{_TURNS}]", name)}
    longest_first = sorted(turning, key=lambda name: (-len(name), name))
    return re.compile("|".join([*(rf"(?<!\w){re.escape(name)}(?!\w)" for name in longest_first), _RUN]))


RUNS = _pattern(())
"""The pattern of what to isolate in texts of which no names are known."""


def isolated(text: str, names: re.Pattern[str] = RUNS) -> str:
    """Return `text` as HTML, escaped, with what `names` finds in it in `<bdi>`."""
    parts, end = [], 0
    for found in names.finditer(text):
        parts += [escapeHtml(text[end : found.start()]), f"<bdi>{escapeHtml(found.group())}</bdi>"]
        end = found.end()
    return "".join([*parts, escapeHtml(text[end:])])


class Isolating(RendererHTML):
    """Writes Markdown's words as `isolated` does, by the pattern `env["names"]` where it is given."""

    def text(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, env: EnvType) -> str:
        """Return a text as HTML."""
        return isolated(tokens[idx].content, env.get("names", RUNS))

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Return a piece of code as HTML."""
        return f"<code>{self.text(tokens, idx, options, env)}</code>"
