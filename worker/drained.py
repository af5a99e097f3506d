"""The training processes of a worker that were drained: another in the same place trains nothing."""

import mmap
import os
import signal

DRAINED = 3
"""The exit code of a supervised worker whose processes were all drained: it is not to be started again by itself."""
OUTDATED = 4
"""The exit code of a worker whose database was upgraded: started again, it may have the code for that."""

_LEAVING, _GONE = 1, 2


class DrainedPlaces:
    """The places of a worker's children that were drained: a byte each of shared memory, made before the fork.

    The pool starts another child wherever one ends, which finds here that it is not to train. A place counts as vacated
    only from then on: a child may be killed on its way out.
    """

    def __init__(self, children: int) -> None:
        self._bytes = mmap.mmap(-1, max(1, children))
        self._children = children

    def leave(self, child: int) -> None:
        """Note that a child is about to end for good."""
        self._bytes[child] = max(self._bytes[child], _LEAVING)

    def is_vacated(self, child: int) -> bool:
        """Return whether the child that was here before this one was drained; called at a child's start."""
        if self._bytes[child] == 0:
            return False
        self._bytes[child] = _GONE
        return True

    @property
    def all(self) -> bool:
        """True once no child is left that trains."""
        return all(self._bytes[child] == _GONE for child in range(self._children))


class ChildsPlace:
    """The place of a child in its worker."""

    def __init__(self, places: DrainedPlaces, child: int) -> None:
        self._places = places
        self._child = child

    def leave(self) -> None:
        self._places.leave(self._child)

    def end(self) -> None:
        os._exit(0)


class WholeWorker:
    """The place of a worker that has no children, and trains by itself."""

    def __init__(self, places: DrainedPlaces) -> None:
        self._places = places

    def leave(self) -> None:
        self._places.leave(0)

    def end(self) -> None:
        self._places.is_vacated(0)
        os.kill(os.getpid(), signal.SIGTERM)
