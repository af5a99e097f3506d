"""`make demo`: a service of its own, one real experiment, its verdict and its pictures."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from initlab import display
from initlab.client import Client
from initlab.errors import FAILED, ClientError
from initlab.experiment import Experiment
from initlab.follow import follow
from initlab.streams import never_refuse

READY = "initlab is ready at "
READY_SECONDS, STOP_SECONDS = 180.0, 10.0  # the first start measures the machine


def main(
    spec: Annotated[Path, typer.Argument(help="What to compare.")] = Path("examples/weights_on_digits.json"),
    into: Annotated[Path, typer.Option(help="Where the report and the pictures go.")] = Path("var/demo"),
) -> None:
    """Start the service, post the spec, show its progress, print the verdict, keep report and pictures."""
    into.mkdir(parents=True, exist_ok=True)
    out = display.console()
    with service(into) as url, Client(url, api_key="") as client:
        for left in client.experiments():
            if not left.finished:  # of a demo that was interrupted: it would be trained first
                left.cancel()
        out.print(f"The service runs at {url}. Posting {spec}.", soft_wrap=True)
        experiment = follow(client.submit(spec), display.console(stderr=True))
        if experiment.status != "succeeded":
            raise ClientError(f"The experiment {experiment.status}. See {into / 'service.log'}")
        out.print(display.verdict(experiment.report()))
        pictures = keep(experiment, into)
    out.print(
        f"The report is {into / 'report.html'}, in one file, and {into / 'report.md'}, with {len(pictures)} pictures "
        "beside it.",
        soft_wrap=True,
    )


def keep(experiment: Experiment, into: Path) -> list[Path]:
    """Write the report as Markdown and as a web page with its pictures inside, and every picture as PNG."""
    pictures = []
    for name in (plot["name"] for plot in experiment.plots()):
        pictures.append(into / f"{name}.png")
        pictures[-1].write_bytes(experiment.plot(name))
    shown = "\n\n".join(f"![{picture.stem}]({picture.name})" for picture in pictures)
    (into / "report.md").write_text(f"{experiment.report_markdown().rstrip()}\n\n{shown}\n", encoding="utf-8")
    (into / "report.html").write_text(experiment.report_html(pictures="inline"), encoding="utf-8")
    return pictures


@contextmanager
def service(into: Path, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """Run a service that keeps its data and its log under `into`, for as long as the block runs; yields its URL.

    It takes no INITLAB_* settings and no `.env` from the caller, but for where things are cached and what `settings`
    says: the demo is the embedded default, whatever else is configured here. Raises `ClientError` with the end of its
    log where it does not come up.
    """
    log = into / "service.log"
    kept = ("INITLAB_CACHE_DIR",)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("INITLAB_") or key in kept}
    environment |= settings
    command = [
        sys.executable,
        "-m",
        "initlab",
        "serve",
        "--port",
        "0",
        "--data-dir",
        str((into / "service").absolute()),
    ]
    watched, kept_open = os.pipe()  # it closes with this process, however that ends
    with log.open("w") as sink:
        # In a session of its own, so that Ctrl-C reaches it once, from here.
        child = subprocess.Popen(
            [*command, "--parent-pipe", str(watched)],
            cwd=into,
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[watched],
        )
    os.close(watched)
    try:
        yield _ready(child, log)
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            child.kill()
            child.wait()
        os.close(kept_open)


def _ready(child: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        ended = child.poll() is not None
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
        if ended:
            tail = "\n".join(lines[-15:])
            raise ClientError(f"The service did not start (exit code {child.returncode}):\n{tail}")
        time.sleep(0.05)
    raise ClientError(f"The service was not ready after {READY_SECONDS:g} s. See {log}")


if __name__ == "__main__":
    never_refuse()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # so that the service is stopped on these as on Ctrl-C
    try:
        typer.run(main)
    except (ClientError, OSError) as error:
        display.console(stderr=True).print(str(error), soft_wrap=True)
        sys.exit(FAILED)
