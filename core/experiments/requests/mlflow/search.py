"""MLflow's language of filters and orders, as its clients write it: comparisons joined by AND.

https://mlflow.org/docs/latest/ml/search/search-runs/
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from core.errors import InvalidSpec, Problem

TOKEN = re.compile(
    r"""\s*(?:
    (?P<key>(?:[A-Za-z_]\w*\.)?(?:"[^"]*"|`[^`]*`|[A-Za-z_][\w./-]*))\s*
    (?P<sign>!=|>=|<=|=|>|<|\bNOT\s+IN\b|\bIN\b|\bNOT\s+LIKE\b|\bLIKE\b|\bILIKE\b|\bIS\s+NOT\s+NULL\b|\bIS\s+NULL\b)\s*
    (?P<value>'[^']*'|"[^"]*"|\([^)]*\)|-?[\d.]+(?:[eE][+-]?\d+)?)?
    )\s*""",
    re.X | re.I,
)
AND = re.compile(r"\bAND\b", re.I)
ENTITIES = {
    **dict.fromkeys(("metric", "metrics"), "metrics"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "params"),
    **dict.fromkeys(("tag", "tags"), "tags"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attributes"),
}
SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
Told = Mapping[str, Mapping[str, Any]]
"""Values by name, of `metrics`, `params`, `tags` and `attributes`."""


class Condition(NamedTuple):
    """One comparison."""

    entity: str
    key: str
    sign: str
    value: Any


class Order(NamedTuple):
    """One key of an order."""

    entity: str
    key: str
    ascending: bool


def parse_filter(text: str | None) -> Sequence[Condition]:
    """Return the comparisons of a filter, all of which are to hold. Raises `InvalidSpec` for what is none."""
    found, place = [], 0
    text = text or ""
    while text[place:].strip():
        match = TOKEN.match(text, place)
        sign = re.sub(r"\s+", " ", match["sign"]).upper() if match else ""
        if match is None or (match["value"] is None) != sign.startswith("IS "):
            raise InvalidSpec([Problem("filter", f"cannot be read from {text[place : place + 60]!r} on")])
        found.append(Condition(*_key(match["key"]), sign, _value(match["value"], sign)))
        place = match.end()
        joined = AND.match(text, place)
        if joined is None and text[place:].strip():
            raise InvalidSpec([Problem("filter", f"joins comparisons by AND alone, not as in {text[place:][:60]!r}")])
        place = place if joined is None else joined.end()
    return found


def matches(conditions: Sequence[Condition], facts: Told) -> bool:
    """Return whether all comparisons hold; one of what is not there holds for none."""
    return all(_holds(one, facts[one.entity].get(one.key)) for one in conditions)


def order_of(keys: Sequence[str]) -> Sequence[Order]:
    """Return the keys of an order, such as `metrics.loss DESC`. Raises `InvalidSpec`."""
    found = []
    for text in keys:
        match = re.fullmatch(r"\s*(\S+|.*[\"`])\s*?(?:\s(ASC|DESC))?\s*", text, re.I)
        if match is None:
            raise InvalidSpec([Problem("order_by", f"cannot be read: {text[:60]!r}")])
        found.append(Order(*_key(match[1]), ascending=(match[2] or "asc").lower() == "asc"))
    return found


def _key(text: str) -> tuple[str, str]:
    head, dot, rest = text.partition(".")
    entity, key = (ENTITIES.get(head.lower()), rest) if dot else ("attributes", text)
    if entity is None:
        raise InvalidSpec([Problem("filter", f"{head!r} is none of metrics, params, tags and attributes")])
    key = key.strip('"`')
    return entity, {"run_name": "run_name", "Run name": "run_name", "created": "start_time"}.get(key, key)


def _value(text: str | None, sign: str) -> Any:
    if text is None:
        return None
    if sign.endswith("IN"):
        if text[0] != "(":
            raise InvalidSpec([Problem("filter", f"{sign} needs a list in brackets, not {text[:60]}")])
        return [one.strip().strip("'\"") for one in text[1:-1].split(",")]
    return text[1:-1] if text[0] in "'\"" else float(text)


def _holds(one: Condition, there: Any) -> bool:
    if one.sign.startswith("IS "):
        return (there is None) == (one.sign == "IS NULL")
    if there is None:
        return False
    if one.sign.endswith("IN"):
        return (str(there) in one.value) == (one.sign == "IN")
    if one.sign.endswith("LIKE"):
        like = re.escape(str(one.value)).replace("%", ".*").replace("_", ".")
        flags = re.S | (re.I if one.sign == "ILIKE" else 0)
        return bool(re.fullmatch(like, str(there), flags)) != one.sign.startswith("NOT")
    if isinstance(one.value, float):
        try:
            return SIGNS[one.sign](float(there), one.value)
        except ValueError:
            return False
    return SIGNS[one.sign](str(there), one.value)
