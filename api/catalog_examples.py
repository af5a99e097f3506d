"""Examples of the catalogue's entries: parameters where there are no usual ones, and what a preview is asked with.

The catalogue's answers, its pictures on the page and those of the manual are all of these.
"""

from collections.abc import Mapping
from typing import Any

STEPS, EPOCH, RATE = 1000, 100, 0.1
"""Updates, updates in an epoch, and the base rate of the pictures of schedules."""
LOSSES = [1.0, 0.6, 0.45, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]
"""A loss after every epoch that stops falling, for schedules that answer to one."""

EXAMPLES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("datasets", "uploaded"): {"id": "churn"},
    ("initializers", "constant"): {"value": 0.01},
    ("initializers", "mup"): {"base_width": 64},
    ("initializers", "per_layer"): {"layers": {"fc1": "he_normal"}},
    ("initializers", "sparse"): {"sparsity": 0.9},
    ("initializers", "uniform_fixed"): {"sigma": 0.1},
    ("layers", "adaptive_avg_pool"): {"output_size": 2},
    ("layers", "conv2d"): {"filters": 8, "kernel_size": 3},
    ("layers", "dense"): {"units": 10},
    ("layers", "conv_transpose2d"): {"filters": 8, "kernel_size": 4, "stride": 2, "padding": 1},
    ("layers", "depthwise_conv2d"): {"kernel_size": 3},
    ("layers", "group_norm"): {"groups": 2},
    ("layers", "rescaling"): {"scale": 2.0, "offset": -1.0},
    ("layers", "separable_conv2d"): {"filters": 8, "kernel_size": 3},
    ("models", "sequential"): {
        "layers": [{"conv2d": {"filters": 8, "kernel": 3}}, "relu", "flatten", {"dense": {"units": "outputs"}}]
    },
    ("models", "torchvision"): {"model": "resnet18"},
    ("schedules", "chained"): {"parts": [{"name": "linear_warmup", "warmup_steps": 100}, {"name": "cosine"}]},
    ("schedules", "constant_factor"): {"total_steps": 300},
    ("schedules", "constant_warmup"): {"warmup_steps": 100},
    ("schedules", "cosine_restarts"): {"T_0": 250},
    ("schedules", "cosine_warmup"): {"warmup_steps": 100},
    ("schedules", "cyclic"): {"max_lr": 0.4, "step_size_up": 125},
    ("schedules", "exponential"): {"gamma": 0.997},
    ("schedules", "inverse_sqrt"): {"warmup_steps": 100},
    ("schedules", "inverse_time"): {"gamma": 0.01},
    ("schedules", "lambda"): {"fn": "0.5 ** (t // 250)"},
    ("schedules", "linear_factor"): {"total_steps": 300},
    ("schedules", "linear_warmup"): {"warmup_steps": 100, "after": "cosine"},
    ("schedules", "multiplicative"): {"fn": "0.997"},
    ("schedules", "multistep"): {"milestones": [4, 8]},
    ("schedules", "natural_exp"): {"gamma": 0.003},
    ("schedules", "noam"): {"d_model": 512, "warmup_steps": 200},
    ("schedules", "piecewise"): {"boundaries": [300, 700], "values": [0.1, 0.03, 0.01]},
    ("schedules", "reduce_on_plateau"): {"patience": 1},
    ("schedules", "sequential"): {
        "parts": [{"name": "linear_factor", "total_steps": 100}, "cosine"],
        "milestones": [100],
    },
    ("schedules", "step"): {"step_size": 3},
    ("schedules", "wsd"): {"warmup_steps": 100, "decay_steps": 200},
}
"""By kind and name: at least the parameters that have no default. Schedules fit a run of `STEPS` updates."""

PREVIEWED: Mapping[str, str] = {
    "initializers": "initializer",
    "schedules": "schedule",
    "optimizers": "optimizer",
    "models": "signal",
    "layers": "layer",
    "datasets": "dataset",
}
"""The preview that shows the entries of a kind: `POST /previews/{preview}`."""

_ASKED: Mapping[str, Mapping[str, Any]] = {
    "initializers": {"shape": [256, 256], "name": "fc1"},
    "schedules": {"lr": RATE, "steps": STEPS, "steps_per_epoch": EPOCH},
    "optimizers": {"steps": 300},
    "models": {
        "initializers": ["torch_default", "he_normal"], "inputs": [3, 16, 16], "outputs": 10, "batch": 32, "seeds": 2,
    },
    "layers": {},
    "datasets": {},
}  # fmt: skip
_ASKED_OF: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("initializers", "delta_orthogonal"): {"shape": [64, 64, 3, 3]},
    ("initializers", "dirac"): {"shape": [64, 64, 3, 3]},
    ("layers", "batch_norm"): {"inputs": [3, 8, 8]},
    ("layers", "depthwise_conv2d"): {"inputs": [3, 8, 8]},
    ("layers", "dropout2d"): {"inputs": [6, 8, 8]},
    ("layers", "global_average_pooling"): {"inputs": [6, 8, 8]},
    ("layers", "global_max_pooling"): {"inputs": [6, 5, 5]},
    ("layers", "group_norm"): {"inputs": [4, 8, 8]},
    ("layers", "separable_conv2d"): {"inputs": [3, 8, 8]},
    ("optimizers", "lion"): {"steps": 2000},
    ("optimizers", "muon"): {"start": [-1.0, 2.0]},
    ("schedules", "reduce_on_plateau"): {"metrics": LOSSES},
}
"""The rest of what a preview is asked with, by kind, and of some entries by name."""


def example_of(kind: str, name: str) -> dict[str, Any]:
    """Return parameters that show what an entry does; empty where its defaults do."""
    return dict(EXAMPLES.get((kind, name), {}))


def preview_of(kind: str, name: str) -> dict[str, Any] | None:
    """Return what the preview of an entry is asked with beside the entry itself; None for kinds without a preview."""
    return {**_ASKED[kind], **_ASKED_OF.get((kind, name), {})} if kind in _ASKED else None


def asked_of(kind: str, name: str) -> dict[str, Any]:
    """Return the request of the preview that shows the example of an entry."""
    given = example_of(kind, name)
    entry: Any = {"name": name, **given}
    if kind == "layers":  # as the list of a sequential model has them
        entry = {name: given} if given else name
    return {kind.removesuffix("s"): entry, **(preview_of(kind, name) or {})}
