"""Parameters of entries that have no usual ones, or whose usual ones show nothing, for their pages in the manual."""

from collections.abc import Mapping, Sequence
from typing import Any

STEPS, EPOCH, RATE = 1000, 100, 0.1
"""Updates, updates in an epoch, and the base rate of the pictures of schedules."""

EXAMPLES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("datasets", "uploaded"): {"id": "churn"},
    ("initializers", "constant"): {"value": 0.01},
    ("initializers", "mup"): {"base_width": 64},
    ("initializers", "per_layer"): {"layers": {"fc1": "he_normal"}},
    ("initializers", "sparse"): {"sparsity": 0.9},
    ("initializers", "uniform_fixed"): {"sigma": 0.1},
    ("layers", "adaptive_avg_pool"): {"output_size": 2},
    ("layers", "conv_transpose2d"): {"filters": 8, "kernel_size": 4, "stride": 2, "padding": 1},
    ("layers", "conv2d"): {"filters": 8, "kernel_size": 3},
    ("layers", "dense"): {"units": 10},
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

ARMS = [{"initializer": "he_normal"}, {"initializer": "glorot_uniform"}]
BASE: Mapping[str, Any] = {
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [32, 16]},
    "optimizer": {"name": "sgd", "lr": 0.1},
    "seeds": 3,
    "name": "an example",
}
EXPERIMENTS: Sequence[Mapping[str, Any]] = (
    {
        "batch_size": 50,
        "epochs": 4,
        "diagnostics": {"every": 8},
        "grid": {"initializer": ["he_normal", "normal_rule"], "schedule": ["constant", "cosine"]},
    },
    {"kind": "lr_range_test", "lr_range": {"low": 1e-4, "high": 10.0, "steps": 60}, "arms": ARMS},
    {
        "kind": "batch_size_scan",
        "batch_size_scan": {"sizes": [16, 32, 64, 128], "rule": "linear"},
        "epochs": 4,
        "target": {"metric": "valid_accuracy", "value": 0.6},
        "arms": ARMS,
    },
    {
        "kind": "coordinate_check",
        "coordinate_check": {"widths": [16, 32, 64, 128], "updates": 4},
        "arms": [{"initializer": "he_normal"}, {"initializer": {"name": "mup", "base_width": 16}}],
    },
    {"epochs": 3, "seeds": {"from": 3, "to": 9, "looks": [3, 6, 9]}, "arms": [*ARMS, {"initializer": "zeros"}]},
    {"epochs": 3, "seeds": 4, "vary": ["init", "split"], "arms": ARMS},
    {
        "epochs": 3,
        "grid": {
            "initializer": ["he_normal", "zeros"],
            "schedule": ["constant", "cosine"],
            "optimizer.lr": [0.03, 0.1, 0.3],
        },
    },
    {
        "epochs": 3,
        "model": {"name": "mlp", "hidden": [8]},
        "grid": {
            "dataset": [{"name": "two_spirals", "noise": round(0.02 * i, 2)} for i in range(10)],
            "optimizer.lr": [0.03, 0.3, 3.0],
        },
    },
)
"""A small experiment of every kind, each beside `BASE`: what the pages of pictures show their pictures of."""
