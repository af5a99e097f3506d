"""Pictures of catalogue entries, drawn as the service draws them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.catalog_examples import PREVIEWED, asked_of, example_of
from api.previews import PREVIEWS
from api.responses import compact
from core.datasets import DataError, DatasetPaths, datasets
from core.energy import WORLD, Meter
from core.plots import Plot, picture, plot_data, plots
from core.results import Results
from core.spec import parse
from core.training import train
from docs.manual.examples import BASE, EXPERIMENTS

SECONDS = 60.0
"""The most that a preview may take, as estimated."""
NOWHERE = DatasetPaths(Path("nowhere"), Path("nowhere"))
"""No files: the manual is the same wherever it is built."""


def entry_of(kind: str, name: str) -> dict[str, Any]:
    """Return an entry as its page's pictures have it."""
    return {"name": name, **example_of(kind, name)}


def drawn(kind: str, name: str) -> bool:
    """Return whether an entry has a picture here: all have, but data sets whose files are not initlab's to give."""
    if kind != "datasets":
        return kind in PREVIEWED
    try:
        datasets.parse(entry_of(kind, name)).build().info(NOWHERE)
    except DataError:
        return False
    return True


def draw_entry(kind: str, name: str) -> bytes | None:
    """Return an entry's picture as a PNG; None where it has none, and for plots, which `draw_plots` draws."""
    if not drawn(kind, name):
        return None
    preview = PREVIEWS[PREVIEWED[kind]]
    asked = preview.body.model_validate(asked_of(kind, name))
    return picture(preview.draw, preview.answer(asked, NOWHERE, SECONDS), "png")


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
