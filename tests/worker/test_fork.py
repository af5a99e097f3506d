"""What a worker imports before it forks leaves its children able to compute."""

import subprocess
import sys

FORKS = """
import os, sys
from worker import tasks

tasks.preload()
assert tasks.TRAINS in sys.modules
for thread in sorted(os.listdir("/proc/self/task"), key=int)[1:]:
    with open(f"/proc/self/task/{thread}/comm") as name:
        print("thread", name.read().strip(), flush=True)
child = os.fork()
if child == 0:
    import torch
    torch.set_num_threads(2)
    big = torch.randn(600, 600)
    print("child", bool((big @ big).isfinite().all()), flush=True)
    print("child", tuple(torch.conv2d(torch.randn(8, 3, 64, 64), torch.randn(8, 3, 3, 3)).shape), flush=True)
    import pyarrow as pa
    pa.set_memory_pool(pa.jemalloc_memory_pool())
    print("child", sum(len(pa.allocate_buffer(2**20)) for _ in range(64)), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
ALLOCATORS = {"thread jemalloc_bg_thd"}
"""pyarrow's, which begins another in a child; of all others a child would wait for what never comes."""


def test_a_child_computes_with_several_threads_after_the_fork() -> None:
    ended = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=120, check=False)
    said = ended.stdout.splitlines()
    assert {line for line in said if line.startswith("thread")} <= ALLOCATORS
    assert [line for line in said if line.startswith("child")] == [
        "child True",
        "child (8, 8, 62, 62)",
        f"child {2**26}",
    ], ended.stderr
