"""Settings in words, for a report."""

from core.registry import Entry
from core.spec._body import Spec, Treatment

TITLES = {
    "dataset": "Data set",
    "model": "Model",
    "initializer": "Initial weights",
    "optimizer": "Optimizer",
    "schedule": "Learning-rate schedule",
    "batch_size": "Batch size",
    "epochs": "Epochs",
}
OF_RANGE_TEST = ("schedule", "epochs")
"""Settings that a range test has of its own."""


def described(spec: Spec) -> list[tuple[str, str | None]]:
    """Return title and words of each setting of the base; None for words: the arms replace it."""
    varied = {field for arm in spec.expanded for field in arm.replaced}
    return [
        (title, None if field in varied else words(getattr(spec, field)))
        for field, title in TITLES.items()
        if field in Treatment.model_fields and not (spec.lr_range is not None and field in OF_RANGE_TEST)
    ]


def words(value: object) -> str:
    """Return a setting in words: "mlp (hidden 256, 128; activation relu)"."""
    if isinstance(value, Entry):
        inside = "; ".join(f"{key} {words(given)}" for key, given in value.parameters().items() if given is not None)
        return f"{value.name} ({inside})" if inside else value.name
    if isinstance(value, list | tuple):
        return ", ".join(words(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
