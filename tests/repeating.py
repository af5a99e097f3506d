"""Something done over and over by a thread, while a test does something else."""

import threading
from abc import ABC, abstractmethod
from typing import Self


class Repeating(ABC):
    """Has `act` called one time after the other within a `with` block, whose end raises what any of them raised."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._repeat)

    @abstractmethod
    def act(self) -> None:
        """Do it once."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        if self.failures:
            raise self.failures[0]

    def _repeat(self) -> None:
        try:
            while not self._enough.is_set():
                self.act()
        except Exception as failure:  # noqa: BLE001 of the thread, for the test
            self.failures.append(failure)
