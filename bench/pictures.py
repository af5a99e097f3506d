"""How soon a picture is there: drawn (cold), and asked for again (cached), over HTTP, beside plain matplotlib.

`python bench/pictures.py` trains 7 arms x 5 seeds for 1,000 updates through the embedded service, asks for every plot,
prints milliseconds and writes bench/records/pictures.json. The peer draws what `loss` with `first=all` shows, all
35 x 1,000 points, as matplotlib does by default, in this process and without HTTP or a database.
"""

import io
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import record
import served
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from initlab import Client
from initlab.experiment import Experiment

COLD, CACHED = 9, 40
TO_REACH = {"cold": 400.0, "cached": 10.0}
INITIALIZERS = ("torch_default", "glorot_uniform", "he_normal", "lecun_normal", "orthogonal", "zeros", "uniform")
SPEC = {
    "name": "pictures",
    "dataset": "digits",  # 1,438 to train on: 10 updates an epoch
    "model": {"name": "mlp", "hidden": [32]},
    "arms": [{"initializer": name} for name in INITIALIZERS],
    "batch_size": 144,
    "epochs": 100,
    "seeds": 5,
}


def milliseconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1e3


def plain_matplotlib(series: list[dict[str, Any]]) -> bytes:
    """A line a run, a legend, a PNG; without pyplot, which only adds to it."""
    figure = Figure(figsize=(10, 5.4), dpi=144)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for one in series:
        axes.plot(one["steps"], one["values"], label=f"{one['arm']}, seed {one['seed']}")
    axes.set_xlabel("update")
    axes.set_ylabel("loss")
    axes.legend(fontsize=6, ncols=2)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def row(name: str, times: list[float], kind: str) -> dict[str, Any]:
    """The median and the slowest, printed and kept."""
    middle, slowest = statistics.median(times), max(times)
    print(f"{name:34s} {kind:7s} p50 {middle:7.1f} ms   max {slowest:7.1f} ms   n {len(times)}", flush=True)
    found: dict[str, Any] = {"picture": name, "kind": kind, "p50_ms": round(middle, 1), "max_ms": round(slowest, 1)}
    return found | {"n": len(times), "to_reach_ms": TO_REACH.get(kind), "samples_ms": [round(t, 1) for t in times]}


def measure(experiment: Experiment, name: str, **options: Any) -> list[dict[str, Any]]:
    """Cold with as many resolutions about the default, of which none was asked for before; then one of them again."""
    label = name if not options else f"{name} ({', '.join(f'{key}={value}' for key, value in options.items())})"
    resolutions = range(144 - COLD // 2, 144 - COLD // 2 + COLD)
    cold = [milliseconds(partial(experiment.plot, name, dpi=dpi, **options)) for dpi in resolutions]
    again = [milliseconds(lambda: experiment.plot(name, dpi=144, **options)) for _ in range(CACHED)]
    return [row(label, cold, "cold"), row(label, again, "cached")]


def trained(client: Client) -> Experiment:
    experiment = client.submit(SPEC).wait()
    if experiment.status != "succeeded":
        raise SystemExit(f"the experiment {experiment.status}: {experiment.errors}")
    return experiment


def main() -> None:
    with served.running() as client:
        experiment = trained(client)
        series = experiment.metrics(metric="train_loss")
        points = sum(one["total"] for one in series)
        print(f"{len(series)} runs, {points:,} points of train_loss")
        plain_matplotlib(series)
        experiment.plot("loss", dpi=100)  # warm: imports, fonts
        names = [plot["name"] for plot in experiment.plots()]
        peer = [milliseconds(lambda: plain_matplotlib(series)) for _ in range(COLD)]
        rows = [row("plain matplotlib, 35 lines", peer, "peer"), *measure(experiment, "loss", first="all")]
        for name in names:
            rows += measure(experiment, name)
        peer = [milliseconds(lambda: plain_matplotlib(series)) for _ in range(COLD)]
        rows.append(row("plain matplotlib, again", peer, "peer"))
    record.write("pictures", runs=len(series), points=points, statistic="median and maximum", rows=rows)


if __name__ == "__main__":
    main()
