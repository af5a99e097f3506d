"""The slopes that a coordinate check finds: of each layer's size over the width, on logarithmic scales."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from core.analysis.findings import layers_by_arm
from core.analysis.report.verdict import MOST
from core.analysis.shapes import CoordinateEntry, CoordinateFit, CoordinateLayer, CoordinateMove
from core.analysis.statistics.intervals import Floats, moments, summarize
from core.datasets import DataError
from core.design import CoordinateCheck, DesignArm
from core.finite import finite_list, finite_or_none
from core.results import Results, RunResult

STILL = 0.25
"""The slope up to which a layer does not move with the width: half of 0.5, the least that theory has beside 0."""

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


def coordinate_entries(results: Results) -> list[CoordinateEntry] | None:
    """Return one entry for each arm that was asked for, in the design's order; None for any other experiment.

    The size of a layer is the root mean square of its activation (`core.training.probe`) over a batch and all units:
    Theta(1) in a network whose width does not matter. Of each seed the slope of log(size) over log(width) is fitted by
    least squares to all widths; the entry has, after each update, the mean over the `n` seeds whose sizes are all
    positive and finite, with the 95 % interval of `summarize`. In muP's limit it is 0, but of the outputs before the
    first update, which start with -0.5 (Yang et al. 2022, arXiv:2203.03466, appendix D.1). `move` is of the last
    update: "still" where the interval lies within +-`STILL`, "grows" or "shrinks" where it lies beyond, else "open". An
    attention's queries are taken before the factor that mup puts on them for its logits.
    """
    check = results.design.coordinate_check
    if check is None:
        return None
    names, sizes = layers_by_arm(results), _sizes(results, check.updates + 1)
    entries: list[CoordinateEntry] = []
    for label, group in itertools.groupby(results.design.arms, key=lambda arm: arm.group):
        arms = list(group)
        mine = {arm.label for arm in arms}
        runs = [run for run in results.runs if run.arm in mine]
        known = next((names[arm.label] for arm in arms if names.get(arm.label)), ())
        widths = [arm.width or 0 for arm in arms]
        layers: list[CoordinateLayer] = []
        for name, found in zip(known, _of_arms(arms, runs, results.design.seeds, known, sizes), strict=True):
            fits = [_fit(update, one, widths) for update, one in enumerate(found)]
            layers.append({"name": name, "move": _move(fits[-1]), "updates": fits})
        finished = sum(run.status == "succeeded" for run in runs)
        entries.append({"label": label, "n": finished, "runs": len(runs), "widths": widths, "layers": layers})
    return entries


def _sizes(results: Results, looks: int) -> Mapping[tuple[int, str], Floats]:
    """Return the sizes at every look, (looks,), by run and layer; NaN where a run has not come there."""
    means = {(one.run_id, _layer(one.metric)): one.values for one in results.series("activation_mean")}
    stds = {(one.run_id, _layer(one.metric)): one.values for one in results.series("activation_std")}
    found = {}
    for key in means.keys() & stds.keys():
        done = min(len(means[key]), len(stds[key]), looks)
        found[key] = np.full(looks, np.nan)
        found[key][:done] = np.hypot(means[key][:done], stds[key][:done])
    return found


def _layer(metric: str) -> str:
    return metric.partition("/")[2]


def _of_arms(
    arms: Sequence[DesignArm],
    runs: Sequence[RunResult],
    seeds: Sequence[int],
    names: Sequence[str],
    sizes: Mapping[tuple[int, str], Floats],
) -> Floats:
    """Return the sizes, (layers, looks, seeds, arms), NaN where there is none."""
    looks = max(map(len, sizes.values()), default=0)
    found = np.full((len(names), looks, len(seeds), len(arms)), np.nan)
    places = {arm.label: (a, _factors(arm)) for a, arm in enumerate(arms)}
    for run in runs:
        a, factors = places[run.arm]
        for i, name in enumerate(names):
            if (run.id, name) in sizes:
                found[i, :, seeds.index(run.seed), a] = sizes[run.id, name] / factors.get(name, 1.0)
    return found


def _factors(arm: DesignArm) -> Mapping[str, float]:
    """Return the factors of the layers' whole outputs; none where the data set that shapes them is gone."""
    if arm.training is None:
        return {}
    try:
        layers = arm.training.layers()
    except DataError:
        return {}
    scaling = arm.training.initializer.scaling
    return {name: scaling(layer, "adam").output for name, layer in layers.items()}


def _fit(update: int, sizes: Floats, widths: Sequence[int]) -> CoordinateFit:
    """Return what the sizes after an update, (seeds, widths), say."""
    whole = (np.isfinite(sizes) & (sizes > 0)).all(axis=1)
    x = np.log(np.array(widths, dtype=np.float64))
    x -= x.mean()
    slope = summarize(np.log(sizes[whole]) @ x / (x @ x))
    with np.errstate(all="ignore"):
        _, means, _ = moments(np.log(sizes).T)
    return {
        "update": update,
        "slope": finite_or_none(slope.mean),
        "ci_low": finite_or_none(slope.ci_low),
        "ci_high": finite_or_none(slope.ci_high),
        "n": slope.n,
        "sizes": finite_list(np.exp(means)),
    }


def _move(fit: CoordinateFit) -> CoordinateMove:
    low, high = fit["ci_low"], fit["ci_high"]
    if low is None or high is None:
        return "open"
    if low >= -STILL and high <= STILL:
        return "still"
    return "grows" if low > STILL else "shrinks" if high < -STILL else "open"


def coordinate_verdict(entries: Sequence[CoordinateEntry], check: CoordinateCheck, more_may_come: bool = True) -> str:
    """Return sentences on what each arm's layers do as the network gets wider."""
    if not any(entry["layers"] for entry in entries):
        if not more_may_come:
            return "Cannot tell: no layer was measured, and nothing more comes."
        return "Cannot tell yet: no layer has been measured."
    when = f"after {check.updates} update{'' if check.updates == 1 else 's'}"
    said = [f'"{entry["label"]}", {when}: {_moves(entry)}' for entry in entries[:MOST]]
    if len(entries) > MOST:
        said.append(f"{len(entries) - MOST} more arms are in the table.")
    return " ".join(said)


def _moves(entry: CoordinateEntry) -> str:
    """Return what the layers do: "growing: fc2 as width^0.52 (0.43 to 0.61); the width does not move fc1"."""
    layers = entry["layers"]
    if not layers:
        return "no layer has been measured."
    if all(layer["move"] == "still" for layer in layers):
        steepest = max(layers, key=lambda layer: abs(layer["updates"][-1]["slope"] or 0.0))
        return f"the width moves no layer (steepest: {steepest['name']} {_slope(steepest)})."
    parts = []
    for move, before in (("grows", "growing: "), ("shrinks", "shrinking: "), ("open", "open: ")):
        those = [f"{layer['name']} {_slope(layer)}" for layer in layers if layer["move"] == move]
        parts += [before + _some(those)] if those else []
    still = [layer["name"] for layer in layers if layer["move"] == "still"]
    return "; ".join([*parts, *([f"the width does not move {_some(still)}"] if still else [])]) + "."


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:MOST]) + (f" and {len(words) - MOST} more" if len(words) > MOST else "")


def _slope(layer: CoordinateLayer) -> str:
    """Return the last slope in words: "as width^0.93 (0.88 to 0.97)"."""
    fit = layer["updates"][-1]
    if fit["slope"] is None:
        return "(not measured)"
    sure = "no interval" if fit["ci_low"] is None else f"{fit['ci_low']:z.2f} to {fit['ci_high']:z.2f}"
    return f"as width^{fit['slope']:z.2f} ({sure})"


def coordinate_warnings(entries: Sequence[CoordinateEntry]) -> Iterator[str]:
    """Return one sentence for each thing that the check could not see."""
    for entry in entries:
        missing = entry["runs"] - entry["n"]
        if missing:
            yield f'"{entry["label"]}": {missing} of {entry["runs"]} runs have not finished.'
    counts = {fit["n"] for entry in entries for layer in entry["layers"] for fit in layer["updates"]}
    if counts and max(counts) == 1:
        yield "N = 1 seed: a slope has no interval, so that nothing is concluded from it."


def coordinate_sections(
    entries: Sequence[CoordinateEntry], check: CoordinateCheck, escape: Callable[[str], str], table: Table
) -> list[str]:
    """Return the part of a check's Markdown page between what was tested and what to beware of."""
    head = ["arm", "layer", *(f"update {update}" for update in range(check.updates + 1)), "95 % interval", "N", "so"]
    rows = [
        [
            escape(entry["label"]),
            escape(layer["name"]),
            *("-" if fit["slope"] is None else f"{fit['slope']:z.2f}" for fit in layer["updates"]),
            "-" if last["ci_low"] is None else f"{last['ci_low']:z.2f} to {last['ci_high']:z.2f}",
            str(last["n"]),
            layer["move"],
        ]
        for entry in entries
        for layer in entry["layers"]
        for last in layer["updates"][-1:]
    ]
    widths = ", ".join(map(str, check.widths))
    how = (
        f"Slopes of log(size) over log(width), widths {widths}: of each seed by least squares, then the mean over "
        "seeds with its 95 % interval, of the last update. The size is the root mean square of a layer's activation "
        "over a training batch, measured before the first update and after each. In the maximal-update parametrization "
        "every slope is to be 0, but that outputs begin with -0.5; in the standard one under Adam the layers behind "
        "the first grow, as width^1 or steeper where the updates outweigh the start (Yang et al. 2022, "
        f"arXiv:2203.03466, appendix D.1). Still: within ±{STILL}; grows or shrinks: beyond; open: the interval does "
        "not say."
    )
    return ["## Slopes", table(head, rows), "## How this was computed", how]
