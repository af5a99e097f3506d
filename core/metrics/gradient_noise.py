"""The two parts of the gradient noise scale, which `core.training.noise` estimates: |G|² and tr(S)."""

from functools import partial

from core.metrics import Metric, metrics

NOISE_METRICS = ("gradient_squared", "gradient_variance")
"""By epoch, where the gradient noise is measured: estimates of |G|² and of tr(S)."""

_noise = partial(Metric, direction="none", per="epoch", split="train", compared=False)
metrics.add(
    _noise(name=NOISE_METRICS[0], label="squared length of the gradient", quantity="gradient squared", rank=210)
)
metrics.add(
    _noise(name=NOISE_METRICS[1], label="variance of an example's gradient", quantity="gradient noise", rank=220)
)
