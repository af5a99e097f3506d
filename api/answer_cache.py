"""A cache of answers: several people look at one experiment, and one person comes back to a preview."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from weakref import WeakValueDictionary

MOST_NAMES = 4096


class Answer(NamedTuple):
    """A body, and the version of what it shows."""

    version: str
    body: bytes


class AnswerCache:
    """A least-recently-used cache of bodies, of `most` bytes together, used by one event loop.

    An answer has a key made of all that it depends on, and is made once, also for many callers at the same time. It may
    also have names, such as the version of an experiment and what was asked of it: whoever knows a name need not gather
    the data to know the key.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._found: OrderedDict[str, Answer] = OrderedDict()
        self._making: dict[str, asyncio.Future[Answer]] = {}
        self._turns: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()
        self._keys: OrderedDict[str, str] = OrderedDict()

    def named(self, name: str) -> Answer | None:
        """Return the answer of that name, or None."""
        key = self._keys.get(name)
        return None if key is None else self._find(key)

    async def get(
        self, key: str, make: Callable[[], Awaitable[Answer]], *, name: str | None = None, turn: object = None
    ) -> Answer:
        """Return the answer of that key, made if it is missing; raises what `make` raises.

        Of answers with the same `turn` one is made after the other.
        """
        if name is not None:
            self._keys[name] = key
            self._keys.move_to_end(name)
            if len(self._keys) > MOST_NAMES:
                self._keys.popitem(last=False)
        found = self._find(key)
        if found is not None:
            return found
        if key not in self._making:
            lock = self._turns.setdefault(key if turn is None else turn, asyncio.Lock())
            self._making[key] = asyncio.ensure_future(self._make(key, make, lock))
        return await asyncio.shield(self._making[key])  # others wait for it too

    async def _make(self, key: str, make: Callable[[], Awaitable[Answer]], lock: asyncio.Lock) -> Answer:
        try:
            async with lock:
                answer = await make()
        finally:
            del self._making[key]
        self._found[key] = answer
        self._bytes += len(answer.body)
        while self._bytes > self._most:
            _, gone = self._found.popitem(last=False)
            self._bytes -= len(gone.body)
        return answer

    def _find(self, key: str) -> Answer | None:
        found = self._found.get(key)
        if found is not None:
            self._found.move_to_end(key)
        return found
