"""The recipes of `deploy/`: each is what its tool takes, as far as that can be told without a cluster."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from prometheus_client import CollectorRegistry, Metric, generate_latest

from api.prometheus import _queue_metrics
from core.experiments.cohorts.events import COUNTS
from core.experiments.queries.statistics import QueueStats
from tests.backends import absent

DEPLOY = Path(__file__).parents[2] / "deploy"
SLURM = DEPLOY / "slurm" / "initlab-workers.sh"
KEDA: dict[str, Any] = next(yaml.safe_load_all((DEPLOY / "kubernetes" / "keda.yaml").read_text()))


def documents() -> list[dict[str, Any]]:
    pod = {key: value for key, value in KEDA["spec"]["jobTargetRef"].items() if key in ("backoffLimit", "template")}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "of-keda"}, "spec": pod}
    return [*yaml.safe_load_all((DEPLOY / "kubernetes" / "initlab.yaml").read_text()), job]


@pytest.mark.parametrize("document", documents(), ids=lambda one: one["kind"])
def test_kubernetes_takes_the_manifests(document: dict[str, Any]) -> None:
    version = kubernetes_validate.latest_version()
    kubernetes_validate.validate(document, version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document | {"spec": document["spec"] | {"replica": 2}}, version, strict=True)


def test_keda_asks_for_a_number_that_the_api_gives() -> None:
    (trigger,) = KEDA["spec"]["triggers"]
    assert trigger["metadata"]["url"].endswith(":8000/metrics")

    class Queue:
        def collect(self) -> list[Metric]:
            stats = QueueStats(
                counts=dict.fromkeys(COUNTS, 0), experiments={}, cohorts={"queued": 7}, runs={}, waited=0, workers={}
            )
            return list(_queue_metrics(stats))

    registry = CollectorRegistry()
    registry.register(Queue())
    assert f"{trigger['metadata']['valueLocation']} 7.0" in generate_latest(registry).decode().splitlines()


def test_systemd_takes_the_unit() -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        absent("systemd-analyze", "apt-get install systemd")
    unit = DEPLOY / "systemd" / "initlab-worker.service"
    ran = subprocess.run([tool, "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_slurm_job_leaves_in_time_and_hands_on_the_signal(tmp_path: Path) -> None:
    """On a stub of `initlab`, in the environment that Slurm gives a job; no cluster has run it here."""
    stub = tmp_path / "bin" / "initlab"
    stub.parent.mkdir()
    stub.write_text('#!/bin/bash\ntrap "echo left; exit 0" TERM\necho "$@"\nwhile :; do sleep 0.05; done\n')
    stub.chmod(0o755)
    now = int(time.time())
    environment = {
        "PATH": f"{stub.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_END_TIME": str(now + 4 * 3600),
    }
    with subprocess.Popen([str(SLURM)], env=environment, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        *words, until = job.stdout.readline().split()
        assert words == ["worker", "--idle-exit", "5m", "--until"]
        assert 4 * 3600 - 180 < int(until.removesuffix("s")) <= 4 * 3600 - 120
        assert (tmp_path / "initlab-7" / "data").is_dir()
        job.send_signal(signal.SIGTERM)
        assert job.stdout.read() == "left\n"
        assert job.wait(timeout=20) == 0
    assert not (tmp_path / "initlab-7").exists()


def test_a_slurm_job_asks_only_for_what_sbatch_knows() -> None:
    asked = [line.split()[1] for line in SLURM.read_text().splitlines() if line.startswith("#SBATCH")]
    known = {"job-name", "array", "time", "gres", "cpus-per-task", "mem", "signal", "output"}
    assert {one.removeprefix("--").partition("=")[0] for one in asked} == known
    assert all("=" in one for one in asked)
