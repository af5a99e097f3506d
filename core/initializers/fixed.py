"""Laws of one scale for every layer, whatever its width."""

import math

from core.initializers import CutNormal, Initializer, Normal, TruncatedNormal, Uniform, initializers
from core.registry import Alias, NonNegative, Positive, Real

SOURCE = "what Glorot & Bengio 2010, PMLR 9:249-256, measured scaled laws against"
LEAST_KEPT = 1e-6
"""The probability within the cuts below which a normal's tail is no longer drawn exactly."""
KERAS = "Chollet et al. 2015, Keras 3, keras.initializers"


@initializers.register(
    formula="U[low, high)",
    source=SOURCE,
    aliases=[
        "uniform01",
        Alias("uniform_", renames={"a": "low", "b": "high"}),  # torch
    ],
)
def uniform(*, low: Real = 0.0, high: Real = 1.0) -> Initializer:
    """Uniform between two fixed numbers; the default's mean is 0.5, not 0."""
    return _uniform(low, high)


@initializers.register(formula="U(-r, r), r = sqrt(3)·sigma", source=SOURCE)
def uniform_fixed(*, sigma: NonNegative) -> Initializer:
    """Uniform around 0 of standard deviation `sigma` (not variance)."""
    return Initializer(lambda _layer: Uniform.symmetric(math.sqrt(3) * sigma))


@initializers.register(
    formula="N(mean, std)",
    source=SOURCE,
    aliases=[
        *("gaussian", "gaussian_fixed"),
        Alias("normal_", defaults={"std": 1.0}),  # torch
    ],
)
def normal(*, mean: Real = 0.0, std: NonNegative = 0.01) -> Initializer:
    """Normal of a fixed standard deviation (not variance), not truncated."""
    return Initializer(lambda _layer: Normal(mean, std))


@initializers.register(
    formula="N(mean, std) cut at mean ± 2·std",
    source=f"{KERAS}.TruncatedNormal; timm.layers.trunc_normal_tf_",
    aliases=[Alias("trunc_normal_tf_", defaults={"std": 1.0})],
)
def truncated_normal(*, mean: Real = 0.0, std: NonNegative = 0.05) -> Initializer:
    """Normal without its tails; `std` is that of the normal before the cut, and 0.88 of it is left.

    Keras, JAX and TensorFlow mean this. torch's and timm's `trunc_normal_` and Paddle's `TruncatedNormal` cut at
    fixed values instead: `trunc_normal`.
    """
    return Initializer(lambda _layer: TruncatedNormal(mean, std))


@initializers.register(
    formula="N(mean, std) cut at the values a and b",
    source="torch.nn.init.trunc_normal_; timm.layers.trunc_normal_; paddle.nn.initializer.TruncatedNormal",
    aliases=["trunc_normal_"],
)
def trunc_normal(*, mean: Real = 0.0, std: Positive = 1.0, a: Real = -2.0, b: Real = 2.0) -> Initializer:
    """Normal cut at two values, not at two standard deviations: the 0.02 of transformers is not cut at all.

    torch's, timm's and Paddle's rule. `truncated_normal` is that of Keras, JAX and TensorFlow (in timm
    `trunc_normal_tf_`), which leaves 0.88 of the `std`.
    """
    law = CutNormal(mean, std, a, b)
    if a >= b:
        raise ValueError(f"a should be less than b, got {a} and {b}")
    if law.kept < LEAST_KEPT:
        raise ValueError(f"the cuts {a} and {b} leave next to nothing of a normal around {mean} of std {std}")
    return Initializer(lambda _layer: law)


@initializers.register(formula="U[low, high)", source=f"{KERAS}.RandomUniform", aliases=["RandomUniform"])
def keras_random_uniform(*, low: Real = -0.05, high: Real = 0.05) -> Initializer:
    """`uniform` with Keras' defaults."""
    return _uniform(low, high)


@initializers.register(formula="N(mean, std)", source=f"{KERAS}.RandomNormal", aliases=["RandomNormal"])
def keras_random_normal(*, mean: Real = 0.0, std: NonNegative = 0.05) -> Initializer:
    """`normal` with Keras' defaults."""
    return Initializer(lambda _layer: Normal(mean, std))


def _uniform(low: float, high: float) -> Initializer:
    if high <= low:
        raise ValueError(f"high should be greater than low, but high is {high} and low is {low}")
    return Initializer(lambda _layer: Uniform(low, high))
