"""The promises of entries of all catalogues."""

import json
import math
from typing import Any

from pydantic_core import PydanticCustomError

from core.conformance._check import check, expect
from core.conformance._entries import REGISTRIES, parsed, raw
from core.errors import Problem

NONSENSE: tuple[Any, ...] = (math.nan, math.inf, -math.inf, 10**400, "\ud800", {}, [[]], [None])


def _of_kind(kind: str) -> None:
    registry = REGISTRIES[kind]

    @check(kind)
    def documented(name: str) -> None:
        """It says what it is, by which formula, and where it comes from."""
        about = registry.describe(name)
        expect(about["summary"].endswith((".", ";")), "its factory needs a docstring of sentences: users read it")
        expect(bool(about["formula"].strip()), "write its formula into register(formula=...)")
        expect(any(one.isdigit() for one in about["source"]), "cite a paper with its year in register(source=...)")

    @check(kind)
    def closed(name: str) -> None:
        """Its schema takes no parameter that it does not have."""
        schema = json.loads(json.dumps(registry.describe(name)["parameters"], allow_nan=False))
        expect(schema["additionalProperties"] is False, "its schema is open")
        for field in registry[name].model_fields.keys() - {"name"}:
            found = refusal(kind, {**raw(kind, name), f"{field}x": 1})
            expect([one.path for one in found] == [f"{field}x"], f"{field}x is not refused by its name")

    @check(kind)
    def canonical(name: str) -> None:
        """Its canonical form is plain JSON, and means the same when it is read again."""
        entry = parsed(kind, name)
        dumped = json.loads(json.dumps(entry.model_dump(), allow_nan=False))
        again = registry.parse(dumped)
        expect(again == entry and again.model_dump() == dumped, f"{dumped} is read as {again.model_dump()}")

    @check(kind)
    def refuses(name: str) -> None:
        """No parameter takes what is no number, infinite, or of no such type."""
        for field in registry[name].model_fields.keys() - {"name"}:
            for bad in NONSENSE:
                found = refusal(kind, {**raw(kind, name), field: bad})
                expect(bool(found), f"{field} takes {bad!r}: bound its type, as core.registry.Positive does")
                expect(all(one.path.startswith(field) for one in found), f"a problem of {field} is told of another")


def refusal(kind: str, given: object) -> list[Problem]:
    """Return the problems for which an entry is refused; none: it is taken."""
    try:
        REGISTRIES[kind].parse(given)
    except PydanticCustomError as error:
        problems: list[Problem] = (error.context or {})["problems"]
        return problems
    return []


for _kind in REGISTRIES:
    _of_kind(_kind)
