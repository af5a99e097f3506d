"""Celery's own errors come as the service's do; and so does what the supervisor says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import filelock

CELERYS = """
import logging
from core.logs import set_up
from core.queue import celery_app
from core.settings import Settings
import worker.__main__
set_up("worker", Settings(), others=logging.WARNING)
celery_app(Settings()).log.setup(logging.WARNING)
for name in ("celery.worker", "celery.app.trace", "celery.task", "kombu", "multiprocessing"):
    logging.getLogger(name).error("from %s", name)
    logging.getLogger(name).info("noise")
logging.getLogger("core.experiments").info("ours")
"""


def test_celerys_errors_are_lines_like_ours() -> None:
    environment = os.environ | {"INITLAB_LOG_FORMAT": "json"}
    ended = subprocess.run(
        [sys.executable, "-c", CELERYS], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    found = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["message"] for line in found] == [
        "from celery.worker",
        "from celery.app.trace",
        "from celery.task",
        "from kombu",
        "from multiprocessing",
        "ours",
    ]
    assert {line["process"] for line in found} == {"worker"}


def test_the_supervisor_says_why_it_cannot_start(tmp_path: Path) -> None:
    environment = os.environ | {"INITLAB_LOG_FORMAT": "json"}
    with filelock.FileLock(tmp_path / "service.lock"):
        ended = subprocess.run(
            [sys.executable, "-m", "worker.supervisor", "--data-dir", str(tmp_path)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = map(json.loads, ended.stderr.splitlines())
    assert (line["process"], line["level"]) == ("supervisor", "ERROR")
    assert "another initlab service is using" in line["message"]
