"""The area under the training loss."""

import numpy as np

from core.analysis.outcomes import OutcomeEntry, outcomes
from core.finite import finite_or_none
from core.results import Results, Series


def _training_loss(results: Results) -> str | None:
    metric = results.design.find("loss", "train")
    return None if metric is None else metric.name


def _area(series: Series, _results: Results) -> float | None:
    losses = series.values
    area = np.trapezoid(losses) / (len(losses) - 1) if len(losses) > 1 else losses[0]
    return finite_or_none(float(area))


outcomes.add(
    OutcomeEntry(
        name="loss_area",
        label="area under the training loss (per update)",
        direction="min",
        rank=10,
        explanation="The area under the training loss by update, by trapezoids, over its length in updates: a mean "
        "loss, so that runs of different length compare.",
        applies=lambda results: _training_loss(results) is not None,
        reads=_training_loss,
        of_curve=_area,
    )
)
