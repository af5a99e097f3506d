"""Small experiments whose pictures the manual shows."""

from collections.abc import Mapping, Sequence
from typing import Any

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
