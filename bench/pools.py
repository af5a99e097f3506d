"""Processes of their own for the peers: each with its threads, warm, and asleep until it is asked.

Their threads wait for each other asleep, as the worker's do: where anything else is at work, spinning ones are many
times slower (bench/records/waiting.json). OMP_WAIT_POLICY=ACTIVE in the environment measures the other way.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import torch


class Pool:
    """Processes that do the same at the same time."""

    def __init__(self, executors: Sequence[ProcessPoolExecutor], threads: int) -> None:
        self.threads = threads
        self._executors = executors

    def __len__(self) -> int:
        return len(self._executors)

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call `function` in every process at once; what each returned."""
        return self.each(function, [arguments] * len(self))

    def each(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Call `function` in every process at once, in each with arguments of its own; what each returned."""
        asked = [executor.submit(function, *own) for executor, own in zip(self._executors, arguments, strict=True)]
        return [one.result() for one in asked]


@contextmanager
def pool(processes: int, threads: int) -> Iterator[Pool]:
    """A pool that ends with the block."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # what the new processes find
    fresh = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        executors = [stack.enter_context(ProcessPoolExecutor(1, fresh, _ready, (threads,))) for _ in range(processes)]
        yield Pool(executors, threads)


def _ready(threads: int) -> None:
    torch.set_num_threads(threads)
