"""A validation loss that rises while the training split is fitted ever better."""

import numpy as np

from core.analysis.findings import Bound, Bounds, Curves, Finding, Measured, Numbers, Rule, rules
from core.analysis.wording import number


def check(run: Curves, bounds: Bounds) -> Finding | None:
    """Return the finding where the last epoch's validation loss is above the lowest by a share of it and by an amount.

    The amount is of the loss, in regression of R². The score on the training split must not have fallen meanwhile.
    """
    losses = run.valid_loss
    if run.diverged or len(losses) < bounds["epochs"] or not np.isfinite(losses).all():
        return None
    if min(len(run.train_score), len(run.valid_score)) < len(losses):
        return None  # measured by somebody else, who gave no score of every epoch
    best = int(losses.argmin())
    scores = run.valid_score if run.regression else -losses
    rose = losses[-1] > bounds["last_over_best"] * losses[best] and float(scores[best] - scores[-1]) > bounds["rise"]
    if not (rose and run.train_score[-1] >= run.train_score[best]):
        return None
    numbers = {
        "best_valid_loss": float(losses[best]),
        "last_valid_loss": float(losses[-1]),
        "best_epoch": best,
        "train": float(run.train_score[-1]),
        "valid": float(run.valid_score[-1]),
    }
    return Finding(step=len(run.losses) - 1, numbers=numbers, bound="last_over_best")


def explanation(numbers: Numbers, measured: Measured) -> str:
    """Return the text, with the score of the task in its unit."""
    if measured.train_score is None or measured.valid_score is None:
        raise ValueError("overfitting is told by a score on both splits")
    score = measured.train_score.label.removeprefix("training ")
    train, valid = number(measured.train_score, numbers["train"]), number(measured.valid_score, numbers["valid"])
    return (
        "The validation loss was lowest, {best_valid_loss}, after epoch {best_epoch} and then rose to "
        "{last_valid_loss}, "
        f"while the {score} was {train} on the training split and {valid} on the validation split at the end. "
        "The network begins to learn its examples by heart; stop earlier, or use more data, dropout or weight decay."
    )


rules.add(
    Rule(
        name="overfitting",
        label="overfitting",
        rank=100,
        looks_at=Curves,
        bounds={
            "last_over_best": Bound(1.1, "validation loss after the last epoch over its lowest, above"),
            "rise": Bound(0.02, "rise of the validation loss from its lowest, in regression fall of R², above"),
            "epochs": Bound(3, "epochs, at least"),
        },
        check=check,
        explanation=explanation,
    )
)
