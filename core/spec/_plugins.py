"""The plug-ins that a spec uses: those whose entries it names, and those whose metrics its runs are judged by."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from core.errors import Problem
from core.metrics import metrics
from core.plugins import Pin, loaded, pins
from core.registry import entries_in

Pins = Annotated[dict[str, Pin], Field(max_length=100)]


def used_pins(treatments: Iterable[Any]) -> dict[str, Pin] | None:
    """Return the plug-ins that treatments use, as they are here; None: none."""
    if not loaded():
        return None
    used = {type(entry).plugin for treatment in treatments for entry in entries_in(treatment)} | {*measuring()}
    return pins({name for name in used if name is not None}) or None


def measuring() -> Iterator[str]:
    """Yield the plug-ins that have a metric which runs are measured by: every run of its tasks is."""
    owners = {metrics.plugin_of(name) for name, metric in metrics.items() if metric.accumulator is not None}
    yield from sorted(name for name in owners if name is not None)


def changed(given: Mapping[str, Pin] | None, here: Mapping[str, Pin] | None) -> list[Problem]:
    """Return what is wrong with the plug-ins that a spec asks for, beside those that it would use here."""
    given, here = given or {}, here or {}
    problems = []
    for name in sorted({*given, *here}):
        asked, there = given.get(name), here.get(name)
        if asked == there:
            continue
        if there is None:
            text = "is not here, or nothing of it is used: leave it out"
        elif asked is None:
            text = f"is used too, with {there}: name it, or leave `plugins` out"
        else:
            text = f"is here with {there}, not {asked}: leave `plugins` out to train with what is here"
        problems.append(Problem(f"plugins.{name}", text))
    return problems
