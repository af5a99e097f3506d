"""Runs as another tool has logged them, in one shape whatever the tool."""

import csv
import json
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from initlab.errors import ClientError

State = Literal["finished", "failed", "running"]


class ImportFailed(ClientError):
    """A source cannot be read, or its runs cannot be told apart; the text says what to do."""


class Series(NamedTuple):
    """One metric of one run: `values[i]` was measured at `steps[i]`, which rise strictly once `settled`."""

    steps: "array[int]"
    values: "array[float]"

    @classmethod
    def empty(cls) -> "Series":
        return cls(array("q"), array("d"))

    def settled(self) -> "Series":
        """Return the series by rising steps: of a step that was logged again the last value holds.

        Where all points have one step, the loop has named none: their places are the steps then. Steps below 0 were
        before the training, and are left out.
        """
        steps, values = self
        if steps and steps[0] >= 0 and all(map(int.__lt__, steps, steps[1:])):
            return self
        if steps and min(steps) == max(steps):
            return Series(array("q", range(len(steps))), values)
        last = dict(zip(steps, values, strict=True))
        rising = sorted(step for step in last if step >= 0)
        return Series(array("q", rising), array("d", map(last.__getitem__, rising)))


@dataclass(kw_only=True)
class FoundRun:
    """One run of a source, before it is known which arm and seed it is."""

    key: str
    """The name that the source has for it, and for no other run."""
    name: str
    """The name that people use: a path, or a display name."""
    config: dict[str, Any] = field(default_factory=dict)
    """Its settings, flat: nested ones have dotted names."""
    tags: dict[str, Any] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    state: State = "finished"
    started: float = 0.0
    """Seconds since 1970; 0 where the source does not say."""
    error: str = ""
    by_epochs: set[str] = field(default_factory=set)
    """The metrics of which the source says that their steps count epochs."""
    notes: list[str] = field(default_factory=list)
    """Sentences on what could not be read of it, with the file's name."""

    def add(self, metric: str, step: int, value: float) -> None:
        """Add a point at the end of a series."""
        found = self.series.get(metric)
        if found is None:
            found = self.series[metric] = Series.empty()
        found.steps.append(step)
        found.values.append(value)

    @property
    def points(self) -> int:
        return sum(len(one.values) for one in self.series.values())


@contextmanager
def as_table(path: Path) -> Iterator[None]:
    """Turn what is wrong with the text of a table into `ImportFailed`, with the file's name."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise ImportFailed(f"{path} is not UTF-8 (byte {error.start:,}): save it as UTF-8") from None
    except csv.Error as error:
        raise ImportFailed(f"{path} is no CSV file: {error}") from None


def flat(config: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings with dotted names for those inside of others; lists are kept as they are."""
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def says_epochs(name: str) -> bool:
    """Return whether the name of a metric or a column says that it counts epochs."""
    return re.search(r"(^|[^a-z])epoch", name, re.I) is not None


def number(text: Any) -> float | None:
    """Return a text or number as a float, None where it is none; NaN and infinity are numbers."""
    if isinstance(text, bool):
        return float(text)
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def value_of(text: Any) -> Any:
    """Return a setting that was stored as text as the number or truth it is, or else as it came."""
    if isinstance(text, str) and re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false|null", text):
        return json.loads(text) if not re.match(r"-?0\d", text) else text
    return {"True": True, "False": False, "None": None}.get(text, text) if isinstance(text, str) else text


def named_parts(pattern: str, runs: Iterable[FoundRun]) -> dict[str, dict[str, str]]:
    """Return, by the key of each run whose name matches, the parts of it that `{braces}` of the pattern name.

    `{arm}/seed_{seed}` finds `arm` and `seed` in `adam/seed_3`; a part has no slash, and `*` stands for anything.
    Raises `ImportFailed` for a pattern that names nothing.
    """
    found = re.split(r"(\{\w+\}|\*)", pattern)
    names = [part[1:-1] for part in found if re.fullmatch(r"\{\w+\}", part)]
    if not names or len(set(names)) < len(names):
        raise ImportFailed(f"--path {pattern}: name parts of the run's name once each, such as {{arm}}/seed_{{seed}}")
    made = "".join(
        ".*?"
        if part == "*"
        else f"(?P<{part[1:-1]}>[^/]+?)"
        if part[1:-1] in names and part[0] == "{"
        else re.escape(part)
        for part in found
        if part
    )
    matches = ((run.key, re.fullmatch(made, run.name)) for run in runs)
    return {key: match.groupdict() for key, match in matches if match}
