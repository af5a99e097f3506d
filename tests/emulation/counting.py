"""Launches and bytes of operations, as the device would have to move them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from tests.emulation.state import device

FREE = frozenset({"empty", "empty_strided", "empty_like", "new_empty", "new_empty_strided"})
"""Operations that launch nothing."""


@dataclass(frozen=True)
class Launch:
    """An operation's kernels and the bytes they read and write."""

    op: str
    launches: int
    read: int
    written: int
    phase: str
    stream: int


@dataclass
class Count:
    """Launches and bytes since the counting began; a replay is one launch outside of graphs."""

    outside: int = 0
    inside: int = 0
    """Launches within replays."""
    replays: int = 0
    captured: int = 0
    """Launches that were captured, not run."""
    read: int = 0
    written: int = 0
    launches_of: Counter[str] = field(default_factory=Counter)
    """By operation, outside and inside of graphs."""
    bytes_of: Counter[str] = field(default_factory=Counter)
    launches_in: Counter[str] = field(default_factory=Counter)
    """By phase."""
    bytes_in: Counter[str] = field(default_factory=Counter)

    @property
    def bytes(self) -> int:
        return self.read + self.written

    def add(self, launch: Launch, inside: bool) -> None:
        self.inside += launch.launches * inside
        self.outside += launch.launches * (not inside)
        self.read += launch.read
        self.written += launch.written
        moved = launch.read + launch.written
        phase = device.phase if inside else launch.phase
        self.launches_of[launch.op] += launch.launches
        self.bytes_of[launch.op] += moved
        self.launches_in[phase] += launch.launches
        self.bytes_in[phase] += moved


@contextmanager
def count() -> Iterator[Count]:
    """Count what is launched meanwhile."""
    counted = Count()
    device.counts.append(counted)
    try:
        yield counted
    finally:
        device.counts.remove(counted)


def record(op: str, read: Sequence[torch.Tensor], written: Sequence[torch.Tensor], launches: int, stream: int) -> None:
    """Count an operation, or keep it for the replays of the graph that is being captured."""
    if not launches:
        return
    if device.capture is None:
        device.launched_on.add(stream)
        if not device.counts:
            return
    read_bytes, written_bytes = (sum(map(touched, tensors)) for tensors in (read, written))
    launch = Launch(op, launches, read_bytes, written_bytes, device.phase, stream)
    if device.capture is not None:
        device.capture.tape.launches.append(launch)
        for counted in device.counts:
            counted.captured += launches
        return
    for counted in device.counts:
        counted.add(launch, inside=False)


def touched(tensor: torch.Tensor) -> int:
    """Return the distinct bytes of a tensor: what is expanded counts once."""
    numbers = 1
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        numbers *= size if stride or not size else 1
    return numbers * tensor.element_size()


def kernels(op: str, lists: Sequence[Sequence[torch.Tensor]]) -> int:
    """Return the launches of an operation: one, but for `_foreach` lists of unequal strides, a launch a tensor."""
    if not op.startswith("_foreach"):
        return 1
    rows = [list(row) for row in zip(*lists, strict=False)]
    alike = all(len({(tuple(t.shape), t.stride()) for t in row}) == 1 for row in rows)
    return 1 if alike else len(rows)
