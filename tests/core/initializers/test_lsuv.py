"""Layer-sequential unit variance: what every layer gives on the batch that it looked at."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.conv import _ConvNd

from core.initializers import Initializer, State, initializers
from core.streams import generator


class Backwards(nn.Module):
    """Calls its layers in another order than it names them."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(40, 3)
        self.first = nn.Linear(64, 40)
        self.never = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(torch.relu(self.first(x.flatten(1))))
        return out


def mlp() -> nn.Module:
    return nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 100), nn.ReLU(), nn.Dropout(0.5), nn.Linear(100, 30), nn.Tanh()),
        *(nn.BatchNorm1d(30), nn.Linear(30, 10)),
    )


def cnn() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=4, padding=1), nn.MaxPool2d(2), nn.Flatten()),
        nn.Linear(8 * 9, 10),
    )


X = 5 + 3 * torch.randn(256, 1, 8, 8, generator=generator(0), dtype=torch.float64)


def start(make: Any, x: Tensor = X, **parameters: Any) -> tuple[nn.Module, State, State]:
    """The module on the meta device, and its state before and after."""
    initializer: Initializer = initializers.parse({"name": "lsuv", **parameters}).build()
    with torch.device("meta"):
        module = make().eval()
    state = {name: value.to(x.dtype) for name, value in make().state_dict().items()}
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Linear | _ConvNd):
            assert layer.bias is not None
            state[f"{name}.weight"] = 0.01 * torch.randn(
                layer.weight.shape, generator=generator(0, name), dtype=x.dtype
            )
            state[f"{name}.bias"] = torch.zeros(layer.bias.shape, dtype=x.dtype)
    assert initializer.calibration is not None
    return module, state, initializer.calibration.fit(module, state, x)


def spreads(module: nn.Module, state: State, x: Tensor) -> dict[str, float]:
    """The standard deviation of what each layer gives, by a plain forward pass."""
    found: dict[str, float] = {}
    layers = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, nn.Linear | _ConvNd)]
    hooks = [
        layer.register_forward_hook(lambda _l, _i, output, name=name: found.update({name: float(output.std())}))
        for name, layer in layers
    ]
    with torch.no_grad():
        functional_call(module, state, (x,))
    for hook in hooks:
        hook.remove()
    return found


@pytest.fixture(autouse=True)
def _own_stream() -> Any:
    with torch.random.fork_rng():
        yield


@pytest.mark.parametrize("make", [mlp, cnn, Backwards])
@pytest.mark.parametrize("std", [1.0, 0.2])
def test_every_layers_outputs_have_the_deviation_asked_for(make: Any, std: float) -> None:
    module, before, after = start(make, std=std, tol=0.01)
    found = spreads(module, after, X)
    assert len(found) == (2 if make is Backwards else 3)
    assert found == pytest.approx(dict.fromkeys(found, std), rel=0.01)
    assert max(spreads(module, before, X).values()) > 1.5 * std or min(spreads(module, before, X).values()) < std / 2
    for name, value in after.items():
        if name.removesuffix(".weight") in found:
            ratio = value / before[name]
            torch.testing.assert_close(ratio, ratio.flatten()[0].expand_as(ratio))  # only scaled
        else:
            assert torch.equal(value, before[name])


def test_a_layer_within_the_tolerance_is_left_alone() -> None:
    module, _, after = start(mlp, tol=0.01)
    initializer: Initializer = initializers.parse({"name": "lsuv", "tol": 0.02}).build()
    assert initializer.calibration is not None
    again = initializer.calibration.fit(module, after, X)
    assert all(torch.equal(again[name], after[name]) for name in after)


def test_it_stops_after_max_iter() -> None:
    """A bias shared by all units adds no spread; one for each does, and slows the approach."""

    def once(max_iter: int) -> float:
        initializer: Initializer = initializers.parse({"name": "lsuv", "tol": 1e-9, "max_iter": max_iter}).build()
        with torch.device("meta"):
            module = nn.Sequential(nn.Linear(4, 50)).eval()
        state = {"0.weight": torch.randn(50, 4, generator=generator(0)), "0.bias": torch.arange(50) / 60}
        assert initializer.calibration is not None
        x = torch.randn(200, 4, generator=generator(1))
        return abs(spreads(module, initializer.calibration.fit(module, state, x), x)["0"] - 1)

    assert once(1) > once(3) > once(30)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_the_scale_of_the_data_does_not_matter(factor: float) -> None:
    module, _, plain = start(mlp, tol=1e-6)
    _, _, scaled = start(mlp, x=X * factor, tol=1e-6)
    with torch.no_grad():
        ours, theirs = (functional_call(module, s, (x,)) for s, x in ((plain, X), (scaled, X * factor)))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dead", [torch.zeros(8, 1, 8, 8), torch.full((8, 1, 8, 8), float("nan"))])
def test_dead_inputs_leave_finite_weights(dead: Tensor) -> None:
    _, before, after = start(cnn, x=dead)
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_the_module_is_left_without_hooks() -> None:
    module, _, _ = start(mlp)
    assert not any(layer._forward_hooks for layer in module.modules())
