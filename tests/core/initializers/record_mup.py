"""Records what the mup package makes of initlab's models at several widths: `mup.json`, which a test reads.

Not run by the tests. In initlab's own environment, from the root of the repository:

    pip install --no-deps --target /tmp/mup mup==1.0.0
    PYTHONPATH=.:/tmp/mup python -m tests.core.initializers.record_mup

Laws, rates and the readout are the package's, and so is the training: `MuAdamW` or `MuSGD` on the model with a
`MuReadout`, from the weights that initlab draws. The attention's logits are scaled as the package's README says, by
1 / d times what makes it 1 / sqrt(d) in the base network.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mup
import torch
from torch import nn

from core.models import at_width
from core.models._encoder import EncoderLayer
from core.registry import Entry
from core.spec import parse
from core.training import initial_state
from tests.core.initializers.mup_cases import CASES, LR, OUTPUTS, UPDATES, examples, facts, treatment

SCHEMES = {
    "he_normal": mup.init.kaiming_normal_,
    "he_uniform": mup.init.kaiming_uniform_,
    "glorot_normal": mup.init.xavier_normal_,
    "glorot_uniform": mup.init.xavier_uniform_,
    "normal": lambda w: mup.init.normal_(w, 0, 0.01),
}
DECAY = 0.25


class Attention(EncoderLayer):
    """The encoder's layer with logits of query · key / d, times the square root of the base network's d."""

    base_size: int

    def _attend(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        logits = query @ key.transpose(2, 3) * math.sqrt(self.base_size) / query.shape[-1]
        branch: torch.Tensor = self.out((logits.softmax(-1) @ value).transpose(1, 2).flatten(2))
        return branch


def network(model: Entry, inputs: tuple[int, ...], base_width: int | None = None, width: int | None = None) -> Any:
    """The model, or that of another width, with a readout for its last layer."""
    given = model.parameters() if width is None else at_width(model, width)
    module: Any = type(model).factory(**given)(inputs, OUTPUTS)
    name, last = [(name, part) for name, part in module.named_modules() if isinstance(part, nn.Linear)][-1]
    setattr(module, name, mup.MuReadout(last.in_features, OUTPUTS))
    attentions: list[Any] = [part for part in module.modules() if isinstance(part, EncoderLayer)]
    for attention in attentions:
        attention.__class__ = Attention
        attention.base_size = (base_width or 0) // attention.heads
    return module


def shaped(model: Entry, inputs: tuple[int, ...], base_width: int) -> Any:
    module = network(model, inputs, base_width)
    base, delta = (network(model, inputs, width=base_width * times) for times in (1, 3))
    mup.set_base_shapes(module, base, delta=delta, rescale_params=False)
    return module


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


def losses(raw: dict[str, Any], optimizer: str) -> list[float]:
    """The losses of a training in float64, one an update."""
    asked: Any = parse(treatment(raw, optimizer))
    module = shaped(asked.model, tuple(raw["inputs"]), raw["base_width"]).double()
    module.load_state_dict(initial_state(asked, facts(raw), 0, torch.float64))
    kind = {"adamw": mup.MuAdamW, "sgd": mup.MuSGD}[optimizer]
    rule = kind(module.parameters(), **{k: v for k, v in treatment(raw, optimizer)["optimizer"].items() if k != "name"})
    x, y = examples(raw)
    found = []
    for _ in range(UPDATES):
        rule.zero_grad()
        loss = nn.functional.cross_entropy(module(x), y)
        loss.backward()
        rule.step()
        found.append(loss.item())
    return found


def record(raw: dict[str, Any]) -> dict[str, Any]:
    model = shaped(parse({"model": raw["model"]}).model, tuple(raw["inputs"]), raw["base_width"])
    names = {id(p): name for name, p in model.named_parameters()}
    weights = {name: p for name, p in model.named_parameters() if p.ndim >= 2}
    readout: Any = next(part for part in model.modules() if isinstance(part, mup.MuReadout))
    with torch.no_grad():
        readout.bias.zero_()
        readout.double()
        x = torch.ones(1, readout.in_features, dtype=torch.float64)
        forward = float((readout(x) / nn.functional.linear(x, readout.weight)).mean())  # of outputs, the bias apart
    return raw | {
        "std": {scheme: {name: std(w, init) for name, w in weights.items()} for scheme, init in SCHEMES.items()},
        "forward": forward,
        "adam": rates(mup.MuAdamW(model.parameters(), lr=LR, weight_decay=DECAY), names),
        "sgd": rates(mup.MuSGD(model.parameters(), lr=LR, weight_decay=DECAY), names),
        "losses": {optimizer: losses(raw, optimizer) for optimizer in ("adamw", "sgd")},
    }


if __name__ == "__main__":
    torch.manual_seed(0)
    found = {"mup": "1.0.0", "torch": torch.__version__, "networks": [record(raw) for raw in CASES]}
    Path(__file__).with_name("mup.json").write_text(json.dumps(found, indent=1) + "\n")
