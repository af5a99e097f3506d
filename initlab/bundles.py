"""Reads bundles, and compares two of them point by point: what differs first, and by how much."""

import csv
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self, cast

from initlab.errors import ClientError

FORMAT, VERSION = "initlab-bundle", 1
SUMS, FIRST = "SHA256SUMS", "experiment.json"
FLOOR = 1e-6
"""Values that are closer than this are within any tolerance: a loss of 1e-9 has no digits to compare."""

Result = Literal["identical", "within tolerance", "different"]


class DamagedBundle(ClientError):
    """The file is no bundle, or not the one that was packed."""


class Point(NamedTuple):
    """A point of a series as it is written: its place, and its value. Most are equal, and need no numbers for that."""

    arm: str
    seed: str
    varied: str
    """The difference of a second training from the first of its arm and seed; empty for the first."""
    metric: str
    unit: str
    """The unit of the step: "step", an update, or "epoch"."""
    step: str
    value: str

    @property
    def place(self) -> dict[str, Any]:
        return self._asdict() | {"seed": int(self.seed), "step": int(self.step)}


class Bundle:
    """A bundle's file, or an `.eln` with one inside; raises `DamagedBundle` where it is neither."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._zip = zipfile.ZipFile(self.path)
        except zipfile.BadZipFile:
            raise DamagedBundle(f"{path} is no ZIP file, as a bundle is") from None
        firsts = [name for name in self._zip.namelist() if name.rpartition("/")[2] == FIRST]
        self._folder = firsts[0].removesuffix(FIRST) if len(firsts) == 1 else ""
        self.about: dict[str, Any] = self.read(FIRST)
        if (self.about.get("format"), self.about.get("format_version")) != (FORMAT, VERSION):
            raise DamagedBundle(f"{path} is no bundle of format {VERSION}, which this initlab reads")

    def read(self, name: str) -> Any:
        """Return the content of a JSON file."""
        try:
            return json.loads(self._bytes(name))
        except ValueError:
            raise DamagedBundle(f"{name} in {self.path} is no JSON") from None

    def check(self) -> None:
        """Compare every file with its checksum; raises `DamagedBundle` for the first that has changed or is gone."""
        for line in self._bytes(SUMS).decode().splitlines():
            sha256, _, name = line.partition("  ")
            found = hashlib.sha256()
            with self._open(name) as file:
                while part := file.read(2**20):
                    found.update(part)
            if found.hexdigest() != sha256:
                raise DamagedBundle(f"{name} in {self.path} is not as it was packed: its SHA-256 is another")

    def points(self) -> Iterator[Point]:
        """Yield all points in the order in which they are stored: series after series."""
        with self._open("metrics.csv") as file, closing(io.TextIOWrapper(cast(Any, file), "utf-8", newline="")) as text:
            rows = csv.reader(text)
            next(rows)
            yield from map(Point._make, rows)

    def close(self) -> None:
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bytes(self, name: str) -> bytes:
        with self._open(name) as file:
            return bytes(file.read())

    def _open(self, name: str) -> Any:
        try:
            return self._zip.open(f"{self._folder}{name}")
        except KeyError:
            raise DamagedBundle(f"{self.path} has no {name}, as a bundle has") from None


@dataclass(kw_only=True)
class Comparison:
    """Two trainings of one spec, point by point."""

    points: int = 0
    identical: int = 0
    """Points that are the same to the last bit."""
    beyond: int = 0
    """Points whose values are further apart than the tolerance, and those that one of the two lacks."""
    tolerance: float = 0.0
    largest: dict[str, float] = field(default_factory=dict)
    """The largest difference of each metric, where there is one that is finite."""
    first: dict[str, Any] | None = None
    """The earliest point that is not identical: `arm`, `seed`, `metric`, `step`, `was` and `became`."""
    first_beyond: dict[str, Any] | None = None
    """The earliest point beyond the tolerance."""
    runs: list[dict[str, Any]] = field(default_factory=list)
    """Runs that ended otherwise: `arm`, `seed`, `was` and `became`."""
    decisions: list[dict[str, Any]] = field(default_factory=list)
    """Pairs of arms that are decided otherwise: `a`, `b`, `was` and `became`."""
    data: list[dict[str, Any]] = field(default_factory=list)
    """Data sets whose content is another: `dataset`, `was` and `became`, hashes."""
    environment: list[dict[str, Any]] = field(default_factory=list)
    """Properties of software and machine that changed: `name`, `was` and `became`, each a list."""

    @property
    def result(self) -> Result:
        """The answer: all points are the same, close enough, or not; a run that ended otherwise is a difference."""
        if self.beyond or self.runs:
            return "different"
        return "identical" if self.identical == self.points else "within tolerance"

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"result": self.result, **vars(self)}


def compare(was: Bundle, became: Bundle, tolerance: float) -> Comparison:
    """Compare every point of two bundles; `tolerance` is relative to the larger of two values."""
    found = Comparison(tolerance=tolerance)
    for before, after in _paired(was.points(), became.points()):
        _add(found, before, after)
    found.runs = _changed(_outcomes(was), _outcomes(became), ("arm", "seed", "varied"))
    found.decisions = _changed(_decisions(was), _decisions(became), ("a", "b"))
    known = [one for one in _changed(_hashes(was), _hashes(became), ("dataset",)) if one["was"] and one["became"]]
    found.data = [one | {"dataset": json.loads(one["dataset"])} for one in known]
    found.environment = _changed(_environment(was), _environment(became), ("name",))
    return found


def _paired(was: Iterator[Point], became: Iterator[Point]) -> Iterator[tuple[Point | None, Point | None]]:
    """Yield the points of two bundles that have the same place, and alone those that only one has.

    Both are in one order, series by series. Where a series ends early in one, the other's further points stand alone.
    """
    left, right = next(was, None), next(became, None)
    while left is not None and right is not None:
        if left[:-1] == right[:-1]:
            yield left, right
            left, right = next(was, None), next(became, None)
        elif left[:5] == right[:5]:  # of one series: one lacks steps that the other has
            if int(left.step) < int(right.step):
                yield left, None
                left = next(was, None)
            else:
                yield None, right
                right = next(became, None)
        else:
            break
    yield from _by_place([left] if left else [], was, [right] if right else [], became)


def _by_place(
    left: list[Point], was: Iterator[Point], right: list[Point], became: Iterator[Point]
) -> Iterator[tuple[Point | None, Point | None]]:
    """Yield what is left of both, matched by place: their series are not the same, so it is kept in memory."""
    before = {one[:-1]: one for one in [*left, *was]}
    after = {one[:-1]: one for one in [*right, *became]}
    for place in dict.fromkeys([*before, *after]):
        yield before.get(place), after.get(place)


def _add(found: Comparison, before: Point | None, after: Point | None) -> None:
    found.points += 1
    if before is not None and after is not None and before.value == after.value:
        found.identical += 1
        return
    apart, size = math.inf, 0.0
    if before is not None and after is not None:
        values = float(before.value), float(after.value)
        apart, size = distance(*values), max(map(abs, values))
    point = before or cast(Point, after)
    told = point.place | {"was": before and before.value, "became": after and after.value}
    del told["value"]
    if math.isfinite(apart):
        found.largest[point.metric] = max(apart, found.largest.get(point.metric, 0.0))
    found.first = _earlier(found.first, told)
    if math.isinf(apart) or apart > max(FLOOR, found.tolerance * size):
        found.beyond += 1
        found.first_beyond = _earlier(found.first_beyond, told)


def distance(a: float, b: float) -> float:
    """Return how far apart two values are: 0 for the same infinity and for two that are no numbers, else infinite."""
    if math.isnan(a) or math.isnan(b):
        return 0.0 if math.isnan(a) and math.isnan(b) else math.inf
    return 0.0 if a == b else abs(a - b)


def _earlier(one: dict[str, Any] | None, other: dict[str, Any]) -> dict[str, Any]:
    """Return the point that comes first: one of an update before one of an epoch, and then by step."""
    return other if one is None or _when(other) < _when(one) else one


def _when(point: Mapping[str, Any]) -> tuple[bool, int]:
    return point["unit"] == "epoch", point["step"]


def _outcomes(of: Bundle) -> dict[tuple[Any, ...], Any]:
    return {
        (run["arm"], run["seed"], run.get("varied") or ""): run["outcome"] or run["status"]
        for run in of.read("runs.json")
    }


def _hashes(of: Bundle) -> dict[tuple[Any, ...], Any]:
    return {(json.dumps(one["dataset"], sort_keys=True),): one["sha256"] for one in of.read("data.json")}


def _decisions(of: Bundle) -> dict[tuple[Any, ...], Any]:
    return {(pair["a"], pair["b"]): pair.get("decision") for pair in of.read("report.json")["comparisons"]}


def _environment(of: Bundle) -> dict[tuple[Any, ...], Any]:
    """Return each property of the environments with all of its values, packages and settings by their names."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for one in of.read("environment.json"):
        here = one["environment"]
        flat = here | here.get("packages", {}) | here.get("settings", {})
        for name, value in flat.items():
            if name not in ("packages", "settings") and value not in found.setdefault((name,), []):
                found[(name,)].append(value)
    return found


def _changed(
    was: Mapping[tuple[Any, ...], Any], became: Mapping[tuple[Any, ...], Any], names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return what has another value, or is in one of the two only, with its key by the names."""
    return [
        dict(zip_longest(names, key)) | {"was": was.get(key), "became": became.get(key)}
        for key in dict.fromkeys([*was, *became])
        if was.get(key) != became.get(key)
    ]
