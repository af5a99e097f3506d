"""Pictures of catalogue entries, drawn as the service draws them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from api.previews import InitializerPreview, SchedulePreview, initializer_of, schedule_of
from api.responses import compact
from api.signal_propagation import SignalPreview, signal_of
from core.datasets import DatasetPaths
from core.energy import WORLD, Meter
from core.plots import (
    Plot,
    draw_initializer_preview,
    draw_schedule_preview,
    draw_signal_preview,
    picture,
    plot_data,
    plots,
)
from core.results import Results
from core.spec import parse
from core.training import train
from docs.manual.examples import BASE, EPOCH, EXAMPLES, EXPERIMENTS, RATE, STEPS

SECONDS = 60.0
"""The most that a preview may take, as estimated."""
METRICS = [1.0, 0.6, 0.45, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]
"""A loss that stops falling, for schedules that answer to one."""


def entry_of(kind: str, name: str) -> dict[str, Any]:
    """Return an entry as its page's pictures have it."""
    return {"name": name, **EXAMPLES.get((kind, name), {})}


def draw_entry(kind: str, name: str) -> bytes | None:
    """Return an entry's picture as a PNG; None for kinds that have none, and for plots, which `draw_plots` draws."""
    return DRAWN[kind](name) if kind in DRAWN else None


def draw_plots() -> Iterator[tuple[str, bytes]]:
    """Train a small experiment of every kind, and yield each plot by its name as a PNG, of the first that has it."""
    trained: list[Results] = []
    for name in plots:
        plot: Plot = plots.parse(name).build()
        for index, settings in enumerate(EXPERIMENTS):
            if index == len(trained):
                trained.append(_trained(settings))
            if plot.applies(trained[index].design):
                yield name, picture(plot.draw, json.loads(compact(plot_data(plot.data, trained[index]))), "png")
                break


def _trained(settings: Mapping[str, Any]) -> Results:
    """Return an experiment's results, each run with its part of the energy that all took."""
    meter = Meter.of(None)
    results = train(parse({**BASE, **settings}), DatasetPaths())
    taken = meter.take()
    kwh = taken.kwh / len(results.runs)
    cost: dict[str, Any] = {"energy_kwh": kwh, "co2e_g": kwh * WORLD, "energy_source": taken.source}
    return replace(results, runs=[replace(run, **cost) for run in results.runs])


def _schedule(name: str) -> bytes:
    asked: dict[str, Any] = {"schedule": entry_of("schedules", name), "lr": RATE}
    asked |= {"steps": STEPS, "steps_per_epoch": EPOCH}
    if name == "reduce_on_plateau":
        asked |= {"metrics": METRICS}
    return picture(draw_schedule_preview, schedule_of(SchedulePreview.model_validate(asked), SECONDS), "png")


def _initializer(name: str) -> bytes:
    shape = [64, 64, 3, 3] if name in ("dirac", "delta_orthogonal") else [256, 256]
    asked = {"initializer": entry_of("initializers", name), "shape": shape, "name": "fc1"}
    return picture(draw_initializer_preview, initializer_of(InitializerPreview.model_validate(asked), SECONDS), "png")


def _model(name: str) -> bytes:
    asked: dict[str, Any] = {"model": entry_of("models", name), "initializers": ["torch_default", "he_normal"]}
    asked |= {"inputs": [3, 16, 16], "outputs": 10, "batch": 32, "seeds": 2}
    return picture(draw_signal_preview, signal_of(SignalPreview.model_validate(asked), DatasetPaths(), SECONDS), "png")


DRAWN: Mapping[str, Callable[[str], bytes]] = {
    "initializers": _initializer,
    "schedules": _schedule,
    "models": _model,
}
"""What draws the entries of a kind, by the kind."""
