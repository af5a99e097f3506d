"""The accounting of device memory: bytes of live tensors, in the allocator's own pool or in graphs' private ones."""

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from tests.emulation.graphs import Capture
    from tests.emulation.streams import Stream

TOTAL = 80 * 2**30
GRANULE = 512
"""The caching allocator's smallest block."""
WORKSPACE = 8 * 2**20
"""Bytes that cuBLAS keeps for each stream, 32 MiB on newer cards."""
Handle = tuple[int, int]


class Pool:
    """Memory from which blocks are taken; what was freed stays reserved until the pool is trimmed."""

    def __init__(self) -> None:
        self.live = 0
        self.reserved = 0
        self.graphs = 0
        """Live graphs whose private pool it is: while there are any, nothing reserved is given back."""

    def trim(self) -> None:
        if not self.graphs:
            self.reserved = self.live


class Block:
    """The memory of a tensor and its views; it is free again when the last of them has gone."""

    def __init__(self, pool: Pool, size: int, capture: int) -> None:
        """`capture` is the number of the capture in which it was taken, 0 outside of any."""
        self.pool, self.size, self.capture = pool, size, capture
        pool.live += size
        pool.reserved = max(pool.reserved, pool.live)

    def __del__(self) -> None:
        self.pool.live -= self.size


class Memory:
    """The memory of a device; `total` may be set, and `others`, the bytes that other processes hold."""

    def __init__(self) -> None:
        self.total = TOTAL
        self.others = 0
        self.before_taking: Callable[[], None] = lambda: None
        self.peak = 0
        """Most bytes of live tensors so far."""
        self._own = Pool()
        self._pools: weakref.WeakSet[Pool] = weakref.WeakSet([self._own])
        self._private: weakref.WeakValueDictionary[Handle, Pool] = weakref.WeakValueDictionary()
        self._handles = 0
        self._blocks: weakref.WeakValueDictionary[int, Block] = weakref.WeakValueDictionary()
        self._workspaces: dict[int, Block] = {}

    @property
    def allocated(self) -> int:
        return sum(pool.live for pool in self._pools)

    @property
    def reserved(self) -> int:
        return sum(pool.reserved for pool in self._pools)

    @property
    def free(self) -> int:
        return max(0, self.total - self.others - self.reserved)

    def new_handle(self) -> Handle:
        self._handles += 1
        return 0, self._handles

    def private(self, handle: Handle) -> Pool:
        """Return the private pool of that handle, a new one where no graph and no tensor uses it."""
        pool = self._private.get(handle)
        if pool is None:
            pool = self._private[handle] = Pool()
            self._pools.add(pool)
        return pool

    def block_of(self, inner: torch.Tensor, capture: "Capture | None") -> Block:
        """Return the block of a tensor's storage; a new storage takes one, of the private pool during a capture.

        Raises OutOfMemoryError where it does not fit.
        """
        storage = inner.untyped_storage()
        block = self._blocks.get(storage._cdata)
        if block is None:
            block = self._blocks[storage._cdata] = self.take(storage.nbytes(), capture)
        return block

    def take(self, size: int, capture: "Capture | None") -> Block:
        self.before_taking()
        size = -(-size // GRANULE) * GRANULE
        pool = self._own if capture is None else capture.pool
        if pool.live + size - pool.reserved > self.free:
            self.trim()
            if pool.live + size - pool.reserved > self.free:
                raise torch.OutOfMemoryError(
                    f"CUDA out of memory. Tried to allocate {size / 2**20:.2f} MiB. GPU 0 has a total capacity of "
                    f"{self.total / 2**30:.2f} GiB of which {self.free / 2**20:.2f} MiB is free."
                )
        block = Block(pool, size, 0 if capture is None else capture.number)
        self.peak = max(self.peak, self.allocated)
        return block

    def trim(self) -> None:
        """Give back what is reserved and not in use, but for pools of live graphs."""
        for pool in self._pools:
            pool.trim()

    def workspace(self, stream: "Stream", capture: "Capture | None") -> Block:
        """Return the workspace of cuBLAS for a stream: taken once, wherever its first product ran."""
        if stream.stream_id not in self._workspaces:
            self._workspaces[stream.stream_id] = self.take(WORKSPACE, capture)
        return self._workspaces[stream.stream_id]

    def clear_workspaces(self) -> None:
        self._workspaces.clear()

    def clear_workspace(self, stream: "Stream") -> None:
        """Drop a stream's workspace, as the end of any graph captured on it does (pytorch#193402)."""
        self._workspaces.pop(stream.stream_id, None)
