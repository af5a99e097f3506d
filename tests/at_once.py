"""Many calls at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(times: int, call: Callable[[], T]) -> list[T]:
    """Return what each of so many threads got that called together; raise what any of them raised."""
    together = threading.Barrier(times)

    def one() -> T:
        together.wait()
        return call()

    with ThreadPoolExecutor(times) as pool:
        return [found.result() for found in [pool.submit(one) for _ in range(times)]]
