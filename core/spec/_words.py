"""Settings in words, for a report."""

from pydantic import BaseModel

from core.design import SOURCE_NAMES
from core.registry import Entry
from core.spec._body import Spec
from core.spec._treatment import Treatment

TITLES = {
    "dataset": "Data set",
    "model": "Model",
    "initializer": "Initial weights",
    "optimizer": "Optimizer",
    "schedule": "Learning-rate schedule",
    "batch_size": "Batch size",
    "epochs": "Epochs",
}
OPTIONAL = {
    "micro_batch_size": "Examples at a time",
    "drop_last": "Smaller last batch dropped",
    "gradient_clip": "Gradient clipping",
    "mixup": "Mixup",
    "cutmix": "Cutmix",
    "label_smoothing": "Label smoothing",
    "class_weights": "Class weights",
    "focal_loss": "Focal loss",
    "weight_decay_on": "Weight decay on",
    "layer_lr_decay": "Decay of rates by layer",
    "lr_per_layer": "Factors of rates",
    "sam": "Sharpness-aware minimization",
    "ema_decay": "Decay of averaged weights",
}
"""Settings that are named where they are not the default, or differ between arms."""
JUDGED = {
    "sample": "a fixed sample of the training split, as large as the validation split",
    "all": "the whole training split",
}
OF_EPOCHS = ("schedule", "epochs")
"""Settings that kinds whose runs end before their first epoch have of their own."""


def described(spec: Spec, label: str | None = None) -> list[tuple[str, str | None]]:
    """Return title and words of each setting of the arms, or of the one of this label; None for words: they differ."""
    arms = [arm for arm in spec.expanded if label in (None, arm.label)]
    varied = {field for arm in arms for field in arm.replaced}
    asked = {
        field: title
        for field, title in OPTIONAL.items()
        if field in varied or getattr(spec, field) != Treatment.model_fields[field].default
    }
    settings: list[tuple[str, str | None]] = [
        (title, shared.pop() if len(shared := {words(getattr(arm.treatment, field)) for arm in arms}) == 1 else None)
        for field, title in (TITLES | asked).items()
        if not (spec.updates is not None and field in OF_EPOCHS)
    ]
    if spec.repeat is not None:
        settings.append(("Second trainings", "every run, its batches turned round: what differs is rounding"))
    if spec.vary is not None:
        settings.append(("Differs by seed", ", ".join(SOURCE_NAMES[source] for source in spec.vary)))
    return [*settings, ("Training metrics", JUDGED[spec.evaluate.train])] if spec.updates is None else settings


def words(value: object) -> str:
    """Return a setting in words: "mlp (hidden 256, 128; activation relu)"."""
    if isinstance(value, Entry):
        inside = "; ".join(f"{key} {words(given)}" for key, given in value.parameters().items() if given is not None)
        return f"{value.name} ({inside})" if inside else value.name
    if isinstance(value, BaseModel):
        return ", ".join(f"{key} {words(given)}" for key, given in value if given is not None)
    if isinstance(value, dict):
        return ", ".join(f"{key} {words(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(words(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
