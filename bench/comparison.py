"""A case trained in every way, in turns: what each takes, what the device needs, and which targets are reached."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import device_limits
import served
import step_model
from backend import Backend
from cases import Case
from pools import Pool, pool
from step_model import Rates
from ways import SERVICE, Way, seconds, ways_of

from core.hardware import cores
from initlab import Client

Turn = dict[str, float]
"""Milliseconds an update and run, by way."""


class Comparison:
    """A case on a device, with the ways that failed on it; `until` is the monotonic time at which it has to end."""

    def __init__(self, case: Case, backend: Backend, client: Client, until: float) -> None:
        self.case, self.backend, self.client, self.until = case, backend, client, until
        self.ways = ways_of(case, backend.device)
        self.failed: dict[str, str] = {}

    def measure(self, rates: Rates | None) -> dict[str, Any]:
        """Every way in turns, `case.repeats` times after one for warming up; print and return what came out."""
        begin = time.monotonic()
        case = self.case
        print(f"\n{case.described()}, {self.backend.precision}", flush=True)
        # A GPU's time is lent by the minute: there a run of one epoch warms up.
        short = replace(case, epochs=1, peer_runs=dict.fromkeys(case.peer_runs, (1, 1)))
        with ExitStack() as stack:
            shapes = {way.shape for way in self.ways} | {(1, cores())}
            pools = {shape: stack.enter_context(pool(*shape)) for shape in sorted(shapes)}
            self._turn(short if self.backend.device == "cuda" else case, pools)
            turns = [self._turn(case, pools) for _ in range(case.repeats)]
            limit = self._tried("d", lambda: self._limit(pools)) or {}
        limit |= step_model.needed(case, self.backend, rates) if rates else {}
        rows = [row for way in (*self.ways, None) if (row := self._row(way, turns))]
        _print(rows, limit)
        targets = [found for peer, least in case.targets.items() if (found := self._target(rows, peer, least))]
        return {
            "case": case.described(),
            "precision": self.backend.precision,
            "n": case.repeats,
            "rows": rows,
            "limit": limit,
            "targets": targets + self._below(turns),
            "failed": self.failed,
            "took_seconds": round(time.monotonic() - begin, 1),
        }

    def _turn(self, case: Case, pools: Mapping[tuple[int, int], Pool]) -> Turn:
        """Measure once every way that has not failed."""
        calls: dict[str, Callable[[], float]] = {
            way.label: partial(self._peer, way, case, pools[way.shape]) for way in self.ways
        }
        calls[SERVICE] = partial(self._service, case)
        found = {label: self._tried(label, call) for label, call in calls.items() if label not in self.failed}
        return {label: took for label, took in found.items() if took is not None}

    def _peer(self, way: Way, case: Case, mine: Pool) -> float:
        runs, epochs = case.peer_runs[way.trainer]
        longest: float = max(mine(seconds, way.trainer, case.name, runs, epochs, self.backend))
        return longest * 1e3 / (runs * epochs * case.steps * len(mine))

    def _service(self, case: Case) -> float:
        spec = case.spec(case.name, self.backend.device, self.backend.precision)
        took = served.seconds(self.client, spec, max(1.0, self.until - time.monotonic()))
        return took * 1e3 / (case.runs * case.epochs * case.steps)

    def _limit(self, pools: Mapping[tuple[int, int], Pool]) -> dict[str, float]:
        alone = pools.get((1, 1)) if self.backend.device == "cpu" else None
        return device_limits.together(self.case, self.backend, pools[1, cores()], alone)

    def _tried(self, label: str, call: Callable[[], Any]) -> Any:
        """Call; what fails is noted, and costs no other way its numbers."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001 a peer may fail in a compiler, a driver or a process of its own
            self.failed[label] = f"{type(error).__name__}: {error}"[:500]
            print(f"  FAILED {label}: {self.failed[label]}", flush=True)
            return None

    def _row(self, way: Way | None, turns: Sequence[Turn]) -> dict[str, Any] | None:
        """Return what a way took, None for the service's; nothing where it failed."""
        label = way.label if way else SERVICE
        runs, epochs = self.case.peer_runs[way.trainer] if way else (self.case.runs, self.case.epochs)
        times = [turn[label] for turn in turns if label in turn]
        ratios = [turn[label] / turn[SERVICE] for turn in turns if label in turn and SERVICE in turn]
        if not times:
            return None
        return {
            "way": label,
            "runs": runs,
            "epochs": epochs,
            "median_ms": round(statistics.median(times), 5),
            "fastest_ms": round(min(times), 5),
            "c_faster_by": round(statistics.median(ratios), 3) if ratios else None,
            "samples_ms": [round(time, 5) for time in times],
        }

    def _target(self, rows: Sequence[Mapping[str, Any]], peer: str, least: float) -> dict[str, Any] | None:
        """Compare with the best of a peer's ways that is one process."""
        alone = {way.label for way in self.ways if way.trainer == peer and way.processes == 1}
        known = [row for row in rows if row["way"] in alone and row["c_faster_by"] is not None]
        if not known:
            return None
        best = min(known, key=lambda row: row["median_ms"])
        found = best["c_faster_by"]
        print(
            f"  to reach: {least:g}x faster than [{best['way']}]: {found:.2f}x, {_verdict(found >= least)}", flush=True
        )
        return {"peer": best["way"], "at_least": least, "found": found, "reached": found >= least}

    def _below(self, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        """Compare the service's whole time with what it should stay under."""
        below = self.case.below_seconds.get(self.backend.precision)
        updates = self.case.runs * self.case.epochs * self.case.steps
        times = [round(turn[SERVICE] * updates / 1e3, 2) for turn in turns if SERVICE in turn]
        if below is None or not times:
            return []
        took = statistics.median(times)
        print(f"  to reach: under {below:g} s: {took:.1f} s, {_verdict(took < below)}", flush=True)
        return [{"below_seconds": below, "found": took, "samples": times, "reached": took < below}]


def _verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def _print(rows: Sequence[Mapping[str, Any]], limit: Mapping[str, float]) -> None:
    print(f"  {'ms an update and run':44s} {'median':>9s} {'fastest':>9s} {'runs':>5s} {'c is faster by':>15s}")
    for row in rows:
        ratio = "" if row["c_faster_by"] is None else f"{row['c_faster_by']:.2f}x"
        print(f"  {row['way']:44s} {row['median_ms']:9.4f} {row['fastest_ms']:9.4f} {row['runs']:5d} {ratio:>15s}")
    served_ms = rows[-1]["median_ms"] if rows and rows[-1]["way"] == SERVICE else None
    needed = {}
    if "products_ms" in limit:
        needed["products, evaluation's included"] = limit["products_ms"] + limit["evaluation_ms"]
        needed[f"optimizer's bytes at {limit['copies_gb_s']:.0f} GB/s"] = limit["optimizer_ms"]
    if "moved_ms" in limit:
        rate = limit["model_copies_gb_s"]
        needed[f"{limit['moved_mb']:.1f} MB, nothing fused, at {rate:.0f} GB/s"] = limit["moved_ms"]
        needed[f"{limit['least_mb']:.1f} MB, all fused, at {rate:.0f} GB/s"] = limit["least_ms"]
        needed[f"{limit['gflop']:.3g} GFLOP at {limit['tflop_s']:.3g} TFLOP/s"] = limit["arithmetic_ms"]
    for name, took in needed.items():
        ratio = f"{took / served_ms:.2f}x" if served_ms else ""
        print(f"  {'d  ' + name:44s} {took:9.4f} {'':15s} {ratio:>15s}", flush=True)
