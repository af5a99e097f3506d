"""Effects of grids whose cells are written down."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import AnovaRM

from core.analysis import build_report, summarize
from core.analysis.shapes import Effect, Report
from core.analysis.statistics.factorial import factorial
from core.datasets import DatasetPaths
from core.results import RunResult
from core.spec import parse
from core.training.designs import design_of, trained_results
from tests.core.analysis.reading import not_none, sentences

TWO = {"initializer": ["he_normal", "zeros"], "batch_size": [32, 128]}


def of_grid(grid: Mapping[str, object], cells: NDArray[np.float64]) -> Report:
    """The report of a grid whose runs ended at `cells` (..., seeds); NaN: diverged."""
    seeds = cells.shape[-1]
    spec = parse({"grid": grid, "seeds": seeds})
    runs: list[RunResult] = []
    for arm, values in zip(spec.expanded, cells.reshape(-1, seeds), strict=True):
        for seed, value in enumerate(values):
            outcome, final = ("diverged", {}) if np.isnan(value) else ("completed", {"valid_accuracy": float(value)})
            runs.append(RunResult(len(runs), arm.label, seed, "succeeded", outcome, final))  # type: ignore[arg-type]
    return build_report(
        trained_results(
            spec,
            task="multiclass",
            paths=DatasetPaths(),
            steps_per_epoch=[15],
            runs=runs,
            series=lambda _metric: [],
        )
    )


def effect(found: Report, *levels: str) -> Effect:
    (one,) = [e for e in not_none(found["factorial"])["effects"] if e["levels"] == list(levels)]
    return one


def test_effects_are_what_the_cells_were_made_of() -> None:
    """Three initializers, two batch sizes, added without interaction but for one cell pair."""
    start, size = np.array([0.03, 0.01, -0.04]), np.array([0.02, -0.02])
    both = np.array([[0.01, -0.01], [-0.01, 0.01], [0.0, 0.0]])
    seeds = np.array([0.0, 0.01, -0.02, 0.005])
    wobble = np.random.default_rng(0).normal(0, 1e-4, (3, 2, 4))
    wobble -= wobble.mean(axis=-1, keepdims=True)
    cells = 0.9 + (start[:, None] + size + both)[..., None] + seeds + wobble
    found = of_grid({"initializer": ["he_normal", "zeros", "ones"], "batch_size": [32, 128]}, cells)

    assert not_none(found["factorial"])["factors"] == [
        {"name": "initializer", "levels": ["he_normal", "zeros", "ones"]},
        {"name": "batch_size", "levels": ["32", "128"]},
    ]
    assert [effect(found, name)["estimate"] for name in ("he_normal", "zeros", "ones")] == pytest.approx(start)
    assert [effect(found, name)["estimate"] for name in ("32", "128")] == pytest.approx(size)
    assert effect(found, "zeros", "128")["estimate"] == pytest.approx(0.01)
    shares = {tuple(term["factors"]): term["share"] for term in not_none(found["factorial"])["terms"]}
    parts = [2 * (start**2).sum(), 3 * (size**2).sum(), (both**2).sum()]
    assert list(shares.values()) == pytest.approx(np.array(parts) / sum(parts))
    assert not_none(found["factorial"])["n"] == 4
    json.dumps(found, allow_nan=False)


def test_two_by_two_is_the_repeated_measures_analysis_of_variance() -> None:
    cells = np.random.default_rng(3).normal(0.8, 0.02, (2, 2, 6)) + np.array([0.03, 0.0])[:, None, None]
    found = of_grid(TWO, cells)

    rows = [
        {"seed": s, "initializer": i, "batch_size": b, "y": cells[i, b, s]}
        for i in (0, 1)
        for b in (0, 1)
        for s in range(6)
    ]
    table = AnovaRM(pd.DataFrame(rows), "y", "seed", within=["initializer", "batch_size"]).fit().anova_table
    assert effect(found, "zeros")["p"] == pytest.approx(table["Pr > F"]["initializer"])
    assert effect(found, "128")["p"] == pytest.approx(table["Pr > F"]["batch_size"])
    assert effect(found, "zeros", "128")["p"] == pytest.approx(table["Pr > F"]["initializer:batch_size"])
    for term in not_none(found["factorial"])["terms"]:
        f = table["F Value"][":".join(term["factors"])]
        assert term["share_corrected"] == pytest.approx(not_none(term["share"]) * (1 - 1 / f))


def test_s15_a_grid_without_effects_has_no_shares() -> None:
    """Of 5 x 5 equal cells with five seeds: 17, 17 and 67 % as measured, and three standard errors of it are 3 %.

    The error is divided by the variation between cells, chi-squared with 24 degrees of freedom: df / 22 on average.
    """
    sizes, rates = [8, 16, 32, 64, 128], [0.1, 0.2, 0.3, 0.4, 0.5]
    spec = parse({"grid": {"batch_size": sizes, "optimizer.lr": rates}, "seeds": 5})
    design = design_of(spec, task="multiclass", paths=DatasetPaths())
    rng, found = np.random.default_rng(15), []
    for _ in range(200):
        cells = rng.normal(0.8, 0.02, (25, 5))
        terms = not_none(factorial(design, cells, [summarize(np.zeros(5))] * 25))["terms"]
        found.append([(term["share"], term["share_corrected"]) for term in terms])
    raw, corrected = np.array(found, dtype=np.float64).mean(axis=0).T
    assert raw == pytest.approx([4 / 24, 4 / 24, 16 / 24], abs=0.03)
    assert corrected == pytest.approx([4 / 24 - 4 / 22, 4 / 24 - 4 / 22, 16 / 24 - 16 / 22], abs=0.035)


def test_of_two_levels_an_effect_is_half_the_paired_difference() -> None:
    cells = np.random.default_rng(4).normal(0.8, 0.02, (2, 2, 5))
    found = of_grid(TWO, cells)

    means = cells.mean(axis=1)
    peer = stats.ttest_rel(means[0], means[1])
    interval = peer.confidence_interval(0.95)
    he, zeros = effect(found, "he_normal"), effect(found, "zeros")
    assert (he["p"], zeros["p"]) == pytest.approx((peer.pvalue, peer.pvalue))
    assert (he["ci_low"], he["ci_high"]) == pytest.approx((interval.low / 2, interval.high / 2))
    assert he["estimate"] == pytest.approx(-zeros["estimate"])


def test_holm_counts_every_question_once() -> None:
    """Eight effects are listed, but each is the other level's with its sign changed: three questions."""
    cells = np.random.default_rng(5).normal(0.8, 0.02, (2, 2, 5))
    cells[0] += 0.2
    effects = not_none(of_grid(TWO, cells)["factorial"])["effects"]

    assert len(effects) == 2 + 2 + 4
    smallest = min(effects, key=lambda e: not_none(e["p"]))
    assert smallest["factors"] == ["initializer"]
    assert smallest["p_adjusted"] == pytest.approx(3 * not_none(smallest["p"]))


def test_three_fields_have_interactions_of_two_and_three() -> None:
    cells = np.random.default_rng(6).normal(0.8, 0.02, (2, 2, 2, 4))
    found = not_none(of_grid(TWO | {"optimizer.lr": [0.01, 0.1]}, cells)["factorial"])

    assert [len(term["factors"]) for term in found["terms"]] == [1, 1, 1, 2, 2, 2, 3]
    assert sum(not_none(term["share"]) for term in found["terms"]) == pytest.approx(1)
    (whole,) = [e for e in found["effects"] if e["levels"] == ["he_normal", "32", "0.01"]]
    signs = np.array([1, -1])
    contrast = (cells * signs[:, None, None, None] * signs[:, None, None] * signs[:, None]).sum(axis=(0, 1, 2)) / 8
    assert whole["estimate"] == pytest.approx(contrast.mean())
    assert whole["p"] == pytest.approx(stats.ttest_1samp(contrast, 0).pvalue)


def test_seeds_that_lost_a_cell_are_in_the_effects_and_it_is_said() -> None:
    cells = np.random.default_rng(7).normal(0.8, 0.02, (2, 2, 5))
    cells[1, 1, 0] = np.nan
    found = of_grid(TWO, cells)

    told = not_none(found["factorial"])
    assert (told["n"], told["complete"]) == (5, 4)
    assert [cell["n"] for cell in told["cells"]] == [5, 5, 5, 4]
    assert any(one.startswith("Only 4 of 5 seeds have a value in every cell") for one in sentences(found))
    cells[1, 1] = np.nan
    lost = not_none(of_grid(TWO, cells)["factorial"])
    assert (lost["effects"], lost["terms"]) == ([], [])
    assert lost["cells"][3] == {"levels": ["zeros", "128"], "n": 0, "mean": None, "ci_low": None, "ci_high": None}
    assert any(w.startswith("No effects of the grid") for w in sentences(of_grid(TWO, cells)))


def test_effects_of_incomplete_seeds_are_those_of_cells_and_seeds_by_least_squares() -> None:
    """The seeds' levels are far apart: the mean of what is left of a level would be that of its seeds."""
    rng = np.random.default_rng(8)
    cells = rng.normal(0.8, 0.02, (2, 2, 5)) + 0.5 * np.arange(5)
    cells[0, 0, 4] = cells[1, 1, 0] = np.nan
    found = of_grid(TWO, cells)
    rows = [
        {"i": i, "b": b, "s": s, "y": cells[i, b, s]} for i, b, s in np.ndindex(2, 2, 5) if np.isfinite(cells[i, b, s])
    ]
    peer = ols("y ~ C(i, Sum) * C(b, Sum) + C(s)", pd.DataFrame(rows)).fit().params
    assert effect(found, "he_normal")["estimate"] == pytest.approx(peer["C(i, Sum)[S.0]"])
    assert effect(found, "128")["estimate"] == pytest.approx(-peer["C(b, Sum)[S.0]"])
    both = effect(found, "he_normal", "32")["estimate"]
    assert both == pytest.approx(peer["C(i, Sum)[S.0]:C(b, Sum)[S.0]"])
    shares = [not_none(term["share"]) for term in not_none(found["factorial"])["terms"]]
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("grid", [{"batch_size": [8, 16]}, {"batch_size": [8, 16], "epochs": [3]}])
def test_a_grid_of_one_field_has_no_effects_to_part(grid: dict[str, list[Any]]) -> None:
    assert of_grid(grid, np.random.default_rng(8).random((2, 3)))["factorial"] is None
