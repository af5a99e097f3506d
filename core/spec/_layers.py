"""The layers of a model as an initializer sees them."""

from collections.abc import Iterator, Mapping

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from core.initializers import Layer, Shape

NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
Growth = Mapping[str, Shape]
"""The growth of each dimension of every parameter with one unit of the model's width (`core.models.growth`)."""
PROJECTIONS = ("q_proj", "k_proj", "v_proj")
"""The three layers inside an `nn.MultiheadAttention`, which keeps them as parameters of its own."""


def layers_of(module: nn.Module, growth: Growth | None = None) -> Mapping[str, Layer]:
    """Return every linear and convolution layer by name, in the order of the model.

    An attention's three projections count as layers of their own, `<attention>.q_proj` and so on, also where it stacks
    their weights. The first layer reads the data and the last gives the outputs. A layer ends a residual branch where
    the model has marked it with an attribute `ends_branch`, and makes queries where one says `heads`; `place` is its
    index in a list of layers, where it has a name. `growth` is that of the model's width, where it has one.
    """
    parts = [*_parts(module)]
    branches = sum(hasattr(part, "ends_branch") for _, _, part in parts)
    described = {}
    for i, (name, shape, part) in enumerate(parts):
        first, last = i == 0, i == len(parts) - 1
        described[name] = Layer(
            shape=shape,
            name=name,
            groups=part.groups if isinstance(part, _ConvNd) else 1,
            transposed=isinstance(part, _ConvNd) and part.transposed,
            role="only" if first and last else "input" if first else "output" if last else "hidden",
            ends_branch=hasattr(part, "ends_branch"),
            branches=branches,
            growth=None if growth is None else growth[f"{name}.weight"],
            heads=getattr(part, "heads", 0),
            place=getattr(part, "place", None),
        )
    return described


def norms_of(module: nn.Module, growth: Growth | None = None) -> Mapping[str, Layer]:
    """Return every norm that has a gain, by name; its `shape` is the gain's, its `growth` as in `layers_of`."""
    return {
        name: Layer(
            shape=tuple(part.weight.shape),
            name=name,
            growth=None if growth is None else growth[f"{name}.weight"],
            place=getattr(part, "place", None),
        )
        for name, part in module.named_modules()
        if isinstance(part, NORMS) and part.weight is not None
    }


def hidden_weights(module: nn.Module) -> frozenset[str]:
    """Return the names of the parameters that are weights of hidden layers, an attention's projections among them."""
    inside = [name for name, layer in layers_of(module).items() if layer.role == "hidden"]
    # an attention keeps its projections' weights stacked, or each under a name of its own
    kept = [f"{name.rpartition('.')[0]}.in_proj_weight" for name in inside]
    names = {*kept, *(f"{name}{end}" for name in inside for end in (".weight", "_weight"))}
    return frozenset(name for name, _ in module.named_parameters() if name in names)


def _parts(module: nn.Module) -> Iterator[tuple[str, Shape, nn.Module]]:
    """Yield each layer's name, its weight's shape, and the module that has it."""
    for name, part in module.named_modules():
        if isinstance(part, nn.Linear | _ConvNd):
            yield name, tuple(part.weight.shape), part
        elif isinstance(part, nn.MultiheadAttention):
            for projection, inputs in zip(PROJECTIONS, (part.embed_dim, part.kdim, part.vdim), strict=True):
                yield f"{name}.{projection}", (part.embed_dim, inputs), part
