"""The learning rate in force during each update."""

from core.metrics import Metric, metrics

metrics.add(
    Metric(
        name="lr",
        label="learning rate",
        direction="none",
        per="step",
        split=None,
        quantity="learning rate",
        rank=200,
        compared=False,
        standard=True,
    )
)
