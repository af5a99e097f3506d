"""A SeaweedFS for tests: an S3 server that people run, as one program."""

import http.client
import json
import random
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from core.files import S3Store
from core.files.cache import FileCache
from core.files.s3 import S3Address

KEY, SECRET, BUCKET = "lab", "of-the-lab", "lab"


OURS = range(20_000, 32_000)
"""Ports that no connection is given by itself: between a look at one and its use another process may take it."""


def server_ports() -> list[int]:
    """Return the ports that a server takes, on which nobody listens now."""
    found: set[int] = set()
    while len(found) < 8:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.choice(OURS)))
            found.add(int(probe.getsockname()[1]))
    return sorted(found)


class S3Server:
    """A running server. Its ports are its own, so that it can be stopped, and started again where it was."""

    def __init__(self, folder: Path, ports: list[int], address: str = "127.0.0.1") -> None:
        self.folder = folder
        self.ports = ports
        self.address = address
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.ports[0]}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a service that keeps its files here."""
        return {
            "INITLAB_FILES_URL": f"s3://{BUCKET}/of/tests",
            "INITLAB_FILES_ENDPOINT": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def store(self, prefix: str, cache: Path, *, limit: int = 2**30, secret: str = SECRET) -> S3Store:
        address = S3Address(
            bucket=BUCKET, endpoint=self.url, region="us-east-1", access_key_id=KEY, secret_access_key=secret
        )
        return S3Store(address, prefix, FileCache(cache, limit))

    def command(self) -> list[str]:
        """Write who may come in, and return what starts the server."""
        who = {"name": "lab", "credentials": [{"accessKey": KEY, "secretKey": SECRET}]}
        allowed = {"identities": [who | {"actions": ["Admin", "Read", "Write", "List"]}]}
        config = self.folder / "s3.json"
        config.write_text(json.dumps(allowed))
        s3, master, volume, filer = self.ports[:4]
        grpc = self.ports[4:]
        weed = Path(sysconfig.get_path("scripts")) / "weed"
        command = [str(weed), "server", f"-dir={self.folder}", f"-ip={self.address}", f"-ip.bind={self.address}"]
        command += [f"-master.port={master}", f"-master.port.grpc={grpc[0]}", "-master.volumeSizeLimitMB=64"]
        command += ["-master.telemetry=false", "-volume.max=50", "-volume.preStopSeconds=0"]
        command += [f"-volume.port={volume}", f"-volume.port.grpc={grpc[1]}"]
        command += ["-filer", f"-filer.port={filer}", f"-filer.port.grpc={grpc[2]}"]
        command += ["-s3", f"-s3.port={s3}", f"-s3.port.grpc={grpc[3]}", f"-s3.config={config}"]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # two servers on one machine cannot both have these
        return command

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.folder / "log").read_text()[-3000:])
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def answers(self) -> bool:
        """Return whether something can be stored: its parts find each other some time after they begin."""
        with (
            suppress(OSError, http.client.HTTPException),
            closing(http.client.HTTPConnection(self.address, self.ports[3], timeout=5)) as filer,
        ):
            socket.create_connection((self.address, self.ports[0]), timeout=5).close()
            filer.request("PUT", f"/buckets/{BUCKET}/begun", body=b"1")
            return filer.getresponse().status in (200, 201)
        return False


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Yield a running server with an empty bucket."""
    server = S3Server(folder, server_ports())
    server.start()
    try:
        yield server
    finally:
        server.stop()
