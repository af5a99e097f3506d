"""Different initializers for different layers."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from core.errors import Problem
from core.initializers import Initializer, InitializerEntry, Layer, initializers
from core.registry import Entry, join_path, unknown

FOR_VECTORS = ("constant", "uniform", "normal", "truncated_normal", "cut_normal")
"""The distributions that a norm's gain may be drawn from: those of a fixed scale, which need no fans."""


@initializers.register(
    formula="layers[name] where the layer is named, else default; norms that are not named: gain 1, bias 0",
    source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 8.4, on output layers that start otherwise; "
    "zero gamma: Goyal et al. 2017, arXiv:1706.02677, section 5.1",
)
def per_layer(
    *,
    default: InitializerEntry = "torch_default",
    layers: Annotated[dict[str, InitializerEntry], Field(min_length=1)],
) -> Initializer:
    """Each layer in `layers` by its own initializer, bias included, and every other by `default`.

    A name may be that of a norm, whose gain is then drawn: `{"layer1.0.bn2": "zeros"}`. With `*` it is that of all
    layers that it fits, `{"*.bn2": "zeros"}`; a whole name goes before those, and the first of them before the others.
    A layer of a `sequential` model may be called by its index, also where it has a name.
    `bias`, where it is given here, is that of all layers, but not of norms.
    """
    named: Mapping[str, Entry] = layers
    entries = {"default": default} | {f"layers.{name}": entry for name, entry in named.items()}
    for path, entry in entries.items():
        if entry.name == "per_layer" or not entry.build().only_draws:
            raise ValueError(f"{path} should draw one layer's weights; {entry.name} is for a whole model")
    rest: Initializer = default.build()
    chosen: Mapping[str, Initializer] = {name: entry.build() for name, entry in named.items()}
    patterns = [name for name in chosen if "*" in name]

    def find(layer: Layer) -> Initializer | None:
        exact = next((name for name in (layer.name, layer.place) if name in chosen), None)
        name = exact or next((p for p in patterns if fnmatchcase(layer.name, p)), None)
        return None if name is None else chosen[name]

    def check(model: Mapping[str, Layer]) -> Iterable[Problem]:
        for name, initializer in chosen.items():
            meant = [layer for key, layer in model.items() if name in (key, layer.place) or _fits(key, name)]
            path = join_path("layers", name)
            if not meant:
                yield unknown("layer", name, model, path)
                continue
            yield from (p._replace(path=join_path("layers", name, p.path)) for p in initializer.check(model))
            if any(len(one.shape) == 1 for one in meant) and not _draws_vectors(initializer):
                message = "is of norms, whose gain is a vector: start it by zeros, ones, constant, uniform or normal"
                yield Problem(path, message)
        yield from (p._replace(path=join_path("default", p.path)) for p in rest.check(model))

    return Initializer(
        lambda layer: (find(layer) or rest).weight(layer),
        lambda layer: (find(layer) or rest).bias(layer),
        norm=find,
        check=check,
    )


def _fits(name: str, pattern: str) -> bool:
    return "*" in pattern and fnmatchcase(name, pattern)


def _draws_vectors(initializer: Initializer) -> bool:
    try:
        laws = [of(Layer((8,))) for of in (initializer.weight, initializer.bias)]
    except ValueError:
        return False
    return all(law.distribution in FOR_VECTORS for law in laws)
