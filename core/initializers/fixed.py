"""Laws of one scale for every layer, whatever its width."""

from core.initializers import Initializer, Normal, Uniform, initializers
from core.registry import NonNegative, Real

SOURCE = "what Glorot & Bengio 2010, PMLR 9:249-256, measured scaled laws against"


@initializers.register(formula="U[low, high)", source=SOURCE, aliases=["uniform01"])
def uniform(*, low: Real = 0.0, high: Real = 1.0) -> Initializer:
    """Uniform between two fixed numbers; the default's mean is 0.5, not 0."""
    if high <= low:
        raise ValueError(f"high should be greater than low, but high is {high} and low is {low}")
    return Initializer(lambda _layer: Uniform(low, high))


@initializers.register(formula="N(mean, std)", source=SOURCE, aliases=["gaussian", "gaussian_fixed"])
def normal(*, mean: Real = 0.0, std: NonNegative = 0.01) -> Initializer:
    """Normal of a fixed standard deviation (not variance), not truncated."""
    return Initializer(lambda _layer: Normal(mean, std))
