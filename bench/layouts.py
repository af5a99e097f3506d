"""Updates of lanes in every layout and precision: milliseconds, the rate by the byte model, and memory.

`python bench/layouts.py --device cuda` takes some two minutes on an H100, without a service. The record is written
after every row; after one that failed a new process goes on.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import record
import step_model
import torch
from backend import Backend
from cases import CASES, Case, find, parts
from pools import pool
from work import Discard, lanes_of

from core.datasets import DatasetInfo, Splits
from core.hardware import cores
from core.spec import Precision, parse
from core.training import TrainOptions, train_lanes
from core.training.options import Layout

Row = tuple[str, int, Backend, Layout]
"""Case, seeds, device and precision, layout."""
FEW, MANY = 10, 60
"""Updates of two trainings; the second's further ones are what is measured. Neither ends an epoch."""


def seconds(case: Case, backend: Backend, layout: Layout, data: Splits, info: DatasetInfo, updates: int) -> float:
    """Return the seconds of a training of all runs for so many updates."""
    spec = case.spec("unnamed", backend.device, backend.precision) | {"dataset": "digits"}  # which is not loaded
    options = TrainOptions(device=backend.device, layout=layout, updates=updates, block_seconds=3600, keep_seconds=3600)
    begin = time.perf_counter()
    train_lanes(lanes_of(parse(spec)), data, info, Discard(), options)
    backend.synchronize()
    return time.perf_counter() - begin


@cache
def data_of(case: Case) -> tuple[Splits, DatasetInfo]:
    """Return the case's images as a data set has them."""
    (x, y), (x_valid, y_valid) = (
        (torch.from_numpy(np.moveaxis(x.reshape(*x.shape[:3], -1), 3, 1).copy()), torch.from_numpy(y))
        for x, y in parts(case)
    )
    return Splits(x, y, x_valid, y_valid), DatasetInfo(tuple(x.shape[1:]), 10, case.train, case.valid)


def measure(name: str, seeds: int, backend: Backend, layout: Layout) -> dict[str, Any]:
    """Measure one row."""
    found = find(name, backend.device)
    case, (data, info) = replace(found, seeds=seeds), data_of(found)
    on_gpu = backend.device == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    few, many = (seconds(case, backend, layout, data, info, updates) for updates in (FEW, MANY))
    took = (many - few) / (MANY - FEW)
    return {
        "lanes": case.runs,
        "update_ms": round(took * 1e3, 3),
        "run_us": round(took / case.runs * 1e6, 1),
        "unfused_gb_s": round(step_model.training(case, backend).moved * case.runs / took / 1e9, 1),
        "first_seconds": round(few, 2),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if on_gpu else None,
    }


def measured(todo: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Measure and print rows; what failed is its row's content."""
    left = list(todo)
    while left:
        with pool(1, cores()) as process:
            found: dict[str, Any] = {}
            while left and "failed" not in found:
                name, seeds, backend, layout = left.pop(0)
                about = {"case": name, "seeds": seeds, "precision": backend.precision, "layout": layout}
                try:
                    (found,) = process(measure, name, seeds, backend, layout)
                except Exception as error:  # noqa: BLE001 one layout may fail where the others do not
                    found = {"failed": f"{type(error).__name__}: {error}"[:300]}
                print("  ".join(f"{key} {value}" for key, value in (about | found).items()), flush=True)
                yield about | found


def asked() -> argparse.Namespace:
    """Read the command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments.add_argument("--case", action="append", help="mlp, cnn, and on a GPU cifar10; default: all")
    arguments.add_argument(
        "--seeds", type=int, action="append", help="lanes are these times the arms; default: 1 and 5"
    )
    arguments.add_argument("--to", type=Path, default=record.FOLDER, help="folder of the record")
    return arguments.parse_args()


def main() -> int:
    """Measure all rows; returns 1 where one failed."""
    given = asked()
    record.require(given.device)
    print(record.described(given.device))
    precisions = get_args(Precision) if given.device == "cuda" else ("fp32",)
    todo = [
        (case.name, seeds, Backend(given.device, precision), layout)
        for case in reversed(CASES[given.device])  # the study first
        if case.kind == "images" and (not given.case or case.name in given.case)
        for seeds in given.seeds or (5, 1)
        for precision in precisions
        for layout in get_args(Layout)
    ]
    rows: list[dict[str, Any]] = []
    for row in measured(todo):
        rows.append(row)
        record.write_into(given.to, "layouts", given.device, {"updates": MANY - FEW, "rows": rows})
    return int(any("failed" in one for one in rows))


if __name__ == "__main__":
    raise SystemExit(main())
