"""The state of the emulated device: its memory, streams and capture, and what happened on it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from tests.emulation.memory import TOTAL, Memory

if TYPE_CHECKING:
    from tests.emulation.counting import Count
    from tests.emulation.graphs import Capture
    from tests.emulation.streams import Stream

CUDA = torch.device("cuda", 0)
_NOT_A_PLACE = (str(Path(torch.__file__).parent), str(Path(__file__).parent), "<")
_FRAMES = 4


@dataclass(frozen=True)
class Wait:
    """The host waited for the device."""

    op: str
    place: str
    """The innermost callers outside of torch, file:line(function), innermost first."""
    phase: str
    hidden: bool
    """Caused by an operation that reads or copies, not by a call that says that it waits."""


@dataclass(frozen=True)
class Draw:
    """Random numbers drawn on the device."""

    op: str
    place: str
    captured: bool


@dataclass
class _Fault:
    op: str
    error: BaseException
    after: int


@dataclass
class Device:
    """What the emulated device is and what happened on it; `waits`, `draws` and `notes` grow until they are cleared."""

    memory: Memory = field(default_factory=Memory)
    count: int = 1
    meta: bool = False
    """Tensors have no numbers: operations are counted, not computed."""
    stream: "Stream | None" = None
    """The current stream; None: the default one."""
    capture: "Capture | None" = None
    captures: "list[Capture]" = field(default_factory=list)
    """Every capture that was begun."""
    launched_on: set[int] = field(default_factory=set)
    """The streams on which something was launched since the last capture."""
    waits: list[Wait] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    phase: str = ""
    counts: "list[Count]" = field(default_factory=list)
    random: torch.Tensor = field(default_factory=lambda: torch.Generator().manual_seed(0).get_state())
    _faults: list[_Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory.before_taking = lambda: self.attempt("allocate")

    def fail_next(self, op: str, error: BaseException, after: int = 0) -> None:
        """Make the next launch of `op` raise `error`, after so many that succeed.

        `op` is an operation's name (`convolution`, `mm`) or `allocate`, `capture_begin`, `capture_end`, `replay`,
        `synchronize`, `event.query`.
        """
        self._faults.append(_Fault(op, error, after))

    def attempt(self, op: str) -> None:
        """Raise the error that was ordered for this operation."""
        for fault in self._faults if self._faults else ():
            if fault.op == op:
                fault.after -= 1
                if fault.after < 0:
                    self._faults.remove(fault)
                    raise fault.error

    def wait(self, op: str, hidden: bool = True) -> None:
        """Record that the host waits; raises AcceleratorError, as CUDA does, while a stream is capturing."""
        self.waits.append(Wait(op, place(), self.phase, hidden))
        self.attempt("synchronize")
        if self.capture is not None:
            self.capture.invalid = True
            raise torch.AcceleratorError(f"CUDA error: operation not permitted when stream is capturing ({op})")

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Name the phase that waits and launches are attributed to."""
        before, self.phase = self.phase, phase
        try:
            yield
        finally:
            self.phase = before

    @contextmanager
    def without_numbers(self) -> Iterator[None]:
        """Make tensors without numbers: what is launched is counted, not computed. The host reads 0, or true."""
        before, self.meta = self.meta, True
        try:
            yield
        finally:
            self.meta = before

    def clear(self) -> None:
        """Forget what happened and what was set, faults on order and workspaces too; tensors and graphs stay."""
        self.stream = self.capture = None
        self.meta, self.phase, self.count = False, "", 1
        self.memory.total, self.memory.others = TOTAL, 0
        self.memory.clear_workspaces()
        for happened in (self.captures, self.launched_on, self.waits, self.draws, self.notes, self._faults):
            happened.clear()


def place() -> str:
    """Return the innermost callers outside of torch and of the emulation."""
    found = list[str]()
    frame = sys._getframe(1)
    while frame is not None and len(found) < _FRAMES:
        code = frame.f_code
        ours = not code.co_filename.startswith(_NOT_A_PLACE) or Path(code.co_filename).name.startswith("test_")
        if ours:
            found.append(f"{code.co_filename}:{frame.f_lineno}({code.co_name})")
        if frame.f_back is None:
            break
        frame = frame.f_back
    return " < ".join(found)


device = Device()
"""The device of this process."""
