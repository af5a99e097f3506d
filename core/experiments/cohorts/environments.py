"""The environment of an attempt: all that may change what a training comes to, beside its spec and its data."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import torch
from sqlalchemy import select
from sqlalchemy.orm import Session

import core
from core import gpus, hardware
from core.experiments.cohorts.software import MOST_CLAIMS, software
from core.store import Event

PACKAGES = ("initlab", "torch", "torchvision", "numpy", "scipy", "scikit-learn", "pyarrow", "pillow")
"""Those that train, and those that read data."""
VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG", "CUDA_LAUNCH_BLOCKING", "KMP_AFFINITY", "MKL_CBWR", "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE", "OMP_NUM_THREADS", "PYTORCH_CUDA_ALLOC_CONF",
)  # fmt: skip
"""Variables of the environment that change speed or last bits."""
GIT_SECONDS = 10


class Attempt(NamedTuple):
    """One attempt of a cohort: when it began (by the database's clock) and on which worker."""

    cohort: int
    attempt: int
    at: float
    worker: str | None


class TrainedIn(NamedTuple):
    """An environment and the attempts that were made in it."""

    environment: Mapping[str, Any]
    attempts: Sequence[Attempt]


def environment(*, device: str, threads: int, layout: str) -> dict[str, Any]:
    """Return the environment of an attempt that begins in this process: plain values, the same for equal ones.

    `device` is the kind, "cpu" or "cuda"; `layout` how the lanes are computed.
    """
    return {
        **_machine(),
        "code": software()["code"],
        "device": device,
        **_gpu(device),
        "threads": threads,
        "layout": layout,
        "settings": {name: os.environ.get(name) for name in VARIABLES},
    }


def trained_in(session: Session, experiment_id: int) -> list[TrainedIn]:
    """Return the environments of an experiment's attempts, the earliest first; attempts that do not say it are left
    out."""
    claims = (
        select(Event.cohort_id, Event.attempt, Event.at, Event.detail)
        .where(Event.experiment_id == experiment_id, Event.kind == "claimed")
        .order_by(Event.id)
        .limit(MOST_CLAIMS)
    )
    found: dict[str, tuple[Mapping[str, Any], list[Attempt]]] = {}
    for cohort, attempt, at, detail in session.execute(claims):
        if "environment" in detail:
            here = detail["environment"]
            _, attempts = found.setdefault(repr(sorted(here.items())), (here, []))
            attempts.append(Attempt(cohort, attempt, at, detail.get("worker")))
    return [TrainedIn(*one) for one in found.values()]


@cache
def _machine() -> dict[str, Any]:
    """Return what is the same for all attempts of this process."""
    return {
        "packages": {name: found for name in PACKAGES if (found := _release(name))},
        "commit": commit(Path(core.__file__).parent.parent),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": hardware.processor(),
        "cores": hardware.cores(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def _release(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def commit(folder: Path) -> str | None:
    """Return the commit of the checkout in a folder, with "+" where tracked files have changed; None without one."""
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None

    def ask(*words: str) -> str:
        done = subprocess.run(
            [git, "-C", str(folder), *words], capture_output=True, text=True, timeout=GIT_SECONDS, check=True
        )
        return done.stdout.strip()

    try:
        return ask("rev-parse", "HEAD") + ("+" if ask("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):  # another's folder, or a checkout that is not whole
        return None


def _gpu(device: str) -> dict[str, Any]:
    """Return the GPU of this process as the driver names it; None for each where it trains on none, or none is told."""
    there = gpus.inventory() if device == "cuda" else None
    ours = gpus.choose(there.gpus, os.environ.get(gpus.VISIBLE)).gpus if there else ()
    return {
        "gpu": ours[0].name if ours else None,
        "capability": ".".join(map(str, ours[0].capability)) if ours else None,
        "driver": there.driver if there else None,
        "cuda": torch.version.cuda if device == "cuda" else None,
        "cudnn": torch.backends.cudnn.version() if device == "cuda" else None,  # type: ignore[no-untyped-call]
    }
