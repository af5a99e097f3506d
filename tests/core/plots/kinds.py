"""Experiments of every kind that a picture has to cope with."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from core.analysis import Look, take_look
from core.classification import ClassSummary
from core.design import Varied
from core.metrics import Evaluation
from core.results import Results, Series
from core.training.lanes.class_summaries import KeptSummaries
from tests.core.plots import externals
from tests.core.plots.conftest import MakeResults

LAWS = ["he_normal", "zeros", "ones", "torch_default"] * 7
GRID: dict[str, Any] = {
    "initializer": ["he_normal", "zeros", {"name": "uniform", "low": -0.5, "high": 0.5}],
    "batch_size": [32, 128],
}


TWO_ARMS = [{"label": label, "initializer": "he_normal"} for label in "ab"]
THREE_LAYERS = {"name": "mlp", "hidden": [4, 4]}


def small(make: MakeResults) -> MakeResults:
    """With a model whose weights are soon drawn."""
    return partial(make, model={"name": "mlp", "hidden": [8]})


def losses(steps: int) -> Callable[[int, int], Any]:
    return lambda a, s: (2.3 + s / 10) * np.exp(-(a + 1) * np.arange(steps) / steps)


def accuracies(epochs: int) -> Callable[[int, int], Any]:
    return lambda a, s: 1 - 0.9 * np.exp(-(a + 1 + s / 10) * np.arange(1, epochs + 1) / epochs)


def series(steps: int, epochs: int, **other: Any) -> dict[str, Any]:
    whole = {"train_loss": losses(steps), "lr": lambda *_: np.full(steps, 0.1)}
    each = {"valid_loss": losses(epochs), "train_accuracy": accuracies(epochs), "valid_accuracy": accuracies(epochs)}
    return whole | each | other


def arms(*labels: str) -> list[dict[str, Any]]:
    laws = itertools.cycle(["he_normal", "zeros", "ones", "torch_default"])
    return [{"label": label, "initializer": law} for label, law in zip(labels, laws, strict=False)]


def with_examples(make: MakeResults) -> Results:
    """Of 30 validation examples it is stored which each run got right."""
    results = small(make)(arms("a", "b"), series(10, 2), seeds=3)
    random = np.random.default_rng(0)
    bits = {run.id: random.random(30) < (0.9 if run.arm == "a" else 0.6) for run in results.runs}
    return replace(results, correct=lambda: bits)


def classified(seed: int, *, sure: bool = True, classes: int = 3, n: int = 120) -> ClassSummary:
    """What a classifier makes of examples of so many classes: it is nearly always right, or guesses."""
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    outputs = torch.randn(1, n, classes, generator=random)
    outputs[0, torch.arange(n), y] += 3.0 if sure else 0.0
    kept = KeptSummaries()
    kept(Evaluation(task="multiclass", lanes=1, y=y, outputs=classes)).add(outputs, y[None])
    (found,) = kept.summaries()
    assert found is not None
    return found


def with_classes(make: MakeResults) -> Results:
    """Of two arms it is stored what they make of ten classes; the third has no run that was judged."""
    results = small(make)(arms("sure", "guesses", "diverged"), series(10, 2), seeds=3)
    of_run = {run.id: classified(run.seed, sure=run.arm == "sure", classes=10) for run in results.runs}
    found = {run.id: of_run[run.id] for run in results.runs if run.arm != "diverged"}
    return replace(results, classified=lambda: found)


def sources_apart(make: MakeResults) -> Results:
    """Every run was trained again with other initial weights, and with another split."""
    first = small(make)(arms("a", "b"), series(10, 2), seeds=4, vary=["init", "split"])

    def again(i: int) -> Any:
        moved = [replace(run, final={"valid_accuracy": 0.5 + 0.1 * i + run.id % (3 + i) / 20}) for run in first.runs]
        return moved, first.series

    found: dict[Varied, Any] = {"init": again(0), "split": again(1)}
    return first.with_second(found)


def given_up(make: MakeResults) -> Results:
    """Of four epochs a run of "a" had two, and all of "b" one; and what each took is known."""
    lengths = {(0, 0): 2, (1, 0): 1, (1, 1): 1, (1, 2): 1}

    def short(values: Any, per_epoch: int) -> Callable[[int, int], Any]:
        return lambda a, s: values(a, s)[: per_epoch * lengths.get((a, s), 4)]

    measured = {
        metric: short(values, 5 if metric in ("train_loss", "lr") else 1) for metric, values in series(20, 4).items()
    }
    ends: Any = {key: "pruned" if key[0] else "stopped_early" for key in lengths}
    results = small(make)(arms("a", "b", "c"), measured, outcomes=ends, epochs=4, seeds=3, pruning={})
    numbers = {"n": 3, "difference": 0.1, "ci_low": 0.05, "ci_high": 0.15, "p": 1e-4, "p_adjusted": 1e-3}
    about = {"epoch": 1, "metric": "valid_accuracy", "looks": 2, "level": 0.05, "arms": 3}
    cost: dict[str, Any] = {"seconds": 2.5, "steps_done": 10, "co2e_g": 1e-3, "energy_source": "measured"}
    return replace(
        results,
        runs=[replace(run, energy_kwh=1e-6 * (1 + run.id), **cost) for run in results.runs],
        rungs=[about | {"pruned": [{"arm": "b", "best": "c", **numbers}]}],
    )


def diagnosed(
    make: MakeResults, values: Callable[[int, int, int], Any], looks: int = 3, labels: Sequence[str] = "ab", **more: Any
) -> Results:
    """`values(arm, seed, layer)` are a layer's standard deviations at updates 0, 5, ...; gradients ten times that."""
    given = [{"label": label, "initializer": "he_normal"} for label in labels]
    made = make(given, {"train_loss": lambda *_: [1.0]}, seeds=3, model=THREE_LAYERS, diagnostics={"every": 5}, **more)

    def series(metric: str) -> list[Series]:
        scale = {"activation_std": 1, "gradient_norm": 10, "weight_norm": 1}.get(metric)
        if scale is None:
            return list(made.series(metric))
        return [
            Series(run.id, run.arm, run.seed, f"{metric}/fc{layer + 1}", 5 * np.arange(looks), scale * given)
            for run in made.runs
            for layer in range(3)
            if (given := np.asarray(values(labels.index(run.arm), run.seed, layer), dtype=np.float64)) is not None
        ]

    return replace(made, series=series)


def widened(make: MakeResults, labels: Sequence[str], hidden: int = 2, widths: Sequence[int] = (8, 16, 32)) -> Results:
    """A coordinate check: layer i of arm a has sizes of width^(a / 2 + i / 10), once, twice, three times of it."""
    made = make(
        arms(*labels),
        {"train_loss": lambda *_: np.ones(3)},
        model={"name": "mlp", "hidden": [4] * hidden},
        kind="coordinate_check",
        coordinate_check={"widths": list(widths), "updates": 2},
        epochs=10,
    )
    about = {arm.label: (arm.width or 0, labels.index(arm.group)) for arm in made.design.arms}

    def series(metric: str) -> list[Series]:
        scale = {"activation_mean": 0, "activation_std": 1, "weight_norm": 1}.get(metric)
        if scale is None:
            return list(made.series(metric))
        found = []
        for run, i in itertools.product(made.runs, range(hidden + 1)):
            width, arm = about[run.arm]
            size = scale * (1 + run.seed / 10) * width ** (arm / 2 + i / 10)
            name = f"{metric}/fc{i + 1}"
            found.append(Series(run.id, run.arm, run.seed, name, np.arange(3), size * np.array([1.0, 2.0, 3.0])))
        return found

    return replace(made, series=series)


def looked_at(make: MakeResults, levels: Sequence[float] = (0.9, 0.3, 0.901)) -> Results:
    """Seeds that were added twice: one pair was decided at the first look, and one is open at the third."""
    seeds = {"from": 4, "to": 12, "looks": [4, 8, 12]}
    level = lambda a, s: [0.5, levels[a] + 0.001 * np.cos(5 * s + a)]  # noqa: E731
    results = small(make)(arms(*"abcdefgh"[: len(levels)]), series(10, 2, valid_accuracy=level), seeds=seeds)
    looks: list[Look] = []
    while not looks or looks[-1]["arms"]:
        looks.append(take_look(replace(results, looks=looks)))
    return replace(results, looks=looks)


KINDS: dict[str, Callable[[MakeResults], Results]] = {
    "stored examples": with_examples,
    "classes judged": with_classes,
    "two arms": lambda make: small(make)(arms("a", "b"), series(10, 2), seeds=5),
    "seeds added": looked_at,
    "seeds added to many arms": lambda make: looked_at(make, [0.9, 0.3, 0.901, 0.9, 0.9004, 0.899]),
    "sources of randomness apart": sources_apart,
    "one source of randomness": lambda make: small(make)(arms("a", "b"), series(10, 2), seeds=4, vary=["init"]),
    "one arm, one seed, one update": lambda make: small(make)(arms("a"), series(1, 1), seeds=1, epochs=1),
    "more arms than are drawn, with long labels": lambda make: small(make)(
        arms(*(f"initializer={law} with optimizer.lr={i / 1000:g} and batch_size={i}" for i, law in enumerate(LAWS))),
        series(50, 5),
        epochs=5,
        seeds=3,
    ),
    "long run": lambda make: small(make)(arms("a", "b"), series(20_000, 250), epochs=250, seeds=3),
    "labels of any kind": lambda make: small(make)(
        arms("x" * 120, "word " * 24, "$a_1^$ \\frac", "<b>&amp;|", "初期化 🎉", "שלום", "-->"),
        series(10, 2),
        name="x" * 120,
    ),
    "one run diverged": lambda make: small(make)(
        arms("a", "b"),
        series(10, 2, train_loss=lambda a, s: [1.0, 1e38, np.nan] if (a, s) == (0, 0) else np.ones(10)),
        outcomes={(0, 0): "diverged"},
    ),
    "all runs diverged at once": lambda make: small(make)(
        arms("a", "b"),
        {"train_loss": lambda *_: [np.nan], "lr": lambda *_: [0.1]},
        outcomes=dict.fromkeys(itertools.product((0, 1), (0, 1)), "diverged"),
    ),
    "nothing measured": lambda make: small(make)(
        arms("a", "b"), {}, statuses=dict.fromkeys(itertools.product((0, 1), (0, 1)), "queued")
    ),
    "everything constant": lambda make: small(make)(
        arms("a", "b"), series(5, 2) | dict.fromkeys(series(5, 2), lambda *_: [0.0, 0.0]), seeds=5
    ),
    "one run stopped early and an arm was pruned": lambda make: given_up(make),
    "huge losses": lambda make: small(make)(arms("a", "b"), series(5, 2, train_loss=lambda *_: [1e300, 1e-300, 0.0])),
    "range test": lambda make: small(make)(
        arms("a", "b", "c"),
        series(60, 4, train_loss=lambda a, s: 2.3 / (1 + np.exp(np.arange(60 - 9 * a) / 5 - 5 - s)) + 0.1),
        outcomes={(2, 0): "diverged", (2, 1): "diverged"},
        kind="lr_range_test",
        lr_range={"steps": 60},
        epochs=10,
    ),
    "batch-size scan": lambda make: small(make)(
        arms("a", "b"),
        series(10, 2, gradient_squared=lambda *_: [0.2, 0.1], gradient_variance=lambda a, s: [9.0 + a, 8.0 + s]),
        kind="batch_size_scan",
        batch_size_scan={"sizes": [16, 32, 64], "rule": "sqrt"},
        target={"metric": "valid_accuracy", "value": 0.5},
    ),
    "coordinate check": lambda make: widened(make, ["a", "b"]),
    "coordinate check of many arms and layers": lambda make: widened(
        make, ["x" * 60, *"bcdef"], hidden=9, widths=[1, 2, 3, 4, 6, 8]
    ),
    "layers measured": lambda make: diagnosed(
        make, lambda a, s, layer: (a + 1 + s) * 2.0**-layer * np.array([1, 5, 3])
    ),
    "layers of many arms measured": lambda make: diagnosed(
        make, lambda a, s, layer: (a + 1 + s) * 2.0**-layer * np.array([1, 5, 3]), labels=[f"arm {i}" for i in range(9)]
    ),
    "trained elsewhere": lambda _make: externals.by_epoch(),
    "trained elsewhere, with long names": lambda _make: externals.long_names(),
    "trained elsewhere, by update": lambda _make: externals.losses(outcome="episode_reward"),
    "further metrics": lambda make: small(make)(
        arms("a", "b"), series(10, 2, valid_macro_f1=accuracies(2), valid_top5_accuracy=accuracies(2)), seeds=3
    ),
    "regression": lambda make: small(make)(
        arms("a", "b"),
        {
            "train_loss": losses(10),
            "valid_loss": losses(2),
            "train_r2": accuracies(2),
            "valid_r2": lambda a, s: [-1e5, 0.4 + a / 10 + s / 100],
        },
        seeds=3,
        task="regression",
    ),
    "not finite in the middle": lambda make: small(make)(
        arms("a", "b"), series(5, 2, valid_loss=lambda *_: [np.inf, 1.0], train_loss=lambda *_: [1, np.nan, 2])
    ),
}

GRIDS: dict[str, Callable[[MakeResults], Results]] = {
    "a grid of two": lambda make: small(make)(None, series(10, 2), seeds=3, grid=GRID),
    "a grid of three": lambda make: small(make)(
        None,
        series(10, 2),
        seeds=2,
        grid={**GRID, "optimizer.lr": [0.1, 0.01]},
        outcomes={(0, 0): "diverged", (0, 1): "diverged"},
    ),
    "a grid over ten data sets": lambda make: small(make)(
        None,
        series(10, 2, valid_accuracy=lambda a, s: [0.1, 0.5 + a / 200 + (7 * a + 3 * s) % 11 / 100]),
        seeds=3,
        grid={
            "dataset": [{"name": "two_spirals", "noise": round(0.01 * (1 + i), 2)} for i in range(10)],
            "initializer": ["he_normal", "zeros", "glorot_uniform", "ones"],
        },
    ),
    "a grid of one": lambda make: small(make)(None, series(10, 2), grid={"schedule": ["constant", "cosine"]}),
}
