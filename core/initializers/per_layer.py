"""Different initializers for different layers."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from core.errors import Problem
from core.initializers import Initializer, InitializerEntry, Layer, initializers
from core.registry import Entry, join_path, unknown


@initializers.register(
    formula="layers[name] where the layer is named, else default",
    source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 8.4, on output layers that start otherwise",
)
def per_layer(
    *,
    default: InitializerEntry = "torch_default",
    layers: Annotated[dict[str, InitializerEntry], Field(min_length=1)],
) -> Initializer:
    """Each layer in `layers` by its own initializer, bias included, and every other by `default`.

    `bias`, where it is given here, is that of all layers.
    """
    named: Mapping[str, Entry] = layers
    entries = {"default": default} | {f"layers.{name}": entry for name, entry in named.items()}
    for path, entry in entries.items():
        if entry.name == "per_layer" or not entry.build().only_draws:
            raise ValueError(f"{path} should draw one layer's weights; {entry.name} is for a whole model")
    rest: Initializer = default.build()
    chosen: Mapping[str, Initializer] = {name: entry.build() for name, entry in named.items()}

    def check(model: Mapping[str, Layer]) -> Iterable[Problem]:
        for name, initializer in chosen.items():
            if name not in model:
                yield unknown("layer", name, model, join_path("layers", name))
            else:
                yield from (p._replace(path=join_path("layers", name, p.path)) for p in initializer.check(model))
        yield from (p._replace(path=join_path("default", p.path)) for p in rest.check(model))

    return Initializer(
        lambda layer: chosen.get(layer.name, rest).weight(layer),
        lambda layer: chosen.get(layer.name, rest).bias(layer),
        check=check,
    )
