"""Adaptive seeds: how often equal arms are told apart, how many seeds a difference takes, and what that saves.

`python bench/adaptive.py` draws experiments of two arms by law, takes looks as the service does, and sets beside it the
same looks without a correction and a fixed number of seeds. Then it trains arms on digits and breast cancer once, a
thousand seeds each, and takes thousands of experiments of each kind out of them: of one arm against itself, which is of
no difference, and of two arms. With `--data folder` it does so on the bank's customers of `churn.csv` there too. It
writes bench/records/adaptive.json, and measures no speed.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import record
from accepted import ERROR
from numpy.typing import NDArray
from scipy import stats

from core.analysis import Look, decided_by, final_values, look_levels, take_look
from core.datasets import DatasetPaths, Options, Uploads
from core.design import Design
from core.results import Results, RunResult
from core.spec import parse
from core.training import train
from core.training.designs import design_of

Floats = NDArray[np.float64]

LOOKS: dict[str, tuple[int, ...]] = {
    "5, 10, 15, 20": (5, 10, 15, 20),
    "3, 6, 12": (3, 6, 12),
    "5, 8, 30": (5, 8, 30),
    "10, 20, 30, 40, 50": (10, 20, 30, 40, 50),
}
EXPERIMENTS, WHOLE = 10_000, 1_000
"""By the levels alone, and through the service's own look."""
EFFECTS = (0.0, 0.5, 1.0, 2.0)
POOL, NULLS = 1_000, 4_000
RNG = np.random.default_rng(20_261_129)

LAWS: dict[str, Callable[[tuple[int, ...]], Floats]] = {
    "normal": lambda shape: RNG.normal(0, 1, shape),
    "lognormal, sigma 1": lambda shape: RNG.lognormal(0, 1, shape),
    "accuracy on 360 examples, 0.97": lambda shape: RNG.binomial(360, 0.97, shape) / 360,
    "one run in ten stuck: 0.6 instead of 0.95": lambda shape: np.where(
        RNG.random(shape) < 0.1, RNG.normal(0.6, 0.05, shape), RNG.normal(0.95, 0.01, shape)
    ),
}
TREATMENTS: dict[str, dict[str, Any]] = {
    "digits": {"dataset": "digits", "batch_size": 100},
    "breast_cancer": {"dataset": "breast_cancer", "batch_size": 32},
}
CHURN = Options(target=["Exited"], drop=["RowNumber", "CustomerId", "Surname"])
ARMS = [{"label": "he", "initializer": "he_normal"}, {"label": "glorot", "initializer": "glorot_normal"}]


def ends(d: Floats, looks: tuple[int, ...], levels: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return for every experiment's differences (experiments, seeds) the seeds at which it ends, and the sign found."""
    seeds, sign = np.full(len(d), float(looks[-1])), np.zeros(len(d))
    for n, level in zip(looks, levels, strict=True):
        with np.errstate(all="ignore"):
            t = d[:, :n].mean(axis=1) / (d[:, :n].std(axis=1, ddof=1) / np.sqrt(n))
        now = (sign == 0) & (np.abs(t) > -stats.t.ppf(level / 2, n - 1))
        seeds[now], sign[now] = n, np.sign(t[now])
    return seeds, sign


def by_levels() -> list[dict[str, Any]]:
    rows = []
    for law, draw in LAWS.items():
        for name, looks in LOOKS.items():
            most = looks[-1]
            for effect in EFFECTS if law == "normal" else (0.0,):
                d = draw((EXPERIMENTS, most)) - draw((EXPERIMENTS, most))
                d = d / d.std() + effect
                row: dict[str, Any] = {"law": law, "looks": name, "effect": effect}
                for way, at, levels in (
                    ("adaptive", looks, look_levels(looks, 0.05)),
                    ("uncorrected", looks, (0.05,) * len(looks)),
                    ("fixed", (most,), (0.05,)),
                ):
                    seeds, sign = ends(d, at, levels)
                    found = (sign > 0).mean() if effect else (sign != 0).mean()
                    row |= {
                        f"{way}_seeds": round(float(seeds.mean()), 1),
                        f"{way}_decided": round(100 * float(found), 1),
                    }
                rows.append(row)
                print(row, flush=True)
    return rows


def whole_looks(design: Design, values: Floats) -> list[Look]:
    """Take looks at what would have been trained, `values` (arms, seeds), as the service and the library do."""
    runs = [
        RunResult(0, label, seed, "succeeded", "completed", {design.primary.name: float(value)})
        for label, row in zip(design.labels, values, strict=True)
        for seed, value in enumerate(row)
    ]
    results = Results(design=design, runs=runs, series=lambda _metric: ())
    while not results.looks or results.looks[-1]["arms"]:
        results = replace(results, looks=[*results.looks, take_look(results)])
    return list(results.looks)


def through_the_look(arms: int, draw: Callable[[int], Floats], experiments: int = WHOLE) -> dict[str, Any]:
    """Return the share of experiments with a decision, the mean seeds of an arm, and the share of runs not needed."""
    spec = parse({"arms": [{"label": str(i)} for i in range(arms)], "seeds": {"from": 5, "to": 20}})
    design = design_of(spec, task="multiclass", paths=DatasetPaths())
    decided, wrong, runs = 0, 0, 0.0
    for _ in range(experiments):
        looks = whole_looks(design, draw(arms))
        made = {one["decision"] for one in decided_by(looks).values()} - {"open"}
        decided += bool(made)
        wrong += "worse" in made
        trained = [design.looks[0] * arms] + [
            (later - n) * len(look["arms"])
            for look, n, later in zip(looks, design.looks, design.looks[1:], strict=False)
        ]
        runs += sum(trained) / arms
    seeds = runs / experiments
    return {
        "arms": arms,
        "experiments": experiments,
        "decided": round(100 * decided / experiments, 1),
        "first_worse": round(100 * wrong / experiments, 1),
        "seeds": round(seeds, 1),
        "runs_saved": round(100 * (1 - seeds / design.looks[-1]), 1),
    }


def correlated(arms: int) -> Floats:
    """Equal arms whose runs of one seed correlate by a half."""
    return RNG.normal(0, 1, (1, 20)) + RNG.normal(0, 1, (arms, 20))


def pools(spec: dict[str, Any], paths: DatasetPaths) -> Floats:
    """Train both arms with a thousand seeds and return their accuracies (arms, seeds)."""
    cheap = {"arms": ARMS, "seeds": POOL, "epochs": 1, "model": {"name": "mlp", "hidden": [16]}}
    results = train(parse(spec | cheap), paths)
    return final_values(results, results.design.primary.name)


def real(treatments: dict[str, dict[str, Any]], paths: DatasetPaths) -> list[dict[str, Any]]:
    rows = []
    for name, spec in treatments.items():
        pool = pools(spec, paths)
        d = pool[0] - pool[1]
        effect = round(float(d.mean() / d.std(ddof=1)), 2)

        def alike(arms: int, pool: Floats = pool) -> Floats:
            return np.stack([pool[0, RNG.choice(POOL, 20, replace=False)] for _ in range(arms)])

        def apart(_arms: int, pool: Floats = pool) -> Floats:
            return pool[:, RNG.choice(POOL, 20, replace=False)]

        rows.append({"data": name, "case": "one arm against itself", "effect": 0.0} | through_the_look(2, alike, NULLS))
        rows.append({"data": name, "case": "three times one arm", "effect": 0.0} | through_the_look(3, alike, NULLS))
        rows.append({"data": name, "case": "two arms", "effect": effect} | through_the_look(2, apart))
        print(*rows[-3:], sep="\n", flush=True)
    return rows


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    arguments.add_argument("--data", type=Path, help="folder with churn.csv")
    given = arguments.parse_args()
    levels = by_levels()
    null = {"law": "normal", "effect": 0.0}
    whole = [null | through_the_look(2, correlated, NULLS), null | through_the_look(4, correlated, NULLS)]
    print(*whole, sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        paths, treatments = DatasetPaths(uploads=Path(folder)), dict(TREATMENTS)
        if given.data:
            with (given.data / "churn.csv").open("rb") as file:
                Uploads(Path(folder)).add(file, "churn.csv", "churn", CHURN)
            treatments["churn"] = {"dataset": {"name": "uploaded", "id": "churn"}, "batch_size": 128}
        of_data = real(treatments, paths)
    for row in (row for row in (*whole, *of_data) if not row["effect"]):
        row |= {"accepted": list(ERROR), "held": ERROR[0] <= row["decided"] <= ERROR[1]}
    record.write(
        "adaptive",
        experiments=EXPERIMENTS,
        whole=WHOLE,
        nominal=5,
        by_levels=levels,
        through_the_look=whole,
        real=of_data,
    )


if __name__ == "__main__":
    main()
