"""The previews of what is not trained yet, by the last part of their address: `POST /previews/{kind}`."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from pydantic import BaseModel

from api.previews.datasets import DatasetLook, dataset_of
from api.previews.initializers import InitializerPreview, initializer_of
from api.previews.layers import LayerPreview, layer_of
from api.previews.optimizers import OptimizerPreview, optimizer_of
from api.previews.schedules import SchedulePreview, schedule_of
from api.previews.signals import SignalPreview, signal_of
from core.datasets import DatasetPaths
from core.plots import previews


class Preview(NamedTuple):
    """One kind of preview."""

    body: type[BaseModel]
    """The request."""
    answer: Callable[[Any, DatasetPaths, float], dict[str, Any]]
    """(request, folders of data, most seconds) -> the answer as JSON; raises `InvalidSpec`."""
    draw: Callable[[dict[str, Any]], Figure]
    """Returns the picture of an answer."""
    of_request: bool = True
    """The answer is a function of the request alone: that of a user's data set may change under its name."""


PREVIEWS: Mapping[str, Preview] = {
    "schedule": Preview(SchedulePreview, schedule_of, previews.draw_schedule),
    "initializer": Preview(InitializerPreview, initializer_of, previews.draw_initializer),
    "optimizer": Preview(OptimizerPreview, optimizer_of, previews.draw_optimizer),
    "layer": Preview(LayerPreview, layer_of, previews.draw_layer),
    "dataset": Preview(DatasetLook, dataset_of, previews.draw_dataset, of_request=False),
    "signal": Preview(SignalPreview, signal_of, previews.draw_signal, of_request=False),
}

__all__ = [
    "PREVIEWS",
    "DatasetLook",
    "InitializerPreview",
    "LayerPreview",
    "OptimizerPreview",
    "Preview",
    "SchedulePreview",
    "SignalPreview",
]
