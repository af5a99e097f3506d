"""Fans and laws against torch's layers, torch.nn.init and the formulas of the papers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import NotFound
from core.initializers import Initializer, Layer, Shape, fans, initializers
from core.streams import generator
from tests.core.entries import parse

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
    ("lecun_uniform", lambda w: nn.init.kaiming_uniform_(w, nonlinearity="linear")),
    ({"name": "uniform_fixed", "sigma": 0.3}, lambda w: nn.init.uniform_(w, -0.3 * 3**0.5, 0.3 * 3**0.5)),
    ("keras_random_uniform", lambda w: nn.init.uniform_(w, -0.05, 0.05)),
    ("keras_random_normal", lambda w: nn.init.normal_(w, 0, 0.05)),
    ("truncated_normal", lambda w: nn.init.trunc_normal_(w, 0, 0.05, -0.1, 0.1)),
    ({"name": "truncated_normal", "mean": 3.0, "std": 2.0}, lambda w: nn.init.trunc_normal_(w, 3, 2, -1, 7)),
    ("depth_scaled", lambda w: nn.init.normal_(w, 0, 0.02)),
    ("orthogonal", nn.init.orthogonal_),
    ({"name": "orthogonal", "gain": 1.5}, lambda w: nn.init.orthogonal_(w, 1.5)),
    ("lsuv", nn.init.orthogonal_),
]
"""An initializer, and the function of torch.nn.init that means the same."""

VS: dict[str, Any] = {"name": "variance_scaling"}
THEORY: list[tuple[Any, Callable[[int, int], float], bool]] = [
    ("uniform_rule", lambda i, _o: 1 / i**0.5, True),
    ("torch_default", lambda i, _o: 1 / i**0.5, True),
    ("glorot_uniform", lambda i, o: (6 / (i + o)) ** 0.5, True),
    ("he_uniform", lambda i, _o: (6 / i) ** 0.5, True),
    ({"name": "he_uniform", "a": 5**0.5}, lambda i, _o: 1 / i**0.5, True),
    ("lecun_uniform", lambda i, _o: (3 / i) ** 0.5, True),
    ({"name": "variance_scaling", "distribution": "uniform"}, lambda i, _o: (3 / i) ** 0.5, True),
    (VS | {"mode": "fan_out", "scale": 2.0, "distribution": "uniform"}, lambda _i, o: (6 / o) ** 0.5, True),
    (VS | {"mode": "fan_avg", "distribution": "uniform"}, lambda i, o: (6 / (i + o)) ** 0.5, True),
    (VS | {"mode": "fan_geo_avg", "distribution": "uniform"}, lambda i, o: 3**0.5 / (i * o) ** 0.25, True),
    (VS | {"scale": 2.0, "distribution": "untruncated_normal"}, lambda i, _o: (2 / i) ** 0.5, False),
    ("normal_rule", lambda i, _o: 1 / i**0.5, False),
    ("glorot_normal", lambda i, o: (2 / (i + o)) ** 0.5, False),
    ("he_normal", lambda i, _o: (2 / i) ** 0.5, False),
    ({"name": "he_normal", "mode": "fan_out"}, lambda _i, o: (2 / o) ** 0.5, False),
]
"""An initializer, its scale as its paper prints it, and whether that is a bound or a standard deviation."""


def sample(raw: Any, shape: Shape, seed: int = 0) -> Tensor:
    initializer: Initializer = initializers.parse(raw).build()
    return initializer.weight(Layer(shape)).draw(shape, generator(seed, "weight"), torch.float64)


def same_law(a: Tensor, b: Tensor) -> None:
    """Two samples of one law: moments within six standard errors, and extremes alike."""
    ours, theirs = (np.sort(drawn.numpy(), axis=None) for drawn in (a, b))  # of millions at once: several times torch
    x, y = np.ones_like(ours), np.ones_like(theirs)
    for power in (1, 2, 3, 4):
        x, y = x * ours, y * theirs
        error = ((x.var(ddof=1) + y.var(ddof=1)) / len(x)) ** 0.5
        assert abs(x.mean() - y.mean()) <= 6 * error + 1e-15, f"moment {power}"
    both = np.concatenate([ours, theirs])
    cdf_a, cdf_b = (np.searchsorted(values, both, side="right") / len(values) for values in (ours, theirs))
    assert abs(cdf_a - cdf_b).max() <= 2.5 * (2 / len(ours)) ** 0.5, "Kolmogorov-Smirnov, p < 1e-5"
    spread = max(float(ours.std(ddof=1)), 1e-12)
    assert abs(abs(ours).max() - abs(theirs).max()) <= 1.2 * spread, "largest value"


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
            initializers.parse(name).build().weight(Layer(shape))


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
    law = initializers.parse(raw).build().weight(Layer(shape))
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


TRUNCATED: list[tuple[Any, Callable[[int, int], float]]] = [
    ("glorot_normal_truncated", lambda i, o: (2 / (i + o)) ** 0.5),
    ({"name": "glorot_normal_truncated", "gain": 1.7}, lambda i, o: 1.7 * (2 / (i + o)) ** 0.5),
    ("he_normal_truncated", lambda i, _o: (2 / i) ** 0.5),
    ({"name": "he_normal_truncated", "a": 0.5, "mode": "fan_out"}, lambda _i, o: (1.6 / o) ** 0.5),
    ("lecun_normal", lambda i, _o: (1 / i) ** 0.5),
    ("variance_scaling", lambda i, _o: (1 / i) ** 0.5),
    (VS | {"mode": "fan_geo_avg", "scale": 3.0}, lambda i, o: (3 / (i * o) ** 0.5) ** 0.5),
    ("truncated_normal", lambda _i, _o: 0.05 * 0.8796256610342398),
]
"""An initializer, and its standard deviation after the cut."""


@pytest.mark.parametrize(("raw", "std"), TRUNCATED, ids=[str(raw) for raw, _ in TRUNCATED])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_truncated_law_is_cut_at_two_parents(raw: Any, std: Callable[[int, int], float], layer: str) -> None:
    _, shape, fan_in, fan_out = LAYERS[layer]
    law = initializers.parse(raw).build().weight(Layer(shape))
    expected = std(fan_in, fan_out)
    assert law.std == pytest.approx(expected, rel=1e-14)
    assert law.bound == pytest.approx(expected * 2 / 0.8796256610342398, rel=1e-14)
    drawn = sample(raw, shape)
    assert drawn.abs().max() <= law.bound
    assert drawn.abs().max() > law.bound * (1 - 40 / drawn.numel())
    assert abs(drawn.std() - expected) <= 6 * expected / math.sqrt(2 * drawn.numel())


def test_nothing_escapes_a_cut() -> None:
    law = initializers.parse({"name": "truncated_normal", "std": 1.0}).build().weight(Layer((2000, 2000)))
    for dtype in (torch.float32, torch.float64):
        drawn = law.draw((2000, 2000), generator(1, "many"), dtype)  # of 4,000,000 values Keras on torch lets 15 escape
        assert drawn.abs().max() <= 2
        assert drawn.abs().max() > 2 - 1e-5


def test_fan_out_may_be_of_one_group() -> None:
    layer = Layer((64, 8, 3, 3), groups=4)
    for name in ("he_normal", "he_uniform", "he_normal_truncated"):
        plain, aware = (
            initializers.parse({"name": name, "mode": "fan_out", "groups_aware": aware}).build().weight(layer).std
            for aware in (False, True)
        )
        assert plain == pytest.approx((2 / 576) ** 0.5, rel=1e-14)
        assert aware == pytest.approx((2 / 144) ** 0.5, rel=1e-14)  # as timm's fix_group_fanout


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        *(("Zeros", "zeros"), ("Constant", "constant"), ("RandomUniform", "keras_random_uniform")),
        *(("RandomNormal", "keras_random_normal"), ("GlorotNormal", "glorot_normal_truncated")),
        *(("XavierNormal", "glorot_normal"), ("xavier_normal_", "glorot_normal"), ("HeNormal", "he_normal_truncated")),
        *(("KaimingNormal", "he_normal"), ("kaiming_normal_", "he_normal"), ("kaiming_uniform", "he_uniform")),
        *(("GlorotUniform", "glorot_uniform"), ("HeUniform", "he_uniform"), ("LecunNormal", "lecun_normal")),
        *(("uniform01", "uniform"), ("gaussian_fixed", "normal"), ("framework_default", "torch_default")),
        *(("Orthogonal", "orthogonal"), ("eye_", "identity"), ("dirac_", "dirac"), ("Identity", "identity")),
    ],
)
def test_a_peers_name_means_what_the_peer_draws(alias: str, name: str) -> None:
    assert initializers[alias] is initializers[name]


@pytest.mark.parametrize("ambiguous", ["TruncatedNormal", "Normal", "Uniform"])
def test_a_name_that_peers_disagree_on_is_refused(ambiguous: str) -> None:
    with pytest.raises(NotFound):
        initializers[ambiguous]


@pytest.mark.parametrize(
    "layer", ["linear 784->256", "conv 3->32", "conv 32->64, groups 4", "depthwise 32", "transposed 16->8"]
)
def test_torch_default_is_what_torchs_layers_do(layer: str) -> None:
    make, shape, *_ = LAYERS[layer]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [make().double() for _ in range(20)]
    initializer: Initializer = initializers.parse("torch_default").build()
    for parameter, law in (("weight", initializer.weight(Layer(shape))), ("bias", initializer.bias(Layer(shape)))):
        theirs = torch.stack([getattr(layer, parameter) for layer in layers]).detach().flatten()[:200_000]
        same_law(law.draw(tuple(theirs.shape), generator(0, parameter), torch.float64), theirs)
        assert law.bound is not None
        assert theirs.abs().max() <= law.bound


OTHER_BIASES = ("torch_default", "per_layer", "model_default")


@pytest.mark.parametrize("name", [name for name in initializers if name not in OTHER_BIASES])
def test_biases_start_at_zero(name: str) -> None:
    initializer: Initializer = parse("initializer", name).build()
    law = initializer.bias(Layer((5, 3)))
    assert torch.equal(law.draw((5,), generator(0)), torch.zeros(5))


def test_a_layer_without_inputs_has_no_bias() -> None:
    law = initializers.parse("torch_default").build().bias(Layer((5, 0)))
    assert torch.equal(law.draw((5,), generator(0)), torch.zeros(5))


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1.0, 0.5), (0.0, -1e-9)])
def test_a_uniform_law_needs_room(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="high should be greater than low") as caught:
        initializers.parse("uniform").model_copy(update={"low": low, "high": high}).build()
    assert str(low) in str(caught.value)
    assert str(high) in str(caught.value)


def test_the_widest_uniform_law_still_fits_float32() -> None:
    entry = initializers.parse({"name": "uniform", "low": -1e12, "high": 1e12})
    assert entry.build().weight(Layer((9, 9))).draw((9, 9), generator(0)).isfinite().all()
