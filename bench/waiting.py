"""How training threads should wait for each other: spinning (OpenMP's default) or asleep (as the worker sets it).

`python bench/waiting.py` trains two epochs of the demo's cohort in fresh processes, alone and beside another busy
process, prints seconds and writes bench/records/waiting.json.
"""

import multiprocessing
import os
import statistics
import subprocess
import sys
from pathlib import Path

import record

from core.hardware import cores

REPEATS = 3
TRAIN = """
import json, sys, time
from pathlib import Path
import torch
from core.datasets import DatasetPaths
from core.spec import parse
from core.training import MemoryRecorder, train_lanes
from work import lanes_of
torch.set_num_threads(int(sys.argv[1]))
spec = parse(json.loads(Path("examples/weights_on_digits.json").read_text()) | {"epochs": 2})
dataset = spec.dataset.build()
info, data, lanes = dataset.info(DatasetPaths()), dataset.load(DatasetPaths()), lanes_of(spec)
for _ in range(2):  # the first is warm-up
    begin = time.perf_counter()
    train_lanes(lanes, data, info, MemoryRecorder())
print(time.perf_counter() - begin)
"""


def train(policy: str) -> float:
    """Seconds of the cohort in a fresh process: the policy is read when torch is loaded."""
    command = [sys.executable, "-c", TRAIN, str(cores())]
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), *sys.path[1:]])
    environment = os.environ | {"OMP_WAIT_POLICY": policy, "PYTHONPATH": paths}
    ended = subprocess.run(command, env=environment, cwd=here.parent, capture_output=True, text=True, check=True)
    return float(ended.stdout)


def burn() -> None:
    """Keep a core busy."""
    while True:
        pass


def main() -> None:
    rows = []
    print(f"{'seconds for two epochs':34s} {'spinning':>9s} {'asleep':>9s}")
    for name, others in (("alone", 0), ("beside one busy process", 1)):
        busy = [multiprocessing.Process(target=burn, daemon=True) for _ in range(others)]
        for process in busy:
            process.start()
        pairs = [(train("ACTIVE"), train("PASSIVE")) for _ in range(REPEATS)]
        for process in busy:
            process.terminate()
        spinning, asleep = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name:34s} {spinning:9.2f} {asleep:9.2f}", flush=True)
        samples = [[round(value, 3) for value in pair] for pair in pairs]
        rows.append(
            {"case": name, "spinning_s": round(spinning, 3), "asleep_s": round(asleep, 3), "samples_s": samples}
        )
    record.write(
        "waiting",
        threads=cores(),
        n=REPEATS,
        statistic="median of interleaved repeats",
        rows=rows,
    )


if __name__ == "__main__":
    main()
