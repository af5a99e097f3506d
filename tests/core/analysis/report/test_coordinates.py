"""The slopes of a coordinate check: of sizes that follow a law, and of trainings against theory."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.analysis import build_report, coordinate_entries, markdown
from core.analysis.shapes import CoordinateEntry
from core.datasets import DatasetPaths
from core.results import Results
from core.spec import parse
from core.training import train
from tests.core.analysis.reading import not_none

WIDTHS = [32, 64, 128, 256]


def check(**more: Any) -> dict[str, Any]:
    """A check of He's rule and muP by a network of one hidden layer, whose rate lets updates outweigh the start."""
    return {
        "name": "wider",
        "kind": "coordinate_check",
        "coordinate_check": {"widths": WIDTHS, "updates": 3},
        "model": {"name": "mlp", "hidden": [32], "activation": "tanh"},
        "optimizer": {"name": "adam", "lr": 0.1},
        "seeds": 4,
        "arms": [
            {"label": "He", "initializer": "he_normal"},
            {"label": "muP", "initializer": {"name": "mup", "base_width": 32}},
        ],
    } | more


@pytest.fixture(scope="module")
def trained() -> Results:
    return train(parse(check()), DatasetPaths())


def slopes(entry: CoordinateEntry, layer: str) -> list[float]:
    (found,) = [one for one in entry["layers"] if one["name"] == layer]
    return [not_none(fit["slope"]) for fit in found["updates"]]


def test_sizes_grow_as_theory_says(trained: Results) -> None:
    """Yang et al. 2022, table 3: Adam moves every weight by about its rate, so that the sum over n hidden units
    that moved alike is n times as large, of which muP's readout lets 1 / n through. Before the first update n weights
    of variance 1 / n make width^0, and those of muP, of variance 1 with the factor 1 / n, width^-0.5.
    """
    he, mup = not_none(coordinate_entries(trained))
    assert [he["label"], mup["label"]] == ["He", "muP"]
    before, *_, last = slopes(he, "fc2")
    assert (before, last) == pytest.approx((0.0, 1.0), abs=0.15)
    before, *after = slopes(mup, "fc2")
    assert (before, *after) == pytest.approx((-0.5, 0.0, 0.0, 0.0), abs=0.15)
    for entry in (he, mup):  # next to the data sums are of as many numbers at every width
        assert slopes(entry, "fc1") == pytest.approx([0.0] * 4, abs=0.15)
    report = build_report(trained)
    text = report["verdict"]["text"] or ""
    assert '"He", after 3 updates: growing: fc2 as width^' in text
    assert '"muP", after 3 updates: the width moves no layer (steepest: ' in text
    assert report["findings"] == report["comparisons"] == report["verdict"]["groups"] == []
    assert report["metric"] == "coordinate_slope"
    assert {arm["n"] for arm in report["arms"]} == {4}
    page = markdown(report, trained)
    assert "| He | fc2 |" in page
    assert "appendix D.1" in page


def test_a_size_is_the_root_mean_square_of_the_activation(trained: Results) -> None:
    entry = not_none(coordinate_entries(trained))[1]
    sizes = entry["layers"][1]["updates"][2]["sizes"]
    mean, std = (
        {(one.arm, one.seed): one.values[2] for one in trained.series(metric) if one.metric.endswith("/fc2")}
        for metric in ("activation_mean", "activation_std")
    )
    for width, size in zip(WIDTHS, sizes, strict=True):
        by_seed = [np.sqrt(mean[f"muP, width={width}", s] ** 2 + std[f"muP, width={width}", s] ** 2) for s in range(4)]
        assert size == pytest.approx(np.exp(np.log(by_seed).mean()))


def test_queries_are_taken_before_the_factor_of_the_logits() -> None:
    """Before any update they are n sums of n weights of variance 1 / n: of one size at every width."""
    raw = check(
        model={"name": "transformer", "heads": 2, "layers": 1, "patch": 4, "dropout": 0.0},
        coordinate_check={"widths": [16, 64], "updates": 1},
        optimizer={"name": "adam", "lr": 0.001},
        seeds=2,
    )
    results = train(parse(raw), DatasetPaths())
    _, mup = not_none(coordinate_entries(results))
    assert slopes(mup, "encoder.0.query")[0] == pytest.approx(0.0, abs=0.1)
    assert slopes(mup, "encoder.0.key")[0] == pytest.approx(0.0, abs=0.1)


def of_law(trained: Results, law: Any, **changes: Any) -> CoordinateEntry:
    """The first arm's entry where the size of fc2 is `law(width, seed)` after every update."""

    def series(metric: str) -> list[Any]:
        scale = {"activation_mean": 0.6, "activation_std": 0.8}.get(metric)
        found = list(trained.series(metric))
        if scale is None:
            return found
        width = {arm.label: arm.width for arm in trained.design.arms}
        return [
            one._replace(values=np.full(4, scale * law(width[one.arm], one.seed)))
            if one.metric.endswith("fc2")
            else one
            for one in found
        ]

    made = Results(design=trained.design, runs=changes.get("runs", trained.runs), series=series)
    return not_none(coordinate_entries(made))[0]


@pytest.mark.parametrize(
    ("power", "spread", "move"),
    [(0.0, 0.1, "still"), (0.8, 0.1, "grows"), (-0.5, 0.1, "shrinks"), (0.2, 0.1, "open"), (0.0, 0.6, "open")],
)
def test_a_power_law_is_found_with_its_interval(trained: Results, power: float, spread: float, move: str) -> None:
    """Of four seeds whose exponents differ: their mean, and Student's interval, 3.18 sd / sqrt(4) of it."""
    exponents = power + spread * np.array([-1.0, -0.5, 0.5, 1.0])
    layer = of_law(trained, lambda width, seed: 3.0 * width ** exponents[seed])["layers"][1]
    last = layer["updates"][-1]
    half = 3.182446 * exponents.std(ddof=1) / 2
    assert [last["slope"], last["ci_low"], last["ci_high"]] == pytest.approx([power, power - half, power + half])
    assert (last["n"], layer["move"]) == (4, move)


def test_a_seed_without_a_size_at_some_width_does_not_count(trained: Results) -> None:
    entry = of_law(trained, lambda width, seed: np.nan if (width, seed) == (64, 1) else 0.0 if seed == 2 else width)
    last = entry["layers"][1]["updates"][-1]
    assert (last["n"], last["slope"]) == (2, pytest.approx(1.0))
    assert last["sizes"] == pytest.approx(WIDTHS)


def test_what_has_not_come_to_the_last_update_is_open(trained: Results) -> None:
    cut = Results(
        design=trained.design,
        runs=trained.runs,
        series=lambda metric: [
            one._replace(steps=one.steps[:2], values=one.values[:2]) for one in trained.series(metric)
        ],
    )
    for entry in not_none(coordinate_entries(cut)):
        for layer in entry["layers"]:
            assert [fit["n"] for fit in layer["updates"]] == [4, 4, 0, 0]
            assert (layer["move"], layer["updates"][-1]["slope"]) == ("open", None)
    assert "fc2 as width^(no slope)" not in (build_report(cut)["verdict"]["text"] or "")


def test_what_is_not_measured_is_said(trained: Results) -> None:
    for status, words in {
        "queued": "Cannot tell yet: no layer has been measured.",
        "cancelled": "Cannot tell: no layer was measured, and nothing more comes.",
    }.items():
        runs = [replace(run, status=status) for run in trained.runs]
        report = build_report(Results(design=trained.design, runs=runs, series=lambda _: []))
        assert report["verdict"]["text"] == words
    assert not_none(report["coordinate_check"])[0]["layers"] == []
    one_seed = Results(
        design=trained.design,
        runs=[run for run in trained.runs if run.seed == 0],
        series=lambda metric: [one for one in trained.series(metric) if one.seed == 0],
    )
    report = build_report(one_seed)
    assert {layer["move"] for entry in not_none(report["coordinate_check"]) for layer in entry["layers"]} == {"open"}
    assert any("N = 1 seed" in warning["message"] for warning in report["warnings"])
