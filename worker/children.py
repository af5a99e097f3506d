"""Child processes of the supervisor: started, started again with growing pauses, replaced."""

import subprocess
import sys
import time
from dataclasses import dataclass, field

Process = subprocess.Popen[bytes]


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: list[str]
    files: tuple[int, ...]
    """File descriptors that it inherits."""
    process: Process | None = None
    started: float = 0.0
    pause: float = 0.1
    due: float = field(default_factory=time.monotonic)

    def launch(self, *arguments: str, files: tuple[int, ...] = ()) -> Process:
        """Start such a process, with more arguments and files, without supervising it.

        In a process group of its own: Ctrl-C at a terminal reaches the supervisor alone, which asks each child once.
        """
        command = [sys.executable, "-m", *self.command, *arguments]
        return subprocess.Popen(command, pass_fds=[*self.files, *files], process_group=0)

    def start(self) -> None:
        self.adopt(self.launch())

    def adopt(self, process: Process) -> Process | None:
        """Supervise a process from now on; returns the one that was supervised until then."""
        before, self.process = self.process, process
        self.started = time.monotonic()
        return before

    def release(self) -> Process | None:
        """Supervise nothing, and start nothing either; returns the process."""
        before, self.process = self.process, None
        self.due = float("inf")
        return before

    def ended(self) -> int | None:
        """Return the exit code of a process that ended since the last call; plans its next start."""
        code = None if self.process is None else self.process.poll()
        if code is None:
            return None
        self.process = None
        lived = time.monotonic() - self.started
        self.pause = 0.1 if lived > 30 else min(5.0, self.pause * 2)
        self.due = time.monotonic() + self.pause
        return code


class StoppingProcess:
    """A process that was asked to leave."""

    def __init__(self, process: Process, seconds: float) -> None:
        """Ask a process to leave, by SIGTERM, within `seconds`."""
        self._process = process
        self._deadline = time.monotonic() + seconds
        process.terminate()

    def gone(self) -> bool:
        """Return whether it has ended; one that is late is killed."""
        if self._process.poll() is None and time.monotonic() > self._deadline:
            self._process.kill()
            self._process.wait()
        return self._process.returncode is not None
