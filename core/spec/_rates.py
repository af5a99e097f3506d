"""Learning rates of a model's layers: factors by name, and a decay from the last layer to the first."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field
from torch import nn
from torch.nn.modules.conv import _ConvNd

from core.errors import Problem
from core.registry import NonNegative, unknown

LrDecay = Annotated[float, Field(gt=0, le=1)]
LrPerLayer = Annotated[dict[str, NonNegative], Field(min_length=1)]

LAYERS = (nn.Linear, _ConvNd, nn.MultiheadAttention)


def rate_factors(
    module: nn.Module, layer_lr_decay: float | None, lr_per_layer: Mapping[str, float] | None
) -> dict[str, float]:
    """Return the factor of each parameter's learning rate, by name, in the order of the model."""
    depths = depths_of(module)
    named = _by_name(module, lr_per_layer or {})
    return {
        name: (layer_lr_decay or 1.0) ** (max(depths.values()) - depth) * named.get(_meant(name, named), 1.0)
        for name, depth in depths.items()
    }


def unfit_rates(module: nn.Module, lr_per_layer: Mapping[str, float]) -> Iterator[Problem]:
    """Yield the problems of factors by name, with paths inside the setting."""
    parameters = [name for name, _ in module.named_parameters()]
    known = dict.fromkeys(key for name in parameters for key in (_owner(name), name) if key)
    for key in lr_per_layer:
        (name,) = _by_name(module, {key: 1.0})
        if not any(_fits(name, one) for one in known):
            yield unknown("layer or parameter", key, known, key)
    named = _by_name(module, lr_per_layer)
    if all(named.get(_meant(name, named), 1.0) == 0 for name in parameters):
        yield Problem("", "freezes every parameter: nothing is trained; leave one out, or give it a factor above 0")


def _by_name(module: nn.Module, factors: Mapping[str, float]) -> dict[str, float]:
    """Return factors by the names of layers and parameters, where a listed layer was called by its index."""
    places = {str(part.place): name for name, part in module.named_modules() if hasattr(part, "place")}
    found: dict[str, float] = {}
    for key, factor in factors.items():
        layer, point, rest = key.partition(".")
        name = f"{places.get(layer, layer)}{point}{rest}"
        if name == key or name not in factors:  # a name goes before an index
            found[name] = factor
    return found


def depths_of(module: nn.Module) -> dict[str, int]:
    """Return how many layers come before each parameter's own, by its name.

    A block is one layer: what stands in a list of modules, or has no such list inside. A dense layer or convolution by
    itself is one too; norms and single parameters belong to the layer before them, as in timm.
    """
    found: dict[str, int] = {}
    layers: list[str] = []
    for name, _ in module.named_parameters():
        unit, is_layer = _unit(module, name)
        if is_layer and unit not in layers:
            layers.append(unit)
        found[name] = layers.index(unit) if is_layer else max(0, len(layers) - 1)
    return found


def _unit(module: nn.Module, name: str) -> tuple[str, bool]:
    """Return the block that a parameter belongs to, the outermost, and whether that is, or has, a layer."""
    path: list[str] = []
    part = module
    for step in name.split(".")[:-1]:
        listed = _is_list(part)
        part = part.get_submodule(step)
        path.append(step)
        if (listed and not _is_list(part)) or not any(map(_is_list, part.modules())):
            return ".".join(path), any(isinstance(inner, LAYERS) for inner in part.modules())
    return ".".join(path), False  # the model's own, or a container's


def _is_list(part: nn.Module) -> bool:
    # what derives from Sequential, as torchvision's convolutions with their norms, is a block by itself
    return type(part) is nn.Sequential or isinstance(part, nn.ModuleList | nn.ModuleDict)


def _meant(name: str, keys: Mapping[str, float]) -> str:
    """Return a parameter's key: its own name, its layer's, or the first pattern that fits either; "" for none."""
    whole = [key for key in (name, _owner(name)) if key in keys]
    patterns = (key for key in keys if "*" in key and (_fits(key, name) or _fits(key, _owner(name))))
    return next(iter(whole), None) or next(patterns, "")


def _fits(key: str, name: str) -> bool:
    return key == name or ("*" in key and fnmatchcase(name, key))


def _owner(name: str) -> str:
    """Return the name of the module that has a parameter; "" for the model itself."""
    return name.rpartition(".")[0]
