"""The rules for what a metric's name says: which of its values are better, and which metric runs are judged by."""

import re
from collections.abc import Iterable
from typing import Literal

Direction = Literal["max", "min"]

SMALLER = {
    *(
        "bce",
        "bpb",
        "bpc",
        "brier",
        "cer",
        "cost",
        "deviance",
        "duration",
        "ece",
        "err",
        "fid",
        "hinge",
        "kl",
        "latency",
    ),
    *(
        "mae",
        "mape",
        "mse",
        "msle",
        "nll",
        "perplexity",
        "ppl",
        "regret",
        "rmse",
        "rmsle",
        "runtime",
        "seconds",
        "time",
    ),
    *("wer", "xent"),
}
"""Words of a name that say: less is better."""
ENDINGS = ("loss", "error", "entropy", "crossentropy", "divergence", "distance")
JUDGED = ({"val", "valid", "validation", "eval", "dev"}, {"test"})
TRAINED = {"train", "training"}
UNJUDGED = {
    "lr",
    "rate",
    "epoch",
    "time",
    "seconds",
    "runtime",
    "duration",
    "latency",
    "norm",
    "step",
    "memory",
    "samples",
}
"""Words of names that runs are judged by only where there is nothing else."""


def words_of(metric: str) -> list[str]:
    """Return the words of a name, small: those of `valLoss/epoch_1` are val, loss, epoch and 1."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", metric).lower())


def direction_of(metric: str) -> Direction:
    """Return which values of a metric are better, by its name: less of a loss, an error, a time; more of all else.

    A negated one (`neg_mean_squared_error`) is to be maximised, as scikit-learn has it.
    """
    words = words_of(metric)
    if words[:1] == ["neg"]:
        return "max"
    return "min" if any(word in SMALLER or word.endswith(ENDINGS) for word in words) else "max"


def outcome_of(metrics: Iterable[str]) -> str | None:
    """Return the metric that runs are judged by: on validation before test before training, accuracy before loss.

    Of several alike the first by name; None where there is no metric.
    """
    return min(metrics, key=_rank, default=None)


def _rank(metric: str) -> tuple[bool, int, bool, str]:
    words = set(words_of(metric))
    split = next((i for i, names in enumerate(JUDGED) if words & names), 3 if words & TRAINED else 2)
    return bool(words & UNJUDGED), split, direction_of(metric) == "min", metric
