"""The pictures drawn last: several people look at one experiment, and one person comes back to a preview."""

import threading
from collections import OrderedDict
from collections.abc import Callable


class Kept:
    """As many pictures as `most`, by what they depend on; the one that was asked for longest ago goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._pictures: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def get(self, key: tuple[str, str], draw: Callable[[], bytes]) -> bytes:
        """The picture of that key, drawn where it is not kept."""
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
                return self._pictures[key]
        picture = draw()
        with self._lock:
            self._pictures[key] = picture
            if len(self._pictures) > self._most:
                self._pictures.popitem(last=False)
        return picture
