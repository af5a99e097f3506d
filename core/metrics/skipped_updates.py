"""The updates that a loss scale made a run skip, which only training in float16 has."""

from core.metrics import Metric, metrics

SKIPPED = "skipped_updates"
"""By epoch: the run's updates so far whose gradients were not finite, as one by `torch.amp.GradScaler` is skipped."""

metrics.add(
    Metric(
        name=SKIPPED,
        label="skipped updates",
        quantity="updates",
        direction="none",
        per="epoch",
        split="train",
        compared=False,
        bounds=(0.0, None),
        rank=230,
    )
)
