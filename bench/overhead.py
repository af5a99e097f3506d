"""What the service costs beside the training: latency of a post, post to first update, post to finished.

`python bench/overhead.py` starts the embedded service in a folder of its own, prints a table and writes
bench/records/overhead.json. The peer of the whole is the same training by `train_lanes` alone, shared out among as many
warm processes of one thread as the service has, in turns with the service.
"""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import record
import served
from pools import Pool, pool
from work import lanes_of, layout_of

from core.datasets import Dataset, DatasetPaths
from core.hardware import cores
from core.spec import parse
from core.training import MemoryRecorder, TrainOptions, train_lanes
from initlab import Client

POSTS = 40
FIRST_UPDATES = 20
WHOLES = 5
DEMO = Path(__file__).parent.parent / "examples" / "weights_on_digits.json"
SMALL = {"model": {"name": "mlp", "hidden": [16]}, "seeds": 1, "epochs": 1}


def until(done: Callable[[], bool], pause: float) -> float:
    """Seconds until `done`, asked again after `pause`."""
    begin = time.perf_counter()
    while not done():
        time.sleep(pause)
    return time.perf_counter() - begin


def posts(client: Client) -> list[float]:
    """Seconds of a post of the demo's spec, each cancelled so that none trains."""
    spec = json.loads(DEMO.read_text()) | {"device": "cuda"}  # which no worker here can take
    times = []
    for _ in range(POSTS):
        begin = time.perf_counter()
        experiment = client.submit(spec)
        times.append(time.perf_counter() - begin)
        experiment.cancel()
    return times


def first_updates(client: Client) -> list[float]:
    """Seconds from a post to its first update, as a client sees it, the worker idle before."""
    times = []
    for _ in range(FIRST_UPDATES):
        begin = time.perf_counter()
        experiment = client.submit(SMALL)
        until(lambda: experiment.refresh().progress["steps_done"] > 0, 0.002)  # noqa: B023 ends in this turn
        times.append(time.perf_counter() - begin)
        experiment.wait()
    return times


def share(part: int, parts: int) -> float:
    """Seconds of one part of the demo's training."""
    spec = parse(json.loads(DEMO.read_text()))
    dataset: Dataset = spec.dataset.build()
    data, info, lanes = dataset.load(DatasetPaths()), dataset.info(DatasetPaths()), lanes_of(spec)
    mine = lanes[part * len(lanes) // parts : (part + 1) * len(lanes) // parts]
    options = TrainOptions.of(spec, "cpu", layout_of(spec))
    begin = time.perf_counter()
    train_lanes(mine, data, info, MemoryRecorder(), options)
    return time.perf_counter() - begin


def trained(processes: Pool) -> float:
    """Seconds of the demo's training alone: those of the process that takes longest."""
    parts = len(processes)
    longest: float = max(processes.each(share, [(part, parts) for part in range(parts)]))
    return longest


def row(name: str, seconds: list[float], target: str) -> dict[str, Any]:
    """Print and return the quantiles of one measurement, in milliseconds."""
    times = sorted(second * 1e3 for second in seconds)
    p50, p90 = statistics.median(times), times[int(0.9 * (len(times) - 1))]
    print(f"{name:40s} n = {len(times):3d}   p50 {p50:8.1f} ms   p90 {p90:8.1f} ms   to reach: {target}", flush=True)
    return {"case": name, "n": len(times), "p50_ms": round(p50, 2), "p90_ms": round(p90, 2), "target": target}


def main() -> None:
    demo = json.loads(DEMO.read_text())
    with served.running() as client, pool(cores(), 1) as processes:
        for _ in range(2):  # warm: the worker's and this process's first imports and caches
            client.submit(SMALL).wait()
            trained(processes)
            served.seconds(client, demo)
        rows = [
            row("POST of the demo's spec", posts(client), "p50 at most 10 ms"),
            row("POST to the first update seen", first_updates(client), "p50 at most 150 ms"),
        ]
        pairs = [(served.seconds(client, demo), trained(processes)) for _ in range(WHOLES)]
    whole, alone = (list(column) for column in zip(*pairs, strict=True))
    rows += [row("demo, POST to finished", whole, ""), row("demo, training alone", alone, "")]
    overhead = statistics.median(w / a - 1 for w, a in pairs)
    print(f"service overhead: {overhead:.1%} (median of {WHOLES} pairs; to reach: at most 5 %)")
    record.write(
        "overhead",
        processes=cores(),
        rows=rows,
        overhead=round(overhead, 4),
        pairs_ms=[[round(w * 1e3, 1), round(a * 1e3, 1)] for w, a in pairs],
    )


if __name__ == "__main__":
    main()
