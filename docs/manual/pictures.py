"""Pictures of catalogue entries, drawn as the service draws them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from api.catalog_examples import example_of, preview_of
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
from docs.manual.examples import BASE, EXPERIMENTS

SECONDS = 60.0
"""The most that a preview may take, as estimated."""


def entry_of(kind: str, name: str) -> dict[str, Any]:
    """Return an entry as its page's pictures have it."""
    return {"name": name, **example_of(kind, name)}


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
    asked = _asked("schedules", name)
    return picture(draw_schedule_preview, schedule_of(SchedulePreview.model_validate(asked), SECONDS), "png")


def _initializer(name: str) -> bytes:
    asked = _asked("initializers", name)
    return picture(draw_initializer_preview, initializer_of(InitializerPreview.model_validate(asked), SECONDS), "png")


def _model(name: str) -> bytes:
    asked = SignalPreview.model_validate(_asked("models", name))
    return picture(draw_signal_preview, signal_of(asked, DatasetPaths(), SECONDS), "png")


def _asked(kind: str, name: str) -> dict[str, Any]:
    return {kind.removesuffix("s"): entry_of(kind, name), **(preview_of(kind, name) or {})}


DRAWN: Mapping[str, Callable[[str], bytes]] = {
    "initializers": _initializer,
    "schedules": _schedule,
    "models": _model,
}
"""What draws the entries of a kind, by the kind."""
