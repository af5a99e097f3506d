"""Values in words, as tables show them."""

from collections.abc import Mapping, Sequence
from typing import Any

NONE = "–"


def called(arm: Mapping[str, Any]) -> str:
    """Return what a picture calls an arm: of a grid's cell what others have otherwise."""
    return str(arm.get("shown") or arm["label"])


def megabytes(size: float) -> str:
    """Return a number of bytes in megabytes."""
    return f"{size / 1e6:,.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


def shape(item: Mapping[str, Any]) -> str:
    """Return the sides of an example."""
    return " x ".join(f"{side:,}" for side in item["inputs"])


def some(words: Sequence[str], most: int = 10) -> str:
    """Return the first words of a list, and how many there are."""
    return ", ".join(words[:most]) + (f", ... ({len(words)})" if len(words) > most else "")


def words(value: Any) -> str:
    """Return a list as one text."""
    return ",".join(value) if isinstance(value, list) else str(value)


def number(value: float | None, percent: bool) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return NONE
    return f"{100 * value:.2f} %" if percent else f"{value:.4g}"


def runs(counts: Mapping[str, Any], gap: str = "/", noun: str = "") -> str:
    """Return how many runs of an arm, or of all, came to their end: "3/12 runs, 9 cancelled".

    A run that was cancelled counts as done for who waits, and not for who reads.
    """
    cancelled = counts.get("cancelled", counts.get("runs_cancelled", 0))
    told = f"{counts['runs_done'] - cancelled:,}{gap}{counts['runs_total']:,}{noun}"
    return f"{told}, {cancelled:,} cancelled" if cancelled else told


def state(data: Mapping[str, Any]) -> str:
    """Return an experiment's status, and its times."""
    stopping = ", being cancelled" if data["cancelling"] else ", paused" if data["paused"] else ""
    return f"{data['status']}{stopping}{_times(data)}"


def _times(data: Mapping[str, Any]) -> str:
    told = [
        f"{verb} {data[key]}" for verb, key in (("started", "started_at"), ("ended", "finished_at")) if data.get(key)
    ]
    return f" ({', '.join(told)})" if told else ""


def type_words(schema: Mapping[str, Any]) -> str:
    """Return the type of a parameter, with its bounds."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_words(option) for option in schema["anyOf"]))
    bounds = {"exclusiveMinimum": "> {}", "minimum": ">= {}", "exclusiveMaximum": "< {}", "maximum": "<= {}"}
    said = [text.format(_bound(schema[key])) for key, text in bounds.items() if key in schema]
    return " ".join([str(schema.get("type", "any")), ", ".join(said)]).strip()


def _bound(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
