"""Runs in a folder, and what a framework has logged into them."""

import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from core import torchvision
from initlab import OfflineClient, Run
from initlab.external_parts import Metrics
from initlab.tracking.journal import RunFolder, read

Logged = dict[str, list[tuple[int, float]]]


def load(name: str) -> Any:
    """Return a module of a framework, whose import may warn of what others have deprecated.

    Lightning and transformers import torchvision, which needs help beside a torch without CUDA.
    """
    if not name.endswith(("xgboost", "lightgbm", "skorch")):
        torchvision.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(name)


@pytest.fixture
def run_of(tmp_path: Path) -> Callable[[Metrics], Run]:
    """Return what opens the run of one arm and seed with these metrics."""
    return lambda metrics: OfflineClient(tmp_path).external(["he"], 1, metrics).run("he", 0)


@pytest.fixture
def logged(tmp_path: Path) -> Callable[[], Logged]:
    """Return what reads the journal of that run: steps and values by metric."""

    def found() -> Logged:
        folder = RunFolder(next(tmp_path.glob("external-*/0-0")))
        head = folder.head()
        assert head is not None
        series: Logged = {}
        for step, value, metric in read(folder.points):
            series.setdefault(head.metrics[metric], []).append((step, value))
        return series

    return found


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the server want no more of a run once it has three steps."""
    monkeypatch.setattr(Run, "stop_requested", property(lambda run: run.next_step >= 3))
