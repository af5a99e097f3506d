"""The image, as far as that can be told without building it: what it copies is there, and its command answers."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest

from tests.measured import give_profile
from tests.test_repository import ROOT

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
KEY = "the first API key, of `admin`, which is not shown again: "


def told(instruction: str) -> list[str]:
    """The arguments of every such instruction of the Dockerfile, in their order."""
    return [line.removeprefix(f"{instruction} ") for line in LINES if line.startswith(f"{instruction} ")]


def test_what_the_image_copies_is_in_the_repository() -> None:
    ignored = {line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] not in "#!"}
    copied = [words for words in map(shlex.split, told("COPY")) if not words[0].startswith("--from")]
    sources = {source for words in copied for source in words[:-1]}
    assert {"api", "core", "initlab", "migrations", "worker"} <= sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert sources.isdisjoint(ignored)


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, int, Path]]:
    """The image's own command, in the environment that the image gives it but for the place of /data."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    for line in told("ENV"):
        environment |= dict(word.split("=", 1) for word in shlex.split(line.replace("/data", str(folder))))
    give_profile(folder / "cache")
    [program] = json.loads(told("ENTRYPOINT")[-1])
    assert program == "initlab"
    command = [sys.executable, "-m", program, *json.loads(told("CMD")[-1]), "--port", "0", "--concurrency", "1"]
    log = folder / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert "ready at" in line, log.read_text()
            yield line.split()[-1], process.pid, log
        finally:
            process.terminate()


@pytest.mark.thorough
@pytest.mark.service
def test_the_images_command_answers_with_the_key_that_it_shows_once(tmp_path: Path) -> None:
    with running(tmp_path) as (url, pid, log):
        listening = [one.laddr.ip for one in psutil.Process(pid).net_connections() if one.status == "LISTEN"]
        assert listening == ["0.0.0.0"]
        assert httpx.get(f"{url}/experiments").status_code == 401
        [key] = [line.removeprefix(KEY) for line in log.read_text().splitlines() if line.startswith(KEY)]
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as http:
            assert http.get("/experiments").status_code == 200
            assert http.get("/me").json()["id"] == "admin"
    with running(tmp_path) as (url, _, log):
        assert KEY not in log.read_text()
        assert httpx.get(f"{url}/experiments", headers={"Authorization": f"Bearer {key}"}).status_code == 200
