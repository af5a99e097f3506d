"""Pictures of what runs make of the classes, of counts that are known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from core.classification import ClassSummary
from core.plots import plots, reported, suitable
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms
from tests.core.plots.kinds import classified

VALUES = {"valid_accuracy": lambda *_: [0.5]}
Confusions = Mapping[tuple[str, int], Any]
T_OF_THREE = 4.302652729749464
"""Student's t for 97.5 % with two degrees of freedom."""


def data_of(name: str, results: Results) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse(name).build().data(results)
    return data


def draw(name: str, results: Results) -> Figure:
    figure: Figure = plots.parse(name).build().draw(data_of(name, results))
    return figure


def stored(results: Results, of: Callable[[str, int], ClassSummary]) -> Results:
    found = {run.id: of(run.arm, run.seed) for run in results.runs}
    return replace(results, classified=lambda: found)


def counted(confusion: Any) -> ClassSummary:
    return replace(classified(0, classes=len(confusion)), confusion=np.array(confusion))


def test_a_matrix_has_the_mean_share_of_each_class_its_interval_and_counts(experiment: MakeResults) -> None:
    of_seed = [[[8, 2], [1, 9]], [[6, 4], [1, 9]], [[7, 3], [1, 9]]]
    results = stored(experiment(arms("a"), VALUES, seeds=3), lambda _, seed: counted(of_seed[seed]))
    [panel] = data_of("confusion", results)["panels"]

    np.testing.assert_allclose(panel["share"], [[0.7, 0.3], [0.1, 0.9]])
    np.testing.assert_allclose(panel["count"], [[7, 3], [1, 9]])
    half = T_OF_THREE * 0.1 / np.sqrt(3)
    np.testing.assert_allclose([panel["low"][0][0], panel["high"][0][0]], [0.7 - half, 0.7 + half])
    assert panel["accuracy"]["mean"] == pytest.approx(0.8)
    assert panel["mistakes"][0] == {"actual": "0", "named": "1", "share": pytest.approx(0.3)}
    assert panel["note"].startswith("N = 3, right 80.0 % (67.6 to 92.4); most often 0 is taken for 1: 30.0 %")
    [axes] = draw("confusion", results).axes
    assert [text.get_text() for text in axes.texts][:1] == ["70.0 %\n45.2 to 94.8\n7"]


def test_curves_and_areas_are_means_over_classes_and_seeds(experiment: MakeResults) -> None:
    results = stored(experiment(arms("a", "b"), VALUES, seeds=3), lambda arm, seed: classified(seed, sure=arm == "a"))
    for name, chance in (("roc", 0.5), ("precision_recall", 1 / 3)):
        sure, guesses = data_of(name, results)["panels"]
        assert sure["area"]["mean"] > 0.95
        assert guesses["area"]["mean"] == pytest.approx(chance, abs=0.06)
        assert sure["area"]["ci_low"] < sure["area"]["mean"] < sure["area"]["ci_high"]
        assert [line["role"] for line in sure["lines"]] == ["class"] * 3 + ["mean"]
        mean = sure["lines"][-1]
        assert all(low <= y <= high for low, y, high in zip(mean["low"], mean["y"], mean["high"], strict=True))
        by_class = np.mean([line["y"] for line in sure["lines"][:3]], axis=0)
        np.testing.assert_allclose(mean["y"], by_class)
        assert sure["base"] == pytest.approx(1 / 3, abs=0.05)


def test_confidence_stands_beside_what_came_true(experiment: MakeResults) -> None:
    unit = 1 << 20
    counts = np.zeros((15, 3), dtype=np.int64)
    counts[[7, 14]] = [[10, 5, 5 * unit], [90, 72, 90 * unit]]
    results = stored(experiment(arms("a"), VALUES), lambda *_: replace(classified(0), confidence=counts))
    [panel] = data_of("reliability", results)["panels"]
    assert [(row["confidence"], row["right"], row["share"], row["n"]) for row in panel["levels"]] == [
        (0.5, 0.5, 0.1, 2),
        (1.0, 0.8, 0.9, 2),
    ]
    assert panel["error"]["mean"] == pytest.approx(0.18)
    assert panel["note"] == "N = 2, ECE 18.0 % (18.0 to 18.0)"


def test_one_page_has_all_of_it(experiment: MakeResults) -> None:
    results = stored(experiment(arms("a", "b"), VALUES), lambda arm, seed: classified(seed, sure=arm == "a"))
    data = data_of("classification", results)
    assert [[*row["parts"]] for row in data["panels"]] == [["confusion", "roc", "precision_recall", "reliability"]] * 2
    for row, panel in zip(data["panels"], data_of("roc", results)["panels"], strict=True):
        assert row["parts"]["roc"]["lines"] == panel["lines"]
    assert len(draw("classification", results).axes) == 8
    single = {"confusion", "roc", "precision_recall", "reliability"}
    assert single < suitable(results.design).keys()
    assert suitable(results.design).keys() - reported(results.design).keys() == single, "a report has the page"


def test_where_nothing_is_stored_it_says_why(experiment: MakeResults) -> None:
    results = experiment(arms("a"), VALUES)
    assert "evaluate.classification" in data_of("roc", results)["empty"]
    waiting = experiment(arms("a"), {}, statuses={(0, 0): "running", (0, 1): "queued"})
    assert "has been judged yet" in data_of("confusion", waiting)["empty"]
    regression = experiment(arms("a"), {}, task="regression")
    assert not {"roc", "confusion", "classification"} & suitable(regression.design).keys()
    assert "no classes" in data_of("reliability", regression)["empty"]


def test_an_arm_without_a_judged_run_keeps_its_panel(experiment: MakeResults) -> None:
    results = experiment(arms("a", "b"), VALUES, outcomes={(1, 0): "diverged", (1, 1): "diverged"})
    mine = {run.id: classified(run.seed) for run in results.runs if run.arm == "a"}
    for name in ("confusion", "roc", "precision_recall", "reliability", "classification"):
        data = data_of(name, replace(results, classified=lambda: mine))
        assert [panel["n"] for panel in data["panels"]] == [2, 0]
        assert "2 diverged of 2" in data["panels"][1]["note"]


def test_classes_have_their_names_where_the_data_set_has_them(experiment: MakeResults) -> None:
    settings = {"dataset": "breast_cancer", "model": {"name": "mlp", "hidden": [4]}, "task": "binary"}
    results = stored(experiment(arms("a"), VALUES, **settings), lambda *_: counted([[5, 1], [2, 4]]))
    [panel] = data_of("confusion", results)["panels"]
    assert panel["classes"] == ["malignant", "benign"]
