"""Launches, bytes and memory of an update and of an evaluation on a GPU, counted on the emulated one.

Run by `python -m tests.emulation bench/step_cost.py`; no number is computed, so that the CIFAR-10 study takes a minute.
Only what is counted is shown: what a launch or a byte costs needs a GPU.
"""

import argparse
from collections import Counter
from dataclasses import replace
from typing import get_args

import torch
from cases import CASES, STUDY, Case

from core.datasets import DatasetInfo, Splits
from core.spec import Precision, Treatment
from core.training import Lane, MemoryRecorder, TrainOptions, train_lanes
from core.training.options import Layout
from tests.emulation.counting import Count, count
from tests.emulation.state import device

FEW = 4
"""Updates after which all of them are alike: graphs are captured."""


def lanes_of(case: Case, precision: str) -> list[Lane]:
    arms = [
        Treatment.model_validate(
            {
                "model": case.model,
                "optimizer": {"name": "adam", "lr": 0.001},
                "batch_size": case.batch,
                "epochs": 1,
                "initializer": name,
                "precision": precision,
            }
        )
        for name in case.initializers
    ]
    return [Lane(seed * len(arms) + i, arm, seed) for seed in range(case.seeds) for i, arm in enumerate(arms)]


def data_of(case: Case) -> tuple[Splits, DatasetInfo]:
    """Return data of zeros: what they are is not looked at."""
    images = case.kind == "images"
    *size, last = case.shape
    inputs = ((last, *size) if len(size) == 2 else (1, *case.shape)) if images else tuple(case.shape)
    kind, shape = (torch.uint8, (*inputs,)) if images else (torch.float32, inputs)
    x = [torch.zeros(n, *shape, dtype=kind) for n in (case.train, case.valid)]
    y = [torch.zeros(n, dtype=torch.int64) if images else torch.zeros(n, 1) for n in (case.train, case.valid)]
    info = DatasetInfo(inputs, 10 if images else 1, case.train, case.valid, "multiclass" if images else "binary")
    return Splits(x[0], y[0], x[1], y[1]), info


def counted(lanes: list[Lane], data: Splits, info: DatasetInfo, layout: Layout, updates: int) -> Count:
    """Count a training of so many updates; an epoch that is whole is evaluated."""
    with count() as found:
        train_lanes(
            lanes,
            data,
            info,
            MemoryRecorder(),
            TrainOptions(device="cuda", layout=layout, updates=updates, block_seconds=3600, keep_seconds=3600),
        )
    return found


def less(more: Count, fewer: Count) -> Count:
    """Return what one count has beyond another."""
    rest = Count()
    for name in ("outside", "inside", "replays", "read", "written"):
        setattr(rest, name, getattr(more, name) - getattr(fewer, name))
    rest.launches_of = more.launches_of - fewer.launches_of
    rest.bytes_of = more.bytes_of - fewer.bytes_of
    return rest


def show(title: str, cost: Count, top: int) -> None:
    print(
        f"{title}: {cost.outside} launches outside of graphs ({cost.replays} of them replays), {cost.inside} inside, "
        f"{cost.bytes / 1e9:.3f} GB"
    )
    for op, moved in Counter(cost.bytes_of).most_common(top):
        print(f"  {op:34s} x{cost.launches_of[op]:5d} {moved / 1e9:9.3f} GB")


def report(case: Case, precision: str, layout: Layout, top: int) -> None:
    """Show what an update and the end of an epoch cost."""
    lanes, (data, info) = lanes_of(case, precision), data_of(case)
    few = counted(lanes, data, info, layout, FEW)
    torch.cuda.reset_peak_memory_stats()
    update = less(counted(lanes, data, info, layout, FEW + 1), few)
    show("an update", update, top)
    print(f"  peak memory {torch.cuda.max_memory_allocated() / 1e9:.2f} GB, data included")
    before, whole = (counted(lanes, data, info, layout, updates) for updates in (case.steps - 1, case.steps))
    show("the first epoch's last update and evaluation, warm-ups included", less(whole, before), top)


def main() -> None:
    found = {case.name: case for case in (*CASES["cuda"], STUDY)}
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("case", nargs="?", choices=found, default=STUDY.name)
    arguments.add_argument("--precision", choices=get_args(Precision), default="fp32")
    arguments.add_argument("--layout", choices=get_args(Layout), default="vmap")
    arguments.add_argument("--seeds", type=int, help="other than the case's")
    arguments.add_argument("--top", type=int, default=12, help="operations to show, by bytes")
    given = arguments.parse_args()
    case = found[given.case]
    if given.seeds is not None:
        case = replace(case, seeds=given.seeds)
    print(f"{case.described()}, {given.precision}, {given.layout}")
    with device.without_numbers():
        report(case, given.precision, given.layout, given.top)


if __name__ == "__main__":
    main()
