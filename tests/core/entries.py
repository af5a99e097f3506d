"""Every entry of every catalogue, with a value for each parameter that has no default."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from core.errors import Problem
from core.registry import Entry, Registry

KINDS = ("initializer", "schedule", "optimizer", "model", "layer", "dataset", "plot")
FOLDERS = {"layer": "models/layers"}
"""The folders of catalogues below core that are not their kind's plural."""
REQUIRED: dict[tuple[str, str], dict[str, Any]] = {
    ("dataset", "uploaded"): {"id": "churn"},
    ("initializer", "constant"): {"value": 0.5},
    ("initializer", "mup"): {"base_width": 64},
    ("initializer", "per_layer"): {"layers": {"fc1": "zeros"}},
    ("initializer", "sparse"): {"sparsity": 0.25},
    ("initializer", "uniform_fixed"): {"sigma": 0.1},
    ("layer", "adaptive_avg_pool"): {"output_size": 2},
    ("layer", "conv2d"): {"filters": 8, "kernel_size": 3},
    ("layer", "dense"): {"units": 10},
    ("layer", "conv_transpose2d"): {"filters": 8, "kernel_size": 3},
    ("layer", "depthwise_conv2d"): {"kernel_size": 3},
    ("layer", "group_norm"): {"groups": 2},
    ("layer", "rescaling"): {"scale": 2.0},
    ("layer", "separable_conv2d"): {"filters": 8, "kernel_size": 3},
    ("model", "sequential"): {
        "layers": [{"conv2d": {"filters": 4, "kernel_size": 1}}, "flatten", {"dense": "outputs"}]
    },
    ("model", "torchvision"): {"model": "resnet18"},
    ("schedule", "chained"): {"parts": ["linear_factor", {"name": "exponential", "gamma": 0.9}]},
    ("schedule", "constant_warmup"): {"warmup_steps": 3},
    ("schedule", "cosine_restarts"): {"T_0": 5},
    ("schedule", "cosine_warmup"): {"warmup_steps": 3},
    ("schedule", "cyclic"): {"max_lr": 0.4},
    ("schedule", "exponential"): {"gamma": 0.9},
    ("schedule", "inverse_sqrt"): {"warmup_steps": 3},
    ("schedule", "inverse_time"): {"gamma": 0.5},
    ("schedule", "lambda"): {"fn": "0.95 ** epoch"},
    ("schedule", "linear_warmup"): {"warmup_steps": 3},
    ("schedule", "multiplicative"): {"fn": "0.95"},
    ("schedule", "multistep"): {"milestones": [4, 9]},
    ("schedule", "natural_exp"): {"gamma": 0.1},
    ("schedule", "noam"): {"d_model": 512, "warmup_steps": 5},
    ("schedule", "piecewise"): {"boundaries": [3, 8], "values": [1.0, 0.5, 0.1]},
    ("schedule", "sequential"): {"parts": ["constant_factor", "cosine"], "milestones": [4]},
    ("schedule", "step"): {"step_size": 4},
    ("schedule", "wsd"): {"warmup_steps": 3, "decay_steps": 4},
}
"""A value for each parameter that has no default."""


def catalogue(kind: str) -> Registry:
    """Return a kind's catalogue, and import no other: one folder's tests need not wait for matplotlib."""
    found: Registry = getattr(import_module(f"core.{folder_of(kind).replace('/', '.')}"), f"{kind}s")
    return found


def folder_of(kind: str) -> str:
    """Return the folder of a kind's catalogue, and of its tests, below core and tests/core."""
    return FOLDERS.get(kind, f"{kind}s")


def entries(*kinds: str) -> list[tuple[str, str]]:
    return [(kind, name) for kind in kinds for name in catalogue(kind)]


def raw(kind: str, name: str) -> dict[str, Any]:
    given = {"name": name, **REQUIRED.get((kind, name), {})}
    needed = {key for key, field in catalogue(kind)[name].model_fields.items() if field.is_required()}
    missing = needed - given.keys()
    assert not missing, f"{kind} {name!r} needs {sorted(missing)}: write example values into REQUIRED of {__file__}"
    return given


def parse(kind: str, name: str) -> Entry:
    return catalogue(kind).parse(raw(kind, name))


def is_named(name: str, folder: str) -> bool:
    """Return whether a test or a golden file of a folder below tests/core names an entry."""
    files = [path for path in (Path(__file__).parent / folder).rglob("*") if path.suffix in (".py", ".json")]
    return any(f'"{name}"' in path.read_text(encoding="utf-8") for path in files)


def refusal(kind: str, given: object) -> list[Problem]:
    with pytest.raises(PydanticCustomError) as caught:
        catalogue(kind).parse(given)
    problems: list[Problem] = (caught.value.context or {})["problems"]
    return problems


def of(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", list(catalogue(kind)))
