"""Signal propagation before any training: forward from the data, backward from the outputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.modules.dropout import _DropoutNd

from core.datasets import DatasetInfo
from core.initializers import Initializer, Layer, Normal, TruncatedNormal, Uniform
from core.registry import Entry
from core.spec import Treatment, layers_of
from core.streams import generator
from core.training.initialize import Examples, initial_state
from core.training.probe import activations
from core.training.scaling import factors

KEPT: Mapping[type[nn.Module], Callable[[Any], float]] = {
    nn.ReLU: lambda _: 0.5,
    nn.LeakyReLU: lambda activation: (1 + activation.negative_slope**2) / 2,
    nn.Identity: lambda _: 1.0,
}
"""The share of a symmetric signal's mean square that an activation passes on: forward, and backward by its slope."""


class Passed(NamedTuple):
    """Signals that a layer of one run passes on at update 0."""

    forward: float
    """Variance of the layer's output over examples and units, before norm and activation."""
    activation: float
    """Variance of its activation (`probe.activations`)."""
    backward: float
    """Variance of the gradient of the sum of outputs times standard normal noise, by the layer's output."""


def signal(
    model: Entry,
    initializer: Entry,
    info: DatasetInfo,
    seeds: Sequence[int],
    batch: int,
    examples: Examples | None = None,
) -> dict[str, Any]:
    """Measure the signal in each layer: `layers` of `{name, fan_in, fan_out, forward, activation, backward}`, in order.

    The last three have the `mean`, `low` and `high` of `Passed` over the seeds, and `forward` and `backward` the
    `theory`: the expected value for layers one after the other with linear activations or (leaky) rectifiers between
    them and independent weights of mean 0 (He et al. 2015, arXiv:1502.01852, sections 2.2 and 2.3); None elsewhere.
    The inputs are `examples`, standard normal where there are none. Dropout is off; batch norms use the batch. All is
    float64. A layer that passes nothing on, as its module is never called, is left out.
    """
    treatment = Treatment.model_validate({"model": model, "initializer": initializer})
    runs = [_run(treatment, info, seed, batch, examples) for seed in seeds]
    with torch.device("meta"):
        module: nn.Module = model.build()(info.inputs, info.outputs)
    theory = _theory(module, treatment, info, sum(power for power, _ in runs) / len(runs))
    layers = []
    for name, layer in layers_of(module).items():
        passed = [found[name] for _, found in runs if name in found]
        if not passed:
            continue
        expected = theory.get(name, (None, None))
        fan_in, fan_out = layer.fans
        about: dict[str, Any] = {"name": name, "fan_in": fan_in, "fan_out": fan_out}
        for field in Passed._fields:
            values = [getattr(one, field) for one in passed]
            about[field] = {"mean": sum(values) / len(values), "low": min(values), "high": max(values)}
        about["forward"]["theory"], about["backward"]["theory"] = expected
        layers.append(about)
    return {"layers": layers}


def _run(
    treatment: Treatment, info: DatasetInfo, seed: int, batch: int, examples: Examples | None
) -> tuple[float, dict[str, Passed]]:
    """Return the inputs' mean square, and the signals that each layer passes on."""
    initial = initial_state(
        treatment,
        info,
        seed,
        torch.float64,
        examples or _noise(info.inputs),
        targets=lambda: _even(info),  # a last bias changes no signal
    )
    state = dict(initial)
    for name, factor in factors(treatment, info).items():
        state[name] = state[name] * factor.forward
    with torch.device("meta"):
        module: nn.Module = treatment.model.build()(info.inputs, info.outputs)
    for part in module.modules():
        if isinstance(part, _DropoutNd):
            part.eval()
    x = (examples or _noise(info.inputs))(seed, batch).to(torch.float64).requires_grad_()
    outputs: dict[str, torch.Tensor] = {}
    forward: dict[str, float] = {}
    activation: dict[str, float] = {}

    def keep(name: str, y: torch.Tensor) -> torch.Tensor:
        outputs[name] = y
        forward[name] = _variance(y)
        return y.clone()  # what follows may change its input in place

    layers = layers_of(module)
    for name, part in module.named_modules():
        if name in layers:
            part.register_forward_hook(lambda _part, _x, y, name=name: keep(name, y))
    with activations(module, lambda name, _layer, y, _: activation.update({name: _variance(y)})):
        y = functional_call(module, state, (x,))
    noise = torch.randn(y.shape, generator=generator(seed, "signal"), dtype=y.dtype)
    pulls = torch.autograd.grad(y, list(outputs.values()), noise, materialize_grads=True)
    backward = {name: _variance(pull) for name, pull in zip(outputs, pulls, strict=True)}
    found = {name: Passed(forward[name], activation[name], backward[name]) for name in outputs}
    return x.detach().square().mean().item(), found


def _variance(values: torch.Tensor) -> float:
    return values.detach().var(correction=0).item()


def _even(info: DatasetInfo) -> torch.Tensor:
    """Return targets of classes that are equally frequent, or of the mean 0."""
    return torch.arange(info.outputs) if info.task == "multiclass" else torch.zeros(2, info.outputs)


def _noise(inputs: Sequence[int]) -> Examples:
    return lambda seed, count: torch.randn(count, *inputs, generator=generator(seed, "signal", "inputs"))


def _theory(
    module: nn.Module, treatment: Treatment, info: DatasetInfo, power: float
) -> dict[str, tuple[float, float | None]]:
    """Return the expected forward and backward variance by layer, for inputs of the mean square `power`."""
    chain = _chain(module)
    initializer: Initializer = treatment.initializer.build()
    if chain is None or initializer.calibration is not None or factors(treatment, info):
        return {}
    squares: list[float] = []
    forward: list[float] = []
    for layer, kept in chain:
        law, bias = initializer.weight(layer), initializer.bias(layer)
        independent = isinstance(law, Uniform | Normal | TruncatedNormal) and law.mean == 0
        if not independent or bias.mean != 0 or bias.std is None:
            return {}
        squares.append(law.std**2 if law.std is not None else 0.0)
        forward.append(layer.fans[0] * squares[-1] * power + bias.std**2)
        power = kept * forward[-1]
    backward = [1.0]
    for i in reversed(range(len(chain) - 1)):
        backward.insert(0, chain[i][1] * chain[i + 1][0].shape[0] * squares[i + 1] * backward[0])
    return {layer.name: pair for (layer, _), *pair in zip(chain, forward, backward, strict=True)}  # type: ignore[misc]


def _chain(module: nn.Module) -> list[tuple[Layer, float]] | None:
    """Return a chain of dense layers, each with the share its activation passes on; None for any other network."""
    if not isinstance(module, nn.Sequential):
        return None
    layers = layers_of(module)
    found: list[tuple[Layer, float]] = []
    for name, part in module.named_children():
        if isinstance(part, nn.Linear):
            found.append((layers[name], 1.0))
        elif type(part) in KEPT and found:
            found[-1] = found[-1][0], KEPT[type(part)](part)
        elif not isinstance(part, nn.Flatten | _DropoutNd):
            return None
    return found or None
