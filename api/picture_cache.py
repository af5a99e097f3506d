"""A cache of pictures: several people look at one experiment, and one person comes back to a preview."""

import threading
from collections import OrderedDict
from collections.abc import Callable

MOST_NAMES = 4096


class PictureCache:
    """A least-recently-used cache of pictures, of `most` bytes together.

    A picture has a key made of all that it is drawn from. It may also have names, such as the version of an experiment
    and what was asked of it: whoever knows a name need not gather the data to know the key.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._lock = threading.Lock()
        self._drawing = threading.Lock()
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._keys: OrderedDict[str, str] = OrderedDict()

    def named(self, name: str) -> bytes | None:
        """Return the picture of that name, or None."""
        with self._lock:
            key = self._keys.get(name)
            return None if key is None else self._find(key)

    def get(self, key: str, draw: Callable[[], bytes], name: str | None = None) -> bytes:
        """Return the picture of that key, drawn if it is missing: once, also for two callers at the same time."""
        with self._lock:
            if name is not None:
                self._keys[name] = key
                self._keys.move_to_end(name)
                if len(self._keys) > MOST_NAMES:
                    self._keys.popitem(last=False)
            found = self._find(key)
        if found is not None:
            return found
        with self._drawing:  # one at a time: matplotlib's settings are one for the process
            with self._lock:
                found = self._find(key)
            if found is None:
                found = draw()
                self._keep(key, found)
        return found

    def _find(self, key: str) -> bytes | None:
        found = self._pictures.get(key)
        if found is not None:
            self._pictures.move_to_end(key)
        return found

    def _keep(self, key: str, picture: bytes) -> None:
        with self._lock:
            self._pictures[key] = picture
            self._bytes += len(picture)
            while self._bytes > self._most:
                _, gone = self._pictures.popitem(last=False)
                self._bytes -= len(gone)
