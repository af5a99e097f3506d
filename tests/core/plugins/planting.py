"""Plug-ins for a test: planted into a folder, loaded, and gone with the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core import plugins
from core.metrics import _names
from core.models.layers import _spelling
from core.settings import settings

INITIALIZER = """
from core.initializers import Constant, Initializer, initializers
__version__ = "{version}"
@initializers.register(formula="w = value", source="a test of 2026", example={{"value": 1.0}})
def {name}(*, value: float = 0.5) -> Initializer:
    \"\"\"Constant.\"\"\"
    return Initializer(lambda layer: Constant(value))
"""
METRIC = """
from core.metrics import MeanOfExamples, Metric, metrics
metrics.add(Metric(name="valid_{name}", label="validation {name}", direction="max", per="epoch", split="valid",
    quantity="{name}", tasks=("multiclass",), compared=True,
    accumulator=lambda asked: MeanOfExamples(asked, lambda outputs, y: outputs.argmax(-1) == y)))
"""


def initializer(name: str, version: str = "1.0") -> str:
    return INITIALIZER.format(name=name, version=version)


def metric(name: str) -> str:
    return METRIC.format(name=name)


@contextmanager
def planted(folder: Path, files: dict[str, str]) -> Iterator[None]:
    """Have a folder with these files as that of the plug-ins, in place of those that were there."""
    folder.mkdir(exist_ok=True)
    for pattern in ("*.py", "*.pyc"):  # Python takes a compiled file of a source of the same size and second for it
        for path in sorted(folder.rglob(pattern)):
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INITLAB_PLUGINS", str(folder))
        _start_over()
        try:
            yield
        finally:
            plugins.reset()
    _start_over()


def _start_over() -> None:
    plugins.reset()
    settings.cache_clear()
    of_metrics = (_names.measured_by_epoch, _names.measured_on_test, _names.metric_names, _names.diagnostics)
    for cached in (*of_metrics, _spelling._known):
        cached.cache_clear()
