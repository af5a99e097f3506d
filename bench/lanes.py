"""Milliseconds an update and run: the plain loop (core/training/reference.py) beside the lanes, in one process.

`python bench/lanes.py` prints a table and writes bench/records/lanes.json. Updates only: batches, dropout, forward,
backward, Adam and recording, no initial values and no evaluation; "experiment" is the demo's whole training of digits,
with both.
"""

import argparse
import contextlib
import json
import os
import platform
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.datasets import Facts, Sources, Splits
from core.datasets.digits import digits
from core.results import Outcome
from core.spec import Treatment, parse
from core.training import Lane, MemoryRecorder, Stopped, train_lanes, train_run

REPEATS = 15
UPDATES = 15
INITIALIZERS = ["zeros", "ones", "uniform_rule", "normal_rule", "glorot_normal", "he_normal", "torch_default"]
RECORD = Path(__file__).parent / "records" / "lanes.json"


def lanes_of(seeds: int, epochs: int, schedules: list[str]) -> list[Lane]:
    spec = parse(
        {
            "model": {"name": "mlp", "hidden": [256, 128], "dropout": 0.2},
            "epochs": epochs,
            "arms": [
                {"initializer": name, "schedule": schedules[i % len(schedules)]} for i, name in enumerate(INITIALIZERS)
            ],
        }
    )
    treatments: list[Treatment] = [arm.treatment for arm in spec.expanded]
    return [Lane(i * seeds + s, treatment, s) for i, treatment in enumerate(treatments) for s in range(seeds)]


class Enough(Exception):
    """The loop has done its updates."""


class TimedRecorder(MemoryRecorder):
    """Notes when an update's loss came and ends the run after the last one."""

    def record(self, run: int, metric: str, first: int, values: Any) -> None:
        super().record(run, metric, first, values)
        if metric == "train_loss":
            if first == 0:
                self.began = time.perf_counter()
            if first == UPDATES:
                raise Enough


def loop_updates(lanes: list[Lane], data: Splits, facts: Facts) -> float:
    """Seconds an update and run of the plain loop, over the first seed's runs."""
    total = 0.0
    mine = [lane for lane in lanes if lane.seed == 0]
    for lane in mine:
        recorder = TimedRecorder()
        try:
            train_run(lane, data, facts, recorder)
        except Enough:
            total += time.perf_counter() - recorder.began
    return total / UPDATES / len(mine)


def lane_updates(lanes: list[Lane], data: Splits, facts: Facts) -> float:
    """Seconds an update and run of the lanes."""
    asked: list[float] = []

    def stopped() -> bool:
        asked.append(time.perf_counter())
        return len(asked) == UPDATES + 2

    with contextlib.suppress(Stopped):
        train_lanes(lanes, data, facts, MemoryRecorder(), stopped=stopped)
    return (asked[-1] - asked[1]) / UPDATES / len(lanes)


def whole(train: Callable[[], None], updates: int) -> float:
    begin = time.perf_counter()
    train()
    return (time.perf_counter() - begin) / updates


class Discard:
    """A recorder that keeps nothing."""

    def record(self, run: int, metric: str, first: int, values: Any) -> None: ...
    def finish(self, run: int, outcome: Outcome) -> None: ...
    def advance(self, step: int) -> None: ...


def measure(name: str, loop: Callable[[], float], fast: Callable[[], float]) -> dict[str, Any]:
    loop(), fast()
    times = [(loop() * 1e3, fast() * 1e3) for _ in range(REPEATS)]
    slow, quick = (min(column) for column in zip(*times, strict=True))
    row = {"case": name, "loop_ms": round(slow, 4), "lanes_ms": round(quick, 4), "ratio": round(slow / quick, 2)}
    print(f"{name:44s} {slow:9.3f} {quick:9.3f} {slow / quick:7.2f}", flush=True)
    return row | {"samples_ms": [[round(value, 4) for value in pair] for pair in times]}


def experiment() -> dict[str, Any]:
    dataset = digits()
    data, facts = dataset.load(Sources()), dataset.facts(Sources())
    lanes, epochs = lanes_of(5, 2, ["constant"]), 2
    steps = -(-facts.train // lanes[0].treatment.batch_size) * epochs

    def by_loop() -> None:
        for lane in lanes:
            train_run(lane, data, facts, Discard())

    return measure(
        "digits experiment, 2 epochs, 35 lanes",
        lambda: whole(by_loop, steps * len(lanes)),
        lambda: whole(lambda: train_lanes(lanes, data, facts, Discard()), steps * len(lanes)),
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--threads", type=int, default=2)
    threads = arguments.parse_args().threads
    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    rows = []
    print(f"{'ms an update and run':44s} {'loop':>9s} {'lanes':>9s} {'ratio':>7s}")
    for shape in ((1, 8, 8), (1, 28, 28)):
        x = torch.rand(4_000, *shape, generator=generator)
        y = torch.randint(10, (len(x),), generator=generator)
        data, facts = Splits(x, y, x[:100], y[:100]), Facts(shape, 10, len(x), 100)
        for schedules in (["constant"], ["constant", "cosine"]):
            lanes = lanes_of(5, 1, schedules)
            name = f"MLP {np.prod(shape)}-256-128-10, Adam, 35 lanes, {len(schedules)} schedule(s)"
            timed = (partial(work, lanes, data, facts) for work in (loop_updates, lane_updates))
            rows.append(measure(name, *timed))
    rows.append(experiment())
    record = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {threads} threads",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "n": REPEATS,
        "statistic": "fastest of n interleaved repeats: what the machine's other work did not disturb",
        "load_average": os.getloadavg()[0],
        "rows": rows,
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
