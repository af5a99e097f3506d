"""The same training four ways, in turns: the tutorials', a good hand-written loop, the service, the device's limit.

`python bench/trainers.py` prints milliseconds an update and run, evaluation of both splits after every epoch included,
and writes bench/records/trainers.json; with `--device cuda` it measures the GPU and the whole CIFAR-10 study, and
writes trainers-cuda.json.

a   DataLoader, one transform a sample, `loss.item()` every batch (bench/peers.py), with all cores' threads
b   data in memory, fused Adam, nothing waited for before the end (bench/peers.py); the better of 1 and all threads
c   POST to finished of all runs together, by the database's clock, through a service that is warm
d   the matrix products and convolutions alone, each at the best rate measured for its shape, and the optimizer's
    bytes alone, at the rate of copies (bench/device_limits.py)

a and b train some of the runs, to which their time is proportional, each in a process of its own while all else rests.
"""

import argparse
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import device_limits
import peers
import record
import served
from cases import CASES, STUDY, STUDY_SECONDS, Case
from pools import Pool, pool

from core.hardware import cores
from initlab import Client

A, C = "a  the tutorials' way", "c  the service, POST to finished"
WHOLE = f"one loop, {cores()} threads"
ALONE = "one loop, 1 thread"
TWO = "two loops at once"
STATISTIC = "milliseconds an update and run, evaluation included; c_faster_by is the median of the turns' ratios"


def shapes(device: str) -> dict[str, tuple[int, int]]:
    """How b is run: processes, and the threads of each. "One loop" makes a peer to be compared with."""
    alone = {ALONE: (1, 1)} if device == "cpu" else {}
    return alone | {WHOLE: (1, cores()), TWO: (2, max(1, cores() // 2))}


@contextmanager
def pools_of(device: str) -> Iterator[dict[str, Pool]]:
    """Fresh processes of those shapes."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(pool(*shape)) for name, shape in shapes(device).items()}


def ways(case: Case, device: str, client: Client, pools: Mapping[str, Pool]) -> dict[str, Callable[[], float]]:
    """What measures each way once: milliseconds an update and run."""

    def peer(way: str, mine: Pool) -> float:
        runs, epochs = case.peer_runs[way]
        longest: float = max(mine(peers.seconds, way, case.name, runs, epochs, device))
        return longest * 1e3 / (runs * epochs * case.steps * len(mine))

    def service() -> float:
        updates = case.runs * case.epochs * case.steps
        return served.seconds(client, case.spec(case.name, device)) * 1e3 / updates

    loops = {f"b  {name}": lambda mine=mine: peer("b", mine) for name, mine in pools.items()}
    return {A: lambda: peer("a", pools[WHOLE]), **loops, C: service}


def measure(case: Case, device: str, client: Client) -> dict[str, Any]:
    """Every way in turns, `case.repeats` times after one for warming up; print and return what came out."""
    print(f"\n{case.described()}", flush=True)
    served.upload(client, case)
    with pools_of(device) as pools:
        measured = ways(case, device, client, pools)
        for warm in measured.values():
            warm()
        turns = [{name: once() for name, once in measured.items()} for _ in range(case.repeats)]
        bound = device_limits.together(case, device, pools[WHOLE], pools.get(ALONE))
    rows = [_row(case, name, turns) for name in measured]
    _print(rows, bound)
    best = min((row for row in rows if row["way"].startswith("b  one")), key=lambda row: row["median_ms"])
    compared = {"a": rows[0], "b": best}
    targets = [_target(compared[peer], least) for peer, least in case.targets.items()]
    return {"case": case.described(), "n": case.repeats, "rows": rows, "limit": bound, "targets": targets}


def _row(case: Case, name: str, turns: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    runs, epochs = (case.runs, case.epochs) if name == C else case.peer_runs[name[0]]
    times = [turn[name] for turn in turns]
    return {
        "way": name,
        "runs": runs,
        "epochs": epochs,
        "median_ms": round(statistics.median(times), 5),
        "fastest_ms": round(min(times), 5),
        "c_faster_by": round(statistics.median(turn[name] / turn[C] for turn in turns), 3),
        "samples_ms": [round(time, 5) for time in times],
    }


def _print(rows: Sequence[Mapping[str, Any]], bound: Mapping[str, float]) -> None:
    print(f"  {'ms an update and run':40s} {'median':>9s} {'fastest':>9s} {'runs':>5s} {'c is faster by':>15s}")
    for row in rows:
        numbers = f"{row['median_ms']:9.4f} {row['fastest_ms']:9.4f} {row['runs']:5d} {row['c_faster_by']:14.2f}x"
        print(f"  {row['way']:40s} {numbers}")
    served_ms = rows[-1]["median_ms"]
    for name, needed in (
        ("products, evaluation's included", bound["products_ms"] + bound["evaluation_ms"]),
        (f"optimizer's bytes at {bound['copies_gb_s']:.0f} GB/s", bound["optimizer_ms"]),
    ):
        print(f"  {'d  ' + name:40s} {needed:9.4f} {'':15s} {needed / served_ms:14.2f}x", flush=True)


def _target(peer: Mapping[str, Any], least: float) -> dict[str, Any]:
    found = peer["c_faster_by"]
    verdict = "reached" if found >= least else "MISSED"
    print(f"  to reach: {least:g}x faster than [{peer['way']}]: {found:.2f}x, {verdict}", flush=True)
    return {"peer": peer["way"], "at_least": least, "found": found, "reached": found >= least}


def study(client: Client, repeats: int = 2) -> dict[str, Any]:
    """The whole CIFAR-10 study as one experiment, after a short one that loads the data and warms the worker up."""
    print(f"\n{STUDY.described()}", flush=True)
    served.upload(client, STUDY)
    served.seconds(client, replace(STUDY, epochs=1, seeds=1).spec(STUDY.name, "cuda"))
    times = [round(served.seconds(client, STUDY.spec(STUDY.name, "cuda")), 2) for _ in range(repeats)]
    took = statistics.median(times)
    reached = took < STUDY_SECONDS
    print(f"  to reach: under {STUDY_SECONDS:g} s: {took:.1f} s, {'reached' if reached else 'MISSED'}", flush=True)
    return {
        "case": STUDY.described(),
        "n": repeats,
        "seconds": times,
        "below_seconds": STUDY_SECONDS,
        "reached": reached,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments.add_argument("--case", action="append", help="only this one, and no record: mlp, tabular, cnn")
    arguments.add_argument("--repeats", type=int, help="turns of every case; default: 5, of the CNN 3")
    given = arguments.parse_args()
    record.require(given.device)
    print(record.described(given.device))
    with served.running() as client:
        cases = [case for case in CASES[given.device] if given.case is None or case.name in given.case]
        results = [
            measure(replace(case, repeats=given.repeats or case.repeats), given.device, client) for case in cases
        ]
        if given.case:
            return
        whole = {"study": study(client)} if given.device == "cuda" else {}
    threads = {name: threads for name, (_, threads) in shapes(given.device).items()}
    waiting = os.environ["OMP_WAIT_POLICY"]  # of the peers' threads
    content = {"statistic": STATISTIC, "threads": threads, "omp_wait_policy": waiting, "cases": results}
    record.write("trainers", given.device, **content, **whole)


if __name__ == "__main__":
    main()
