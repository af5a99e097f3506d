"""The networks that the mup package was asked about (`record_mup.py`), and what they were trained on."""

from typing import Any

import torch

from core.datasets import DatasetInfo

OUTPUTS = 10
EXAMPLES = 24
UPDATES = 6
LR = 0.02


def _mlp(*hidden: int) -> dict[str, Any]:
    return {
        "model": {"name": "mlp", "hidden": list(hidden), "norm": "layer_norm"},
        "inputs": [20],
        "base_width": 64,
    }


CASES: list[dict[str, Any]] = [
    *(_mlp(*hidden) for hidden in ([64, 64], [128, 128], [256, 128], [32, 512])),
    {
        "model": {"name": "cnn", "channels": [8, 12], "dense": [20], "dropout": 0.0, "dense_dropout": 0.0},
        "inputs": [2, 8, 8],
        "base_width": 4,
    },
    {"model": {"name": "lenet5", "width": 2}, "inputs": [1, 12, 12], "base_width": 1},
    {"model": {"name": "resnet", "depth": 8, "width": 2, "shortcut": "B"}, "inputs": [3, 8, 8], "base_width": 1},
    {
        "model": {"name": "transformer", "d_model": 24, "heads": 2, "layers": 2, "dropout": 0.0},
        "inputs": [1, 8, 8],
        "base_width": 8,
    },
    {
        "model": {"name": "transformer", "d_model": 8, "heads": 4, "layers": 1, "dropout": 0.0, "norm_first": False},
        "inputs": [5],
        "base_width": 16,
    },
]
"""Each a model, the shape of one input, and the width of its base network."""


def treatment(case: dict[str, Any], optimizer: str) -> dict[str, Any]:
    """Return the settings of a case's training: in each update all the examples."""
    own = {"adamw": {"weight_decay": 0.1, "eps": 1e-4}, "sgd": {"momentum": 0.5, "weight_decay": 0.01}}[optimizer]
    return {
        "model": case["model"],
        "initializer": {"name": "mup", "base_width": case["base_width"]},
        "optimizer": {"name": optimizer, "lr": LR, **own},
        "batch_size": EXAMPLES,
        "epochs": UPDATES,
    }


def facts(case: dict[str, Any]) -> DatasetInfo:
    return DatasetInfo(tuple(case["inputs"]), OUTPUTS, EXAMPLES, EXAMPLES)


def examples(case: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the training examples and their classes, the same whatever torch draws."""
    shape = (EXAMPLES, *case["inputs"])
    x = torch.arange(torch.Size(shape).numel(), dtype=torch.float64).mul(0.7391).sin().mul(2).reshape(shape)
    return x, torch.arange(EXAMPLES) * 7 % OUTPUTS
