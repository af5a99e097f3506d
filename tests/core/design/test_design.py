"""A design that no spec of ours describes: arms of somebody else, with metrics of their own."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from core.analysis import build_report, html, markdown
from core.design import Design, DesignArm, Target
from core.metrics import declared
from core.plots import plots, render, suitable
from core.results import Results, RunResult, Series
from tests.core.plots.looking import assert_texts_apart
from tests.core.plots.test_contract import shows_data

SEEDS = [11, 12, 13, 14, 15]
MEANS = {"tuned prompt": 12.1, "baseline prompt": 15.0, "retrieval": 14.9}
"""Of the perplexity, of which less is better; an arm's BLEU is 100 less it."""


@pytest.fixture
def theirs() -> Results:
    """Three arms of five seeds: a perplexity and a BLEU after each of four epochs, and the tokens by update."""
    design = Design(
        name="Prompts of a language model",
        arms=[DesignArm(label=label, settings={"prompt": label}) for label in MEANS],
        seeds=SEEDS,
        metrics={
            metric.name: metric
            for metric in (
                declared("valid_perplexity", direction="min", primary=True),
                declared("valid_bleu", direction="max"),
                declared("tokens", direction="none", per="step"),
            )
        },
    )
    noise = np.random.default_rng(3).normal(0, 0.1, (len(MEANS), len(SEEDS)))
    curves: dict[str, list[Series]] = {name: [] for name in design.metrics}
    runs: list[RunResult] = []
    for i, (label, mean) in enumerate(MEANS.items()):
        for j, seed in enumerate(SEEDS):
            perplexity = mean + noise[i, j] + np.array([30.0, 8.0, 2.0, 0.0])
            mine: Mapping[str, Any] = {
                "valid_perplexity": perplexity,
                "valid_bleu": 100 - perplexity,
                "tokens": np.arange(1.0, 41.0) * 4096,
            }
            for name, values in mine.items():
                curves[name].append(Series(len(runs), label, seed, name, np.arange(len(values)), values))
            final: dict[str, float | None] = {name: float(values[-1]) for name, values in mine.items()}
            runs.append(RunResult(len(runs), label, seed, "succeeded", "completed", final, seconds=9.0, steps_done=40))
    return Results(design=design, runs=runs, series=lambda metric: curves.get(metric, []))


def test_it_is_judged_by_the_direction_of_its_own_metric(theirs: Results) -> None:
    report = build_report(theirs)
    assert report["metric"] == "valid_perplexity"
    assert report["arms"][0]["label"] == "tuned prompt"
    assert "tuned prompt" in str(report["verdict"])
    assert {(one["a"], one["b"]) for one in report["comparisons"] if one["better"]} == {
        ("tuned prompt", "baseline prompt"),
        ("tuned prompt", "retrieval"),
    }
    by_bleu = build_report(theirs, "valid_bleu")
    assert by_bleu["arms"][0]["label"] == "tuned prompt"
    json.dumps([report, by_bleu], allow_nan=False)


def test_nobody_has_said_whether_more_of_it_is_better(theirs: Results) -> None:
    with pytest.raises(Exception, match="tokens"):
        build_report(theirs, "tokens")


def test_its_report_reads_as_any_other(theirs: Results) -> None:
    report = build_report(theirs)
    text, page = markdown(report, theirs), html(report, theirs, {})
    for words in (*MEANS, "validation perplexity", "Prompts of a language model"):
        assert words in text
        assert words in page
    assert "None" not in text


@pytest.mark.parametrize("name", plots)
def test_every_picture_that_suits_it_is_drawn(theirs: Results, name: str) -> None:
    plot = plots.parse(name).build()
    data = plot.data(theirs)
    figure = plot.draw(json.loads(json.dumps(data, allow_nan=False)))
    figure.set_dpi(72)
    assert render(figure, "png").startswith(b"\x89PNG")
    assert_texts_apart(figure)
    if name in ("accuracy", "comparison", "convergence", "forest", "stability"):
        assert shows_data(figure)
    assert (name in suitable(theirs.design)) == plot.applies(theirs.design)


def test_the_curve_of_its_score_is_drawn(theirs: Results) -> None:
    """The score is the one to be maximised; the other is among the further metrics."""
    drawn = plots.parse("accuracy").build().data(theirs)
    assert drawn["panels"][0]["y"]["label"] == "bleu"
    further = plots.parse("metrics").build().data(theirs)
    assert [panel["title"] for panel in further["panels"]] == ["validation perplexity"]


def test_values_by_arm_and_seed() -> None:
    design = Design(
        name="places",
        arms=[DesignArm(label="a"), DesignArm(label="b")],
        seeds=[7, 3],
        metrics={"valid_loss": declared("valid_loss", direction="min")},
        target=Target("valid_loss", 0.5),
    )
    found = design.matrix([("b", 3, 4.0), ("a", 7, 1.0), ("b", 7, None)])
    np.testing.assert_array_equal(found, [[1.0, np.nan], [np.nan, 4.0]])
    with pytest.raises(KeyError):
        design.matrix([("c", 7, 1.0)])


def test_of_some_arms_a_design_is_as_if_there_were_no_others(theirs: Results) -> None:
    some = theirs.of_arms(["retrieval", "tuned prompt"])
    assert some.design.labels == ["tuned prompt", "retrieval"]
    assert {one.arm for one in some.series("valid_bleu")} == {"tuned prompt", "retrieval"}
    assert (some.design.baseline, some.whole) == (None, theirs)
