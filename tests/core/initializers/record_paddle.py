"""Records what Paddle's initializers draw: `paddle.json`, which a test reads.

Not run by the tests. In an environment of its own:

    pip install paddlepaddle==3.3.1 && python tests/core/initializers/record_paddle.py
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddle import nn

SHAPES = [(256, 128), (64, 8, 3, 3)]
"""Of weights in torch's layout."""
QUANTILES = np.linspace(0.01, 0.99, 15)
PEERS: list[tuple[Any, Callable[[], Any]]] = [
    ({"name": "constant", "value": 0.0}, nn.initializer.Constant),
    ({"name": "uniform", "low": -1.0, "high": 1.0}, nn.initializer.Uniform),
    ({"name": "normal", "std": 0.01}, lambda: nn.initializer.Normal(0.0, 0.01)),
    ({"name": "truncated_normal", "std": 1.0}, nn.initializer.TruncatedNormal),
    ({"name": "XavierUniform"}, nn.initializer.XavierUniform),
    ({"name": "XavierUniform", "gain": 1.7}, lambda: nn.initializer.XavierUniform(gain=1.7)),
    ({"name": "XavierNormal"}, nn.initializer.XavierNormal),
    ({"name": "KaimingUniform"}, nn.initializer.KaimingUniform),
    (
        {"name": "KaimingUniform", "a": 0.5},
        lambda: nn.initializer.KaimingUniform(negative_slope=0.5, nonlinearity="leaky_relu"),
    ),
    ({"name": "KaimingNormal"}, nn.initializer.KaimingNormal),
    ({"name": "normal_rule"}, lambda: nn.initializer.KaimingNormal(nonlinearity="linear")),
    ({"name": "lecun_uniform"}, lambda: nn.initializer.KaimingUniform(nonlinearity="linear")),
    ({"name": "Orthogonal"}, nn.initializer.Orthogonal),
]
"""Our spec, and Paddle's initializer that means the same."""


def draw(initializer: Any, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A weight of a linear layer or a convolution, in torch's layout: Paddle keeps a linear one as (in, out)."""
    paddle.seed(0)
    out, ins = shape[:2]
    if len(shape) == 2:
        return np.asarray(nn.Linear(ins, out, weight_attr=initializer).weight.numpy().T, dtype=np.float64)
    return np.asarray(nn.Conv2D(ins, out, shape[2], weight_attr=initializer).weight.numpy(), dtype=np.float64)


def record(spec: Any, peer: Callable[[], Any], shape: tuple[int, ...]) -> dict[str, Any]:
    values = draw(peer(), shape)
    return {
        "spec": spec,
        "shape": shape,
        "std": float(values.std()),
        "most": float(np.abs(values).max()),
        "quantiles": np.quantile(values, QUANTILES).tolist(),
    }


def dirac(groups: int, shape: tuple[int, ...]) -> dict[str, Any]:
    values = draw(nn.initializer.Dirac(groups), shape)
    return {"groups": groups, "shape": shape, "ones": np.argwhere(values == 1).tolist(), "sum": float(values.sum())}


if __name__ == "__main__":
    found = {
        "paddle": paddle.__version__,
        "at": QUANTILES.tolist(),
        "laws": [record(spec, peer, shape) for spec, peer in PEERS for shape in SHAPES],
        "dirac": [dirac(1, (6, 4, 3, 3)), dirac(2, (6, 4, 3, 3)), dirac(2, (8, 3, 2, 2))],
    }
    rounded = json.loads(json.dumps(found), parse_float=lambda text: float(f"{float(text):.7g}"))
    Path(__file__).with_name("paddle.json").write_text(json.dumps(rounded) + "\n")
