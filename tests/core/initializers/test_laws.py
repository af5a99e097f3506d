"""Fans and laws against torch's layers, torch.nn.init and the formulas of the papers."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.initializers import Initializer, Shape, fans, initializers
from core.streams import generator

LAYERS: dict[str, tuple[Callable[[], nn.Module], Shape, int, int]] = {
    "linear 784->256": (lambda: nn.Linear(784, 256), (256, 784), 784, 256),
    "conv 3->32": (lambda: nn.Conv2d(3, 32, 3), (32, 3, 3, 3), 27, 288),
    "conv 32->64, groups 4": (lambda: nn.Conv2d(32, 64, 3, groups=4), (64, 8, 3, 3), 72, 576),
    "depthwise 32": (lambda: nn.Conv2d(32, 32, 3, groups=32), (32, 1, 3, 3), 9, 288),
    "transposed 16->8": (lambda: nn.ConvTranspose2d(16, 8, 3), (16, 8, 3, 3), 72, 144),
}
PEERS: list[tuple[Any, Callable[[Tensor], Tensor]]] = [
    ("zeros", nn.init.zeros_),
    ("ones", nn.init.ones_),
    ({"name": "constant", "value": -0.3}, lambda w: nn.init.constant_(w, -0.3)),
    ("uniform", nn.init.uniform_),
    ({"name": "uniform", "low": -0.5, "high": 0.5}, lambda w: nn.init.uniform_(w, -0.5, 0.5)),
    ("normal", lambda w: nn.init.normal_(w, 0, 0.01)),
    ({"name": "normal", "mean": 0.5, "std": 2.0}, lambda w: nn.init.normal_(w, 0.5, 2.0)),
    ("uniform_rule", lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5))),
    ("normal_rule", lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear")),
    ("glorot_uniform", nn.init.xavier_uniform_),
    ({"name": "glorot_uniform", "gain": 1.7}, lambda w: nn.init.xavier_uniform_(w, 1.7)),
    ("glorot_normal", nn.init.xavier_normal_),
    ({"name": "glorot_normal", "gain": 0.3}, lambda w: nn.init.xavier_normal_(w, 0.3)),
    ("he_uniform", lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu")),
    ({"name": "he_uniform", "mode": "fan_out"}, lambda w: nn.init.kaiming_uniform_(w, mode="fan_out")),
    ("he_normal", lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
    ({"name": "he_normal", "mode": "fan_out", "a": 0.5}, lambda w: nn.init.kaiming_normal_(w, 0.5, mode="fan_out")),
]
"""An initializer, and the function of torch.nn.init that means the same."""

THEORY: list[tuple[Any, Callable[[int, int], float], bool]] = [
    ("uniform_rule", lambda i, _o: 1 / i**0.5, True),
    ("torch_default", lambda i, _o: 1 / i**0.5, True),
    ("glorot_uniform", lambda i, o: (6 / (i + o)) ** 0.5, True),
    ("he_uniform", lambda i, _o: (6 / i) ** 0.5, True),
    ({"name": "he_uniform", "a": 5**0.5}, lambda i, _o: 1 / i**0.5, True),
    ("normal_rule", lambda i, _o: 1 / i**0.5, False),
    ("glorot_normal", lambda i, o: (2 / (i + o)) ** 0.5, False),
    ("he_normal", lambda i, _o: (2 / i) ** 0.5, False),
    ({"name": "he_normal", "mode": "fan_out"}, lambda _i, o: (2 / o) ** 0.5, False),
]
"""An initializer, its scale as its paper prints it, and whether that is a bound or a standard deviation."""


def sample(raw: Any, shape: Shape, seed: int = 0) -> Tensor:
    initializer: Initializer = initializers.parse(raw).build()
    return initializer.weight(shape).draw(shape, generator(seed, "weight"), torch.float64)


def same_law(a: Tensor, b: Tensor) -> None:
    """Two samples of one law: moments within six standard errors, and extremes alike."""
    a, b = a.flatten(), b.flatten()
    for power in (1, 2, 3, 4):
        x, y = a**power, b**power
        error = ((x.var() + y.var()) / len(a)).sqrt()
        assert abs(x.mean() - y.mean()) <= 6 * error + 1e-15, f"moment {power}"
    both = torch.cat([a, b]).sort().values
    cdf_a, cdf_b = (torch.searchsorted(s.sort().values, both, right=True) / len(s) for s in (a, b))
    assert (cdf_a - cdf_b).abs().max() <= 2.5 * math.sqrt(2 / len(a)), "Kolmogorov-Smirnov, p < 1e-5"
    spread = max(float(a.std()), 1e-12)
    assert abs(a.abs().max() - b.abs().max()) <= 1.2 * spread, "largest value"


@pytest.mark.parametrize("layer", LAYERS)
def test_fans_are_those_of_torchs_layers(layer: str) -> None:
    make, shape, fan_in, fan_out = LAYERS[layer]
    weight = make().weight
    assert isinstance(weight, Tensor)
    assert weight.shape == shape
    assert fans(shape) == (fan_in, fan_out) == nn.init._calculate_fan_in_and_fan_out(weight)


@pytest.mark.parametrize("shape", [(), (7,)], ids=str)
def test_a_vector_has_no_fans(shape: Shape) -> None:
    with pytest.raises(ValueError, match="two dimensions or more"):
        fans(shape)
    for name in ("uniform_rule", "normal_rule", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal"):
        with pytest.raises(ValueError, match="two dimensions or more"):
            initializers.parse(name).build().weight(shape)


@pytest.mark.parametrize(("raw", "peer"), PEERS, ids=[str(raw) for raw, _ in PEERS])
@pytest.mark.parametrize("shape", [(256, 784), (64, 8, 3, 3), (48, 160)], ids=str)
def test_the_law_is_that_of_torch(raw: Any, peer: Callable[[Tensor], Tensor], shape: Shape) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = peer(torch.empty(shape, dtype=torch.float64))
    same_law(sample(raw, shape), theirs)


@pytest.mark.parametrize(("raw", "scale", "is_bound"), THEORY, ids=[str(raw) for raw, *_ in THEORY])
@pytest.mark.parametrize("layer", LAYERS)
def test_the_scale_is_the_papers(raw: Any, scale: Callable[[int, int], float], is_bound: bool, layer: str) -> None:
    _, shape, fan_in, fan_out = LAYERS[layer]
    law = initializers.parse(raw).build().weight(shape)
    expected = scale(fan_in, fan_out)
    drawn = sample(raw, shape)
    if is_bound:
        assert law.bound == pytest.approx(expected, rel=1e-14)
        assert law.std == pytest.approx(expected / 3**0.5, rel=1e-14)
        assert drawn.abs().max() <= law.bound
        assert drawn.abs().max() > expected * (1 - 20 / drawn.numel())
    else:
        assert law.bound is None
        assert law.std == pytest.approx(expected, rel=1e-14)
        assert drawn.abs().max() > 2.3 * expected, "a cut normal ends at 2.2737 standard deviations"


@pytest.mark.parametrize(
    "layer", ["linear 784->256", "conv 3->32", "conv 32->64, groups 4", "depthwise 32", "transposed 16->8"]
)
def test_torch_default_is_what_torchs_layers_do(layer: str) -> None:
    make, shape, *_ = LAYERS[layer]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [make().double() for _ in range(20)]
    initializer: Initializer = initializers.parse("torch_default").build()
    for parameter, law in (("weight", initializer.weight(shape)), ("bias", initializer.bias(shape))):
        theirs = torch.stack([getattr(layer, parameter) for layer in layers]).detach()
        same_law(law.draw(tuple(theirs.shape), generator(0, parameter), torch.float64), theirs)
        assert law.bound is not None
        assert theirs.abs().max() <= law.bound


@pytest.mark.parametrize("name", [name for name in initializers if name != "torch_default"])
def test_biases_start_at_zero(name: str) -> None:
    required = {"constant": {"value": 2.0}}
    initializer: Initializer = initializers.parse({"name": name, **required.get(name, {})}).build()
    law = initializer.bias((5, 3))
    assert torch.equal(law.draw((5,), generator(0)), torch.zeros(5))


def test_a_layer_without_inputs_has_no_bias() -> None:
    law = initializers.parse("torch_default").build().bias((5, 0))
    assert torch.equal(law.draw((5,), generator(0)), torch.zeros(5))


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1.0, 0.5), (0.0, -1e-9)])
def test_a_uniform_law_needs_room(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="high should be greater than low") as caught:
        initializers.parse("uniform").model_copy(update={"low": low, "high": high}).build()
    assert str(low) in str(caught.value)
    assert str(high) in str(caught.value)


def test_the_widest_uniform_law_still_fits_float32() -> None:
    entry = initializers.parse({"name": "uniform", "low": -1e12, "high": 1e12})
    assert entry.build().weight((9, 9)).draw((9, 9), generator(0)).isfinite().all()
