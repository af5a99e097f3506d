"""Markdown, made of what programs say of themselves."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.registry import CATALOG_OF

CODE = re.compile(r"(`[^`\n]+`)")
MARKUP = re.compile(r"([\\*_<>\[\]|])")


def prose(text: str) -> str:
    """Return a text that is Markdown only in its code spans, such as a docstring."""
    parts = CODE.split(text)
    return "".join(part if part.startswith("`") and len(part) > 2 else MARKUP.sub(r"\\\1", part) for part in parts)


def cell(text: str) -> str:
    """Return Markdown as the cell of a table: one line, its bars not taken for borders."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown, without the columns that are empty."""
    filled = [[cell(one) for one in row] for row in rows]
    kept = [i for i in range(len(heads)) if any(row[i] for row in filled)]
    lines = [[line[i] for i in kept] for line in ([*heads], ["---"] * len(heads), *filled)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def code(value: object) -> str:
    """Return a value as a code span, as JSON has it."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def block(language: str, text: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text}\n```\n"


def contents(pages: Iterable[str], *, hidden: bool = True) -> str:
    """Return the table of contents that has the pages, by their paths without endings."""
    options = ":hidden:\n" if hidden else ""
    return block("{toctree}", f"{options}\n" + "\n".join(pages))


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the type that a JSON schema describes, with its bounds, for people."""
    if CATALOG_OF in schema:
        return f"a {schema[CATALOG_OF]}"
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(type_of(one) for one in several))
    if "$ref" in schema:
        return code(schema["$ref"].rsplit("/", 1)[-1])
    if "enum" in schema:
        return ", ".join(code(one) for one in schema["enum"])
    if "const" in schema:
        return code(schema["const"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}" if schema.get("items") else "list"
    return " ".join([str(schema.get("type", "anything")), *_bounds(schema)])


def _bounds(schema: Mapping[str, Any]) -> Iterable[str]:
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    for key, sign in signs.items():
        if key in schema and abs(schema[key]) < 2**31:  # the others only keep numbers finite
            yield f"{sign} {schema[key]:g}"
