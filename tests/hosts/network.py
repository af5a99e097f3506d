"""Hosts on a switch: processes in namespaces of their own, on links that can be cut, slowed and parted."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

INSIDE = "INITLAB_TESTS_PRIVATE_NETWORK"
"""The environment variable of a process that has a network namespace of its own."""
NETWORK = "10.77.0.0/24"
HERE = "10.77.0.1"
"""The address of the process that has the switch."""
NOBODY = "02:00:00:00:00:ff"
"""The hardware address of no host: what is sent there is lost without a word, as on the way to a dead router."""
KIB = 1024
# The first process of a host. It ends with its standard input, and takes all others of its host along; what its host's
# processes leave behind needs no reaping, as it ignores their ends. Other hosts' folders are covered by an empty one.
INIT = """
trap '' CHLD
hostname "$1" && ip link set lo up && mount --bind "$2" "$3" && mount -t tmpfs none "$4" || exit 1
echo ready
exec cat > /dev/null
"""


def unavailable() -> str | None:
    """Return why no hosts can be made here, with the way out, in one line; None where they can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's: run it there"
    missing = [tool for tool in ("unshare", "nsenter", "ip", "tc") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not found: apt-get install util-linux iproute2"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "--pid", "--mount", "--fork", "ip", "link", "add", "switch", "type", "bridge"],  # noqa: S607
        capture_output=True,
        text=True,
    )
    if tried.returncode:
        return f"network namespaces need root ({tried.stderr.strip()}): use sudo, or docker run --privileged"
    return None


def private_network() -> None:
    """Have this program run in a network namespace of its own, from its beginning, and make the switch there."""
    if os.environ.get(INSIDE) != "yes":
        os.environ[INSIDE] = "yes"
        unshare = ["unshare", "--net", "--", sys.executable, *sys.orig_argv[1:]]
        os.execvp(unshare[0], unshare)  # noqa: S606 it is this program
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "add", "switch", "type", "bridge")
    _run("ip", "address", "add", f"{HERE}/24", "dev", "switch")
    _run("ip", "link", "set", "switch", "up")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Host:
    """A host with an address, a folder that it alone sees (as `here`), and processes. It is down until `boot`."""

    def __init__(self, lab: Path, name: str, number: int) -> None:
        """`lab` is a folder of all hosts; `number` makes the address, from 2 to 254."""
        self.name = name
        self.address = f"10.77.0.{number}"
        self._mac = f"02:00:00:00:00:{number:02x}"
        self._port = f"port-{number}"
        self._all = lab / "hosts"
        self.folder = self._all / name
        """The folder as the test sees it."""
        self.here = lab / "here"
        """The folder as the host's processes see it."""
        self.logs = lab / "logs" / name
        for folder in (self.folder, self.here, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self._init: subprocess.Popen[str] | None = None
        self._pid = 0
        self._namespace = ""
        self._entries: list[subprocess.Popen[str]] = []
        """The processes that went inside: each waits for the one that it has there, and stops with it."""

    def boot(self) -> None:
        """Start the host, with a link to the switch and no service."""
        command = ["unshare", "--net", "--uts", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
        command += ["sh", "-c", INIT, "init", self.name, str(self.folder), str(self.here), str(self._all)]
        self._init = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._init.stdout is not None
        if self._init.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self.name} does not start")
        (init,) = psutil.Process(self._init.pid).children()
        self._pid, self._namespace = init.pid, os.readlink(f"/proc/{init.pid}/ns/pid")
        _run("ip", "link", "add", self._port, "type", "veth", "peer", "name", "eth0", "netns", str(self._pid))
        self._inside("ip", "link", "set", "eth0", "address", self._mac)
        self._inside("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self._inside("ip", "link", "set", "eth0", "up")
        _run("ip", "link", "set", self._port, "master", "switch", "up")

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], *, user: str | None = None
    ) -> subprocess.Popen[str]:
        """Start a process on the host, by default as the user that runs the tests; its log is in `logs`."""
        as_user = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        at_home = ["env", f"--chdir={self.here}"]  # nsenter itself would find the folder as it is outside
        inside = [*self._entered("--uts", "--pid", "--mount"), "--", *at_home, *as_user, *command]
        with (self.logs / "log").open("a") as log:
            process = subprocess.Popen(
                inside, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True
            )
        self._entries.append(process)
        return process

    def processes(self) -> list[psutil.Process]:
        """The processes of the host, without its first one."""
        found = []
        for process in psutil.process_iter():
            with suppress(OSError, psutil.NoSuchProcess):
                inside = os.readlink(f"/proc/{process.pid}/ns/pid") == self._namespace
                if inside and process.pid != self._pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def signal(self, number: int) -> None:
        """Send a signal to all processes of the host."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def kill(self) -> None:
        """Kill all processes; the kernel of the host lives, and tells their peers."""
        while running := self.processes():
            for process in running:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(running, timeout=5)
        self._leave()

    def lose_power(self) -> None:
        """End the host at once: its peers hear nothing more, and no connection is closed."""
        if self._init is None:
            return
        with suppress(RuntimeError):
            _run("ip", "link", "delete", self._port)
        running = self.processes()
        self._init.kill()
        self._init.communicate()
        psutil.wait_procs(running, timeout=30)
        self._init = None
        self._leave()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        for entry in self._entries:
            entry.send_signal(signal.SIGCONT)
        self.signal(signal.SIGCONT)

    def cut(self) -> None:
        """Pull the cable at the switch."""
        _run("ip", "link", "set", self._port, "down")

    def join(self) -> None:
        """Put it back."""
        _run("ip", "link", "set", self._port, "up")

    def slow(self, kib: int) -> None:
        """Let no more through the link than so many KiB a second, in either direction, late and with losses.

        A queue of 0.4 s stands before it; what does not fit in there is lost.
        """
        limit = ["root", "tbf", "rate", f"{kib * 8}kibit", "burst", "8kb", "latency", "400ms"]
        _run("tc", "qdisc", "replace", "dev", self._port, *limit)
        self._inside("tc", "qdisc", "replace", "dev", "eth0", *limit)

    def speed_up(self) -> None:
        _run("tc", "qdisc", "delete", "dev", self._port, "root")
        self._inside("tc", "qdisc", "delete", "dev", "eth0", "root")

    def part(self, other: "Host") -> None:
        """Lose all that goes from this host to the other, and back."""
        for one, peer in ((self, other), (other, self)):
            one._inside("ip", "neighbour", "replace", peer.address, "lladdr", NOBODY, "dev", "eth0", "nud", "permanent")

    def reunite(self, other: "Host") -> None:
        for one, peer in ((self, other), (other, self)):
            one._inside("ip", "neighbour", "delete", peer.address, "dev", "eth0")

    def _leave(self) -> None:
        for entry in self._entries:
            entry.send_signal(signal.SIGCONT)
            entry.wait()
        self._entries.clear()

    def _entered(self, *more: str) -> list[str]:
        return ["nsenter", "--target", str(self._pid), "--net", *more]

    def _inside(self, *command: str) -> None:
        _run(*self._entered(), *command)


def wait_for(host: Host, port: int, process: "subprocess.Popen[str]", seconds: float = 60) -> None:
    """Wait until somebody listens there. Raises `RuntimeError` where the process has ended, or is late."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError), socket.create_connection((host.address, port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{host.name} does not answer: {(host.logs / 'log').read_text()[-2000:]}")
        time.sleep(0.05)
