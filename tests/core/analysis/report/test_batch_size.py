"""What a batch-size scan is said to have found, of runs whose epochs are written down."""

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.analysis import build_report, markdown, scan_entries
from core.analysis.report.batch_size import ratio_of_means
from core.datasets import DatasetPaths
from core.results import Results, RunResult, Series
from core.spec import check, parse
from core.training.designs import trained_results
from tests.core.analysis.reading import not_none, sentences, verdict_text

SIZES = [16, 64]
TRAIN = 1438  # of the digits' 1,797
REACHED: dict[int, list[int | None]] = {16: [2, 3, 4], 64: [5, 7, None]}
"""Epochs until the target, by batch size and seed."""
EPOCHS = 8


def scanned(reached: Any = None, noise: Any = None, arms: Any = None, **given: Any) -> Results:
    """`noise(size, seed)` gives |G|² and tr(S) by epoch."""
    spec = parse(
        {
            "kind": "batch_size_scan",
            "batch_size_scan": {"sizes": SIZES, "rule": "sqrt"},
            "target": {"metric": "valid_accuracy", "value": 0.9},
            "batch_size": 32,
            "epochs": EPOCHS,
            "seeds": 3,
            "name": "sizes",
        }
        | ({"arms": arms} if arms else {})
        | given
    )
    runs: list[RunResult] = []
    series: dict[str, list[Series]] = {"valid_accuracy": [], "gradient_squared": [], "gradient_variance": []}
    for arm in spec.expanded:
        size = arm.treatment.batch_size
        for seed in spec.seed_list:
            epochs = (reached or REACHED)[size][seed]
            accuracy = np.where(np.arange(EPOCHS) >= (epochs or 99) - 1, 0.95, 0.5)
            measured = {"valid_accuracy": accuracy}
            if noise is not None:
                measured |= dict(zip(("gradient_squared", "gradient_variance"), noise(size, seed), strict=True))
            for metric, values in measured.items():
                series[metric].append(Series(len(runs), arm.label, seed, metric, np.arange(EPOCHS), np.array(values)))
            final: dict[str, float | None] = {"valid_accuracy": float(accuracy[-1])}
            runs.append(RunResult(len(runs), arm.label, seed, "succeeded", "completed", final))
    steps = {
        arm.label: fact.steps_per_epoch for arm, fact in zip(spec.expanded, check(spec, DatasetPaths()), strict=True)
    }
    return trained_results(
        spec,
        task="multiclass",
        paths=DatasetPaths(),
        steps_per_epoch=list(steps.values()),
        runs=runs,
        series=lambda metric: series.get(metric, []),
    )


def entries(results: Results) -> list[dict[str, Any]]:
    found = scan_entries(results)
    assert found is not None
    return list(json.loads(json.dumps(found, allow_nan=False)))


@pytest.mark.parametrize("drop_last", [False, True])
def test_updates_and_examples_to_the_target(drop_last: bool) -> None:
    (entry,) = entries(scanned(drop_last=drop_last))
    small, large = entry["sizes"]
    assert (small["batch_size"], small["n"], small["runs"], large["n"], large["runs"]) == (16, 3, 3, 2, 3)
    for size, epochs in ((small, [2, 3, 4]), (large, [5, 7])):
        whole, left = divmod(TRAIN, size["batch_size"])
        assert left, "both sizes leave a smaller batch"
        counts = (whole, whole * size["batch_size"]) if drop_last else (whole + 1, TRAIN)
        for of, each in zip(("steps", "samples"), counts, strict=True):
            values = each * np.array(epochs)
            low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
            assert [size[of][key] for key in ("mean", "ci_low", "ci_high")] == pytest.approx([values.mean(), low, high])
    assert [size["lr"] for size in entry["sizes"]] == pytest.approx([0.001 / 2**0.5, 0.001 * 2**0.5])
    assert (entry["batch_size"], entry["lr"]) == (32, 0.001)


def test_a_size_that_no_run_reaches_has_no_number() -> None:
    results = scanned({16: [1, 1, 1], 64: [None] * 3})
    (entry,) = entries(results)
    assert (entry["sizes"][1]["steps"], entry["sizes"][1]["samples"], entry["sizes"][1]["n"]) == (None, None, 0)
    assert "No run reached it with batch size 64" in verdict_text(build_report(results))


def test_the_noise_scale_is_the_ratio_of_means_until_the_target() -> None:
    """After the target |G|² is absurd, which must not count; NaN epochs neither."""
    random = np.random.default_rng(0)
    squared = {(size, seed): random.uniform(1, 2, EPOCHS) for size in SIZES for seed in range(3)}
    variance = {key: 50 * random.uniform(1, 2, EPOCHS) for key in squared}
    for size, seeds in REACHED.items():
        for seed, epochs in enumerate(seeds):
            squared[size, seed][epochs or EPOCHS :] = 1e9
    squared[64, 1][0] = variance[64, 1][0] = np.nan

    (entry,) = entries(scanned(noise=lambda *key: (squared[key], variance[key])))

    means = {
        key: [np.nanmean(values[key][: REACHED[key[0]][key[1]]]) for values in (variance, squared)] for key in squared
    }
    for size in entry["sizes"]:
        tops, bottoms = zip(*(means[size["batch_size"], seed] for seed in range(3)), strict=True)
        assert size["noise_scale"]["estimate"] == pytest.approx(np.mean(tops) / np.mean(bottoms))
        assert size["noise_scale"]["n"] == 3
    by_seed = np.array([np.mean([means[size, seed] for size in SIZES], axis=0) for seed in range(3)])
    expected = ratio_of_means(*by_seed.T)
    found = entry["noise_scale"]
    assert [found[key] for key in ("estimate", "ci_low", "ci_high", "n")] == pytest.approx(list(expected))


def test_without_the_noise_there_is_no_scale() -> None:
    (entry,) = entries(scanned())
    assert (entry["noise_scale"], entry["sizes"][0]["noise_scale"]) == (None, None)


def test_fieller_s_interval_holds_what_student_cannot_refuse() -> None:
    random = np.random.default_rng(1)
    top, bottom = random.normal(10, 2, 6), random.normal(2, 0.3, 6)
    found = ratio_of_means(top, bottom)
    low, high = not_none(found.low), not_none(found.high)
    assert low < not_none(found.estimate) < high
    for end in (low, high):
        assert stats.ttest_1samp(top - end * bottom, 0).pvalue == pytest.approx(0.05)


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    hits, times = 0, 3000
    for _ in range(times):
        bottom = random.normal(2, 0.6, 5)
        top = 10 + 2 * (bottom - 2) + random.normal(0, 2, 5)
        found = ratio_of_means(top, bottom)
        hits += (found.low is None or found.low <= 5) and (found.high is None or found.high >= 5)
    assert 0.94 < hits / times < 0.96


def test_a_gradient_lost_in_its_noise_has_no_upper_end() -> None:
    lost = ratio_of_means(np.array([10.0, 11.0, 12.0]), np.array([3.0, -1.0, 0.5]))
    assert lost.estimate == pytest.approx(11 / (2.5 / 3))
    assert (lost.high, lost.n) == (None, 3)
    assert lost.low is not None
    assert 0 < lost.low < 11
    assert stats.ttest_1samp(np.array([10, 11, 12]) - lost.low * np.array([3, -1, 0.5]), 0).pvalue == pytest.approx(
        0.05
    )
    assert ratio_of_means(np.array([10.0, 11.0]), np.array([-3.0, 1.0])).estimate is None
    assert ratio_of_means(np.array([10.0]), np.array([2.0])) == (5.0, None, None, 1)


def test_its_report_says_it_in_words_beside_the_comparison() -> None:
    results = scanned(
        {16: [2, 3, 4], 64: [5, 7, 6]}, noise=lambda _, seed: (np.full(EPOCHS, 2.0 + seed / 10), np.full(EPOCHS, 80.0))
    )
    found = json.loads(json.dumps(build_report(results), allow_nan=False))
    text = found["verdict"]["text"]
    assert "fewest updates with batch size 64 (138 in the mean, N = 3 of 3)" in text
    assert "fewest examples with batch size 16 (4,314 in the mean, N = 3 of 3)" in text
    assert "gradient noise scale is about 38" in text
    assert [arm["label"] for arm in found["arms"]] == ["batch_size=16", "batch_size=64"]
    assert found["batch_size"][0]["sizes"][0]["label"] == "batch_size=16"
    page = markdown(found, results)
    assert "| batch_size=16 | 0.000707 | 3 of 3 | 270 | " in page
    assert "None" not in page
    assert "nan" not in page


def test_runs_that_did_not_reach_it_are_a_warning() -> None:
    assert any("64" in warning and "2 of 3" in warning for warning in sentences(build_report(scanned())))


def test_a_comparison_is_no_scan(request: pytest.FixtureRequest) -> None:
    make = request.getfixturevalue("experiment")
    assert build_report(make({"a": [0.5, 0.6]}))["batch_size"] is None
