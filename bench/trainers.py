"""The same training in several ways, in turns: the tutorials', good hand-written ones, the service, the device's limit.

`python bench/trainers.py` prints milliseconds an update and run, evaluation of both splits after every epoch included,
and writes bench/records/trainers.json. With `--device cuda` it measures a GPU within `--minutes`, the whole CIFAR-10
study included, and writes trainers-cuda.json. A record is written after every case: what is cut off leaves what it
measured.

a   DataLoader, one transform a sample, `loss.item()` every batch (bench/peers.py), with all cores' threads
b   data in memory, fused Adam, nothing waited for before the end (bench/peers.py); the better of 1 and all threads.
    On a GPU: b1 this, b2 the whole update as one CUDA graph, b3 torch.compile, b4 some of b2 at once (bench/graphed.py)
c   POST to finished of all runs together, by the database's clock, through a service that is warm
d   the matrix products and convolutions alone, each at the best rate measured for its shape, and the optimizer's
    bytes alone, at the rate of copies (bench/device_limits.py); on a GPU the byte model too (bench/step_model.py)

a and b train some of the runs, to which their time is proportional, each in a process of its own while all else rests;
on a GPU all in the service's precision.
"""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import record
import served
import step_model
from backend import Backend
from cases import CASES, STUDY, Case
from comparison import Comparison
from pools import pool
from ways import estimate, ways_of

from core.hardware import cores
from core.spec import Precision

STATISTIC = "milliseconds an update and run, evaluation included; c_faster_by is the median of the turns' ratios"
MINUTES = 10.0
"""On a GPU, where nothing else is asked for."""
PRECISIONS: tuple[Precision, ...] = ("fp32", "tf32", "bf16")
"""Those that the peers train in: none scales its losses, as float16 needs it."""
LATE = 2.5
"""How many times what was estimated a case may take there before its experiments are ended."""


def asked() -> argparse.Namespace:
    """Read the command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments.add_argument(
        "--case", action="append", default=[], help="only this one: mlp, tabular, cnn; no record on a CPU"
    )
    arguments.add_argument(
        "--study", action="store_true", help="the CIFAR-10 study alone, or beside the cases named; on a GPU"
    )
    arguments.add_argument("--repeats", type=int, help="turns of every case; default: 5 or 3, of the study 1")
    arguments.add_argument(
        "--precision", action="append", choices=PRECISIONS, help="on a GPU, may be given again; default: fp32"
    )
    arguments.add_argument(
        "--minutes", type=float, default=MINUTES, help="on a GPU; a further case that does not fit is left out"
    )
    arguments.add_argument("--to", type=Path, default=record.FOLDER, help="folder of the record")
    given = arguments.parse_args()
    if given.device == "cpu" and (given.study or given.precision):
        arguments.error("--study and --precision need --device cuda")
    given.case += [STUDY.name] * given.study
    unknown = set(given.case) - {case.name for case in CASES[given.device]}
    if unknown:
        arguments.error(f"no such case: {', '.join(sorted(unknown))}")
    return given


def needs(case: Case, backend: Backend, rates: step_model.Rates, end: float) -> float:
    """Say and return how many seconds a case will take."""
    found, left = estimate(case, backend, rates), end - time.monotonic()
    print(f"\n{case.name} in {backend.precision}: some {found:.0f} s of the {left:.0f} s left", flush=True)
    return found


def stem(given: argparse.Namespace) -> str:
    """Return the record's name: a part of the benchmark does not replace the whole."""
    return "-".join(["trainers", *given.case, *(given.precision or [])])


def main() -> int:
    """Measure what was asked for; returns 1 where something failed."""
    given = asked()
    record.require(given.device)
    print(record.described(given.device))
    on_gpu = given.device == "cuda"
    end = time.monotonic() + 60 * given.minutes if on_gpu else float("inf")
    cases = [
        replace(case, repeats=given.repeats or case.repeats)
        for case in CASES[given.device]
        if not given.case or case.name in given.case
    ]
    results: list[dict[str, Any]] = []
    left_out: list[str] = []
    with served.running() as client:
        for case in cases:
            served.upload(client, case)
            for precision in given.precision or ["fp32"]:
                backend = Backend(given.device, precision)
                rates, until = None, end
                if on_gpu:
                    with pool(1, cores()) as process:
                        (rates,) = process(step_model.rates, backend)
                    takes = needs(case, backend, rates, end)
                    until = min(end, time.monotonic() + LATE * takes)
                    if results and time.monotonic() + takes > end:
                        left_out.append(f"{case.name} in {precision}")
                        continue
                results.append(Comparison(case, backend, client, until).measure(rates))
                if on_gpu or not given.case:
                    keep(given, cases, results, left_out)
    if left_out:
        print(f"\nleft out, for lack of time: {', '.join(left_out)}")
    return int(any(result["failed"] for result in results))


def keep(
    given: argparse.Namespace, cases: Sequence[Case], results: Sequence[dict[str, Any]], left_out: Sequence[str]
) -> None:
    """Write the record of the cases that were measured."""
    threads = {way.label: way.threads for case in cases for way in ways_of(case, given.device)}
    waiting = os.environ["OMP_WAIT_POLICY"]  # of the peers' threads
    content: dict[str, Any] = {"statistic": STATISTIC, "threads": threads, "omp_wait_policy": waiting, "cases": results}
    missing = {"left_out": left_out} if left_out else {}
    record.write_into(given.to, stem(given), given.device, content | missing)


if __name__ == "__main__":
    raise SystemExit(main())
