"""Initial values of a run: a function of initializer, model and seed, and of data where the initializer asks for it."""

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from core.datasets import DatasetInfo, as_numbers
from core.initializers import Initializer, Layer, Shape, State
from core.models import Model, growth
from core.registry import Entry
from core.spec import PROJECTIONS, Treatment, layers_of, norms_of
from core.streams import generator

Examples = Callable[[int, int], torch.Tensor]
"""(seed, how many) -> training examples, (how many or all there are, *shape)."""
Targets = Callable[[], torch.Tensor]
"""() -> the training targets, as `Splits` has them."""
_Fill = Callable[[Initializer, int, torch.dtype], torch.Tensor]
"""(initializer, seed, dtype) -> one parameter's or buffer's initial value."""
_CONSTANT = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.PReLU)
"""Layers that start from constants of their own."""
_global_stream = threading.Lock()


def initial_state(
    treatment: Treatment,
    data: DatasetInfo,
    seed: int,
    dtype: torch.dtype = torch.float32,
    examples: Examples | None = None,
    targets: Targets | None = None,
) -> State:
    """Return the values that a run starts from, by the name of each parameter and buffer, in the model's order.

    Weights and biases of linear and convolution layers, an attention's projections among them, are drawn by the
    treatment's initializer, each from a stream of its own: arms with the same initializer start the same, and adding a
    layer leaves the others as they are. Norm layers and PReLU start from their constants, unless the initializer draws
    a norm. Anything else, such as a
    class token or an embedding of positions, has the values that the model's own constructor gives it under the seed,
    whatever the initializer. An initializer that looks at data is given `examples`, and one whose last bias follows the
    training targets `targets`; without them it raises ValueError.
    """
    state = _drawn(treatment, data, seed, dtype, examples)
    initializer: Initializer = treatment.initializer.build()
    if initializer.prior:
        if targets is None:
            raise ValueError("output_bias of the prior looks at the training targets: it needs them")
        name = f"{[*layers_of(_meta(treatment.model, data))][-1]}.bias"
        if name not in state:
            raise ValueError(f"output_bias: the last layer has no bias ({name})")
        state[name] = prior_bias(targets().cpu(), data).to(dtype)
    return state


def prior_bias(targets: torch.Tensor, data: DatasetInfo) -> torch.Tensor:
    """Return the bias with which a network of weights 0 has the least training loss, (outputs,), in float64.

    A class without examples counts as half an example, for it has no logarithm.
    """
    if data.task == "multiclass":
        counts = torch.bincount(targets, minlength=data.outputs).double()
        return (counts.clamp(min=0.5) / len(targets)).log()
    mean = targets.double().reshape(len(targets), -1).mean(0)
    if data.task == "binary":
        half = 0.5 / len(targets)
        return mean.clamp(half, 1 - half).logit()
    return mean


def _bias_names(module: nn.Module) -> Iterator[tuple[str, Layer]]:
    """Yield the name of each layer's bias, an attention's for each of the projections that it is of."""
    for name, layer in layers_of(module).items():
        outer, _, last = name.rpartition(".")
        yield f"{outer}.in_proj_bias" if last in PROJECTIONS else f"{name}.bias", layer


def _meta(model: Entry, data: DatasetInfo) -> nn.Module:
    return _fills(model, data.inputs, data.outputs)[0]


def _drawn(treatment: Treatment, data: DatasetInfo, seed: int, dtype: torch.dtype, examples: Examples | None) -> State:
    initializer: Initializer = treatment.initializer.build()
    module, fills = _fills(treatment.model, data.inputs, data.outputs)
    if initializer.as_constructed:
        state = {name: _cast(value, dtype) for name, value in _built(treatment.model, data, seed).items()}
        drawn = [bias for bias, layer in _bias_names(module) if bias in state and initializer.draws_bias(layer)]
        return state | {name: fills[name](initializer, seed, dtype) for name in drawn}
    names = module.state_dict().keys()
    if not names <= fills.keys():
        fills = {**fills, **_constructed(treatment.model, data, seed)}
    state = {name: fills[name](initializer, seed, dtype) for name in names}
    if initializer.calibration is None:
        return state
    if examples is None:
        raise ValueError(f"{treatment.initializer.name} looks at data: it needs training examples")
    count = initializer.calibration.examples
    return initializer.calibration.fit(module, state, examples(seed, count).to(dtype))


def calibration_examples(x_train: torch.Tensor) -> Examples:
    """Return a function that gives examples of a training split, chosen by the seed alone."""

    def choose(seed: int, count: int) -> torch.Tensor:
        order = torch.randperm(len(x_train), generator=generator(seed, "calibration"))
        return as_numbers(x_train[order[:count].to(x_train.device)].cpu())

    return choose


@lru_cache(maxsize=64)
def _fills(model: Entry, inputs: Shape, outputs: int) -> tuple[nn.Module, Mapping[str, _Fill]]:
    """Return the model on the meta device in eval mode, and how each parameter and buffer with a rule is filled."""
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, outputs)
    module.eval()
    grows = growth(model, inputs, outputs)
    layers, norms = layers_of(module, grows), norms_of(module, grows)
    fills: dict[str, _Fill] = {}
    for path, part in module.named_modules():
        prefix = f"{path}." if path else ""
        if isinstance(part, nn.Linear | _ConvNd):
            fills |= {f"{prefix}weight": _weights(layers[path]), f"{prefix}bias": _biases(layers[path])}
        elif isinstance(part, nn.MultiheadAttention):
            parts = {name: layers[prefix + name] for name in PROJECTIONS}
            fills |= {f"{prefix}in_proj_weight": _weights(*parts.values())}  # one above the other, or each by itself
            fills |= {f"{prefix}{name}_weight": _weights(layer) for name, layer in parts.items()}
            fills |= {f"{prefix}in_proj_bias": _biases(*parts.values())}
        elif isinstance(part, _CONSTANT):
            values = _reset(part)
            fills |= {f"{prefix}{name}": _copied(value) for name, value in values.items()}
            drawn = [name for name in ("weight", "bias") if path in norms and name in values]
            fills |= {f"{prefix}{name}": _norm(norms[path], name, values[name]) for name in drawn}
    return module, fills


def _weights(*layers: Layer) -> _Fill:
    def draw(initializer: Initializer, layer: Layer, seed: int, dtype: torch.dtype) -> torch.Tensor:
        return initializer.weight(layer).draw(layer.shape, generator(seed, "initial", f"{layer.name}.weight"), dtype)

    return lambda initializer, *how: torch.cat([draw(initializer, layer, *how) for layer in layers])


def _biases(*layers: Layer) -> _Fill:
    def draw(initializer: Initializer, layer: Layer, seed: int, dtype: torch.dtype) -> torch.Tensor:
        return initializer.bias(layer).draw((layer.outputs,), generator(seed, "initial", f"{layer.name}.bias"), dtype)

    return lambda initializer, *how: torch.cat([draw(initializer, layer, *how) for layer in layers])


def _copied(value: torch.Tensor) -> _Fill:
    return lambda _initializer, _seed, dtype: _cast(value, dtype)


def _norm(layer: Layer, name: str, value: torch.Tensor) -> _Fill:
    """Fill a norm's gain (`weight`) or bias: by an initializer that draws it, else with its constant."""

    def fill(initializer: Initializer, seed: int, dtype: torch.dtype) -> torch.Tensor:
        own = initializer.norm(layer)
        if own is None:
            return _cast(value, dtype)
        law = own.weight(layer) if name == "weight" else own.bias(layer)
        return law.draw(layer.shape, generator(seed, "initial", f"{layer.name}.{name}"), dtype)

    return fill


def _cast(value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return value.to(dtype if value.is_floating_point() else value.dtype, copy=True)


def _reset(part: nn.Module) -> State:
    """Return the initial values that a module on the meta device would have on another device."""
    part = copy.deepcopy(part).to_empty(device="cpu", recurse=False)
    part.reset_parameters()  # type: ignore[operator]
    return {name: value.detach() for name, value in part.state_dict().items()}


@lru_cache(maxsize=256)
def _constructed(model: Entry, data: DatasetInfo, seed: int) -> Mapping[str, _Fill]:
    """Fill what has no rule as the model's constructor draws it."""
    _, fills = _fills(model, data.inputs, data.outputs)
    return {name: _copied(value) for name, value in _built(model, data, seed).items() if name not in fills}


def _built(model: Entry, data: DatasetInfo, seed: int) -> State:
    """Return what the model's constructor draws from torch's global stream, which is restored."""
    build: Model = model.build()
    with _global_stream, torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator(seed, "initial", "constructor").initial_seed())
        module = build(data.inputs, data.outputs)
    return {name: value.detach() for name, value in module.state_dict().items()}
