"""Compatibility of runs: those with the same key can train as lanes of one program."""

from functools import lru_cache

from core.optimizers import Optimizer
from core.registry import Entry
from core.spec import Treatment

FREE = ("initializer", "schedule", "early_stopping", "layer_lr_decay", "lr_per_layer")
"""Settings that may differ between the lanes of a program in all."""
NUMBERS = ("optimizer", "gradient_clip", "label_smoothing", "class_weights", "focal_loss", "sam", "ema_decay")
"""Settings that may differ in their numbers."""


def compatibility_key(treatment: Treatment) -> tuple[object, ...]:
    """Return the hashable settings that runs must have in common to be lanes of one program."""
    optimizer = built_optimizer(treatment.optimizer)
    shared = tuple(getattr(treatment, field) for field in Treatment.model_fields if field not in FREE + NUMBERS)
    kinds = (
        None if treatment.gradient_clip is None else treatment.gradient_clip.clipping.rule,
        treatment.label_smoothing > 0,
        treatment.class_weights is not None,
        treatment.focal_loss is not None and (treatment.focal_loss.alpha is not None,),
        None if treatment.sam is None else treatment.sam.adaptive,
        treatment.ema_decay is not None,
    )
    return (*shared, *kinds, treatment.optimizer.name, optimizer.update, optimizer.slots, optimizer.scalars)


@lru_cache(maxsize=1024)
def built_optimizer(entry: Entry) -> Optimizer:
    """Return the optimizer of an entry; the lanes of a cohort mostly share it."""
    optimizer: Optimizer = entry.build()
    return optimizer
