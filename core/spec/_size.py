"""Sizes of a treatment's model: its parameters, layers and work, found without allocating it."""

import threading
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd
from torch.utils.flop_counter import FlopCounterMode

from core.initializers import Layer
from core.models import growth, on_meta
from core.registry import Entry
from core.spec._layers import layers_of, norms_of
from core.spec._shortcuts import shortened

_PLAIN = (nn.Flatten, nn.Identity)
"""Layers that compute nothing."""
_passing = threading.Lock()
"""Held while an example passes through a model, whose layers are others meanwhile."""


class Size(NamedTuple):
    """Sizes of a model: numbers that it holds and computes, and the layers that an initializer sets."""

    layers: Mapping[str, Layer]
    parameters: int
    activations: int
    """Numbers that one example's forward pass holds: the input, and the output of each layer."""
    calls: int
    """Layers that a forward pass calls."""
    dense_flops: int
    """Operations of matrix products in one example's forward pass; a multiplication with its addition counts as two."""
    conv_flops: int
    """Operations of convolutions, counted likewise."""
    patches: int
    """Numbers of the patches that convolutions meet in one example: what a product computes them from (`unfold`)."""
    dropped: int
    """Numbers of one example that dropout multiplies by masks, at most."""
    norms: Mapping[str, Layer] = MappingProxyType({})
    """The norms with a gain, which an initializer may set too."""


@lru_cache(maxsize=256)  # the arms of an experiment mostly share their model
def size(model: Entry, inputs: tuple[int, ...], outputs: int) -> Size:
    """Build the model for the data and see that an example passes through it.

    Raises what torch raises where the two do not fit: RuntimeError, ValueError, OverflowError.
    """
    module = on_meta(model, inputs, outputs)
    example = torch.empty(1, *inputs, device="meta")
    grows = growth(model, inputs, outputs)
    described, norms = layers_of(module, grows), norms_of(module, grows)
    parameters = sum(p.numel() for p in module.parameters())
    layers = [layer for layer in module.modules() if not list(layer.children())]
    rows = len(inputs) == 1 or isinstance(layers[0], nn.Flatten)
    if isinstance(module, nn.Sequential) and rows:  # dense layers, one after the other
        seen, dense_flops = [example.numel()], 0
        for layer in layers:
            dense_flops += 2 * layer.weight.numel() if isinstance(layer, nn.Linear) else 0
            seen.append(layer.out_features if isinstance(layer, nn.Linear) else seen[-1])
        calls = sum(not isinstance(layer, _PLAIN) for layer in layers)
        dropped = sum(count for layer, count in zip(layers, seen[1:], strict=True) if isinstance(layer, _DropoutNd))
        return Size(
            layers=described,
            norms=norms,
            parameters=parameters,
            activations=sum(seen),
            calls=calls,
            dense_flops=dense_flops,
            conv_flops=0,
            patches=0,
            dropped=dropped,
        )
    with _passing:
        return Size(layers=described, norms=norms, parameters=parameters, **_passed(module, layers, example))


def _passed(module: nn.Module, layers: list[nn.Module], example: torch.Tensor) -> dict[str, int]:
    """Return the counts of `Size` that need a pass: of one example, on the meta device.

    The first such pass of a process loads torch's compiler, 1.5 s: dense networks go without.
    """
    seen = [example.numel()]
    calls = patches = dropped = convolved = 0

    def count(layer: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal calls, patches, dropped
        calls += not isinstance(layer, _PLAIN)
        seen.append(output[0].numel())
        if isinstance(layer, nn.Conv2d) and layer.groups == 1:  # of groups no patches are made
            patches += layer.weight[0].numel() * output[0, 0].numel()
        if isinstance(layer, _DropoutNd):
            dropped += output[0].numel()

    def convolve(operations: int) -> None:
        nonlocal convolved
        convolved += operations

    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        # With gradients wanted, an attention shows its products: its fused path for inference counts as none.
        with shortened(layers, convolve), FlopCounterMode(display=False) as counter, torch.enable_grad():
            module.eval()(example)
    finally:
        module.train()
        for hook in hooks:
            hook.remove()
    by_kind: dict[bool, int] = {True: convolved, False: 0}
    for operation, flops in counter.get_flop_counts().get("Global", {}).items():
        by_kind["convolution" in str(operation)] += flops
    return {
        "activations": sum(seen),
        "calls": calls,
        "dense_flops": by_kind[False],
        "conv_flops": by_kind[True],
        "patches": patches,
        "dropped": dropped,
    }
