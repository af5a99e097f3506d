"""A check of whether the loss that an arm asks for is one of its data set's task."""

from core.datasets import DatasetInfo
from core.errors import Problem
from core.spec._treatment import Treatment

_OF_LABELS = ("label_smoothing", "class_weights", "focal_loss")


def loss_refused(treatment: Treatment, data: DatasetInfo) -> Problem | None:
    """Return what does not fit in the loss, the path being a field of the treatment; None: nothing."""
    asked = next((field for field in _OF_LABELS if getattr(treatment, field)), None)
    if asked is None:
        return None
    if data.task == "regression":
        return Problem(asked, "is for classes; this data set's task is a regression")
    weights, focal = treatment.class_weights, treatment.focal_loss
    classes = 2 if data.task == "binary" else data.outputs
    if isinstance(weights, list) and len(weights) != classes:
        return Problem("class_weights", f"has {len(weights)} numbers; give {classes}, one for each class")
    if focal is None or focal.alpha is None:
        return None
    if data.task != "binary":
        message = f"weighs the two labels of a binary target; give class_weights, {classes} numbers"
        return Problem("focal_loss.alpha", message)
    if weights is not None:
        return Problem("focal_loss.alpha", "weighs the labels, and so does class_weights: give one of the two")
    return None
