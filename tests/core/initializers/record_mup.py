"""Records what the mup package makes of a multi-layer perceptron at several widths: `mup.json`, which a test reads.

Not run by the tests. In an environment of its own:

    pip install mup==1.0.0 torch && python tests/core/initializers/record_mup.py
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mup
import torch
from torch import nn

INPUTS, OUTPUTS = 20, 10
BASE = 64
WIDTHS = [[64, 64], [128, 128], [256, 128], [32, 512]]
SCHEMES = {
    "he_normal": mup.init.kaiming_normal_,
    "he_uniform": mup.init.kaiming_uniform_,
    "glorot_normal": mup.init.xavier_normal_,
    "glorot_uniform": mup.init.xavier_uniform_,
    "normal": lambda w: mup.init.normal_(w, 0, 0.01),
}
LR, DECAY = 0.5, 0.25


def network(hidden: list[int]) -> nn.Sequential:
    model = nn.Sequential()
    width = INPUTS
    for i, units in enumerate(hidden, start=1):
        model.add_module(f"fc{i}", nn.Linear(width, units))
        model.add_module(f"norm{i}", nn.LayerNorm(units))
        model.add_module(f"relu{i}", nn.ReLU())
        width = units
    model.add_module(f"fc{len(hidden) + 1}", mup.MuReadout(width, OUTPUTS))
    return model


class Law(torch.Tensor):
    """Stands for a weight; remembers the scale that an initializer would draw it with."""

    def normal_(self, mean: float = 0.0, std: float = 1.0, **_: Any) -> "Law":  # noqa: ARG002 torch names it
        self.drawn = std
        return self

    def uniform_(self, from_: float = 0.0, to: float = 1.0, **_: Any) -> "Law":
        assert from_ == -to
        self.drawn = to / 3**0.5
        return self


def std(weight: Any, scheme: Callable[[Any], Any]) -> float:
    """The standard deviation that the scheme asks for, without drawing."""
    stand_in: Any = torch.empty_like(weight.detach()).as_subclass(Law)
    stand_in.infshape = weight.infshape
    scheme(stand_in)
    return float(stand_in.drawn)


def rates(optimizer: torch.optim.Optimizer, names: dict[int, str]) -> dict[str, list[float]]:
    """Learning rate and weight decay of every parameter, over those asked for."""
    return {
        names[id(p)]: [group["lr"] / LR, group["weight_decay"] / DECAY]
        for group in optimizer.param_groups
        for p in group["params"]
    }


def record(hidden: list[int]) -> dict[str, Any]:
    model, base, delta = network(hidden), network([BASE] * len(hidden)), network([BASE * 3] * len(hidden))
    mup.set_base_shapes(model, base, delta=delta, rescale_params=False)
    names = {id(p): name for name, p in model.named_parameters()}
    weights = {name: p for name, p in model.named_parameters() if p.ndim == 2}
    readout: Any = model[-1]
    with torch.no_grad():
        readout.bias.zero_()
        x = torch.randn(1, readout.in_features)
        forward = float((readout(x) / nn.functional.linear(x, readout.weight)).mean())  # of outputs, the bias apart
    return {
        "hidden": hidden,
        "std": {scheme: {name: std(w, init) for name, w in weights.items()} for scheme, init in SCHEMES.items()},
        "forward": forward,
        "adam": rates(mup.MuAdamW(model.parameters(), lr=LR, weight_decay=DECAY), names),
        "sgd": rates(mup.MuSGD(model.parameters(), lr=LR, weight_decay=DECAY), names),
    }


if __name__ == "__main__":
    found = {"mup": "1.0.0", "inputs": INPUTS, "outputs": OUTPUTS, "base_width": BASE}
    found |= {"networks": [record(hidden) for hidden in WIDTHS]}
    Path(__file__).with_name("mup.json").write_text(json.dumps(found, indent=1) + "\n")
