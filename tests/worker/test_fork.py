"""What a worker imports before it forks leaves its children able to compute."""

import subprocess
import sys

FORKS = """
import os, sys, threading
from worker import tasks

tasks.preload()
assert "torch" in sys.modules
import psutil
print("threads", psutil.Process().num_threads(), flush=True)
child = os.fork()
if child == 0:
    import torch
    torch.set_num_threads(2)
    big = torch.randn(600, 600)
    print("child", bool((big @ big).isfinite().all()), flush=True)
    print("child", tuple(torch.conv2d(torch.randn(8, 3, 64, 64), torch.randn(8, 3, 3, 3)).shape), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def test_a_child_computes_with_several_threads_after_the_fork() -> None:
    ended = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.splitlines() == ["threads 1", "child True", "child (8, 8, 62, 62)"], ended.stderr
