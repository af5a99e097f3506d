"""Pictures of what is not trained yet: each draws the answer of `POST /previews/{kind}`."""

from core.plots.previews.datasets import draw_dataset
from core.plots.previews.initializers import draw_initializer
from core.plots.previews.layers import draw_layer
from core.plots.previews.optimizers import draw_optimizer
from core.plots.previews.schedules import draw_schedule
from core.plots.previews.signals import draw_signal

__all__ = ["draw_dataset", "draw_initializer", "draw_layer", "draw_optimizer", "draw_schedule", "draw_signal"]
