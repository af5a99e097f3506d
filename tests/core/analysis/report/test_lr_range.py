"""What a range test suggests, of losses whose answer is known."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.analysis import build_report, final_values, markdown, range_entries
from core.analysis.report.lr_range import smooth
from core.analysis.shapes import RangeEntry
from core.datasets import DatasetPaths
from core.results import Results, RunResult, Series
from core.spec import parse
from core.training.designs import trained_results
from tests.core.analysis.reading import not_none, sentences, verdict_text

STEPS = 121
RAMP = np.geomspace(1e-6, 1e0, STEPS)  # 20 updates a decade
Losses = Callable[[str, int], Any]


def range_of(losses: Losses, *labels: str, seeds: int = 3, smoothing: float = 0.0, **given: Any) -> Results:
    """A range test whose runs have these losses by label and seed; a loss that is not finite ends a run."""
    span = {"low": 1e-6, "high": 1.0, "steps": STEPS, "smoothing": smoothing}
    spec = parse(
        {
            "kind": "lr_range_test",
            "name": "rates",
            "lr_range": given.get("lr_range", span),
            "optimizer": {"name": "adam", "lr": 0.002},
            "arms": [{"label": label} for label in labels or ("a",)],
            "seeds": seeds,
        }
    )
    runs, series = list[RunResult](), list[Series]()
    for arm in spec.expanded:
        for seed in spec.seed_list:
            values = np.asarray(losses(arm.label, seed), dtype=np.float64)
            broken = np.flatnonzero(~np.isfinite(values))
            values = values[: broken[0] + 1] if len(broken) else values
            status = given.get("statuses", {}).get((arm.label, seed), "succeeded")
            ended = "diverged" if len(broken) else "completed"
            final = {"train_loss": None, "valid_accuracy": 0.1 * (1 + seed)}
            runs.append(RunResult(len(runs), arm.label, seed, status, ended, final, seconds=3.0 + len(runs)))  # type: ignore[arg-type]
            series.append(Series(len(series), arm.label, seed, "train_loss", np.arange(len(values)), values))
    found = {"train_loss": series}
    return trained_results(
        spec,
        task="multiclass",
        paths=DatasetPaths(),
        steps_per_epoch=[15],
        runs=runs,
        series=lambda metric: found.get(metric, []),
    )


def falling(at: float, noise: float = 0.0, seed: int = 0) -> Any:
    """2.3 down to 0.3 within two decades, steepest at the rate `at`, and from 0.1 on up with the rate."""
    decades = np.log10(RAMP / at)
    fall = 2.3 - 2 / (1 + np.exp(-4 * decades))
    explode = np.where(RAMP > 0.1, 0.3 * (RAMP / 0.1) - 0.3, 0.0)
    return fall + explode + noise * np.random.default_rng(seed).standard_normal(STEPS)


def entry(results: Results) -> RangeEntry:
    return not_none(range_entries(results))[0]


def test_the_rate_of_steepest_descent_is_suggested() -> None:
    found = entry(range_of(lambda _, __: falling(1e-3)))
    assert not_none(found["suggested"])["lr"] == pytest.approx(1e-3)
    assert (found["n"], found["runs"], found["lr"]) == (3, 3, 0.002)


def test_the_least_loss_and_where_it_diverges_are_found() -> None:
    found = entry(range_of(lambda _, __: falling(1e-3)))
    least = falling(1e-3).argmin()
    assert not_none(found["least"])["lr"] == pytest.approx(RAMP[least])
    assert not_none(found["least"])["loss"] == pytest.approx(falling(1e-3)[least])
    assert found["tenth"] == pytest.approx(RAMP[least] / 10)
    # 0.3 (rate / 0.1) = 4 x 0.3 at a rate of 0.4, and the next update is the first above it
    assert not_none(found["diverged"])["lr"] == pytest.approx(RAMP[np.flatnonzero(RAMP > 0.4)[0]])
    assert found["falling"] is False


def test_the_median_is_suggested_and_the_seeds_give_the_range() -> None:
    where = [3e-4, 1e-3, 3e-3]
    suggested = not_none(entry(range_of(lambda _, seed: falling(where[seed])))["suggested"])
    assert suggested["lr"] == pytest.approx(1e-3, rel=0.3)
    assert [suggested[end] for end in ("low", "high", "n")] == pytest.approx([3e-4, 3e-3, 3], rel=0.06)


def test_the_smoothing_is_the_slow_one_s() -> None:
    losses = np.random.default_rng(0).random(50)
    slow = []
    for t in range(50):
        weights = [0.9 ** abs(t - u) for u in range(50)]
        slow.append(sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights))
    np.testing.assert_allclose(smooth(losses, 0.9), slow, rtol=1e-12)
    np.testing.assert_allclose(smooth(np.full(9, 2.5), 0.98), 2.5)
    np.testing.assert_array_equal(smooth(losses, 0.0), losses)


def test_smoothing_finds_what_noise_hides() -> None:
    def decades(smoothing: float) -> float:
        found = entry(range_of(lambda _, seed: falling(1e-3, 0.3, 20 + seed), smoothing=smoothing))
        return abs(math.log10(not_none(found["suggested"])["lr"] / 1e-3))

    assert decades(0.9) < 0.3 < 0.5 < decades(0.0)


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("at", [1e-3, 1e-2])
@pytest.mark.parametrize("steps", [60, 100, 300, 1000])
def test_the_rate_does_not_move_with_the_number_of_steps(steps: int, at: float, noise: float) -> None:
    """A running mean that looks back alone is .4 decades late with 60 steps, .3 with 100 and .06 with 1,000."""

    def losses(_: str, seed: int) -> Any:
        rates = np.geomspace(1e-6, 10.0, steps)
        exact = 2.3 - 2 / (1 + np.exp(-4 * np.log10(rates / at))) + np.where(rates > 1, rates**2 - 1, 0.0)
        return exact + noise * np.random.default_rng(seed).standard_normal(steps)

    span = {"low": 1e-6, "high": 10.0, "steps": steps, "smoothing": 0.9}
    found = entry(range_of(losses, seeds=5, lr_range=span))
    suggested = not_none(found["suggested"])
    assert abs(math.log10(suggested["lr"] / at)) < 0.13
    assert abs(math.log10(not_none(found["diverged"])["lr"] / 1.7)) < 0.3  # from about 0.4 to 1.6


@pytest.mark.parametrize("smoothing", [0.9, 0.95])
@pytest.mark.parametrize("steps", [100, 300])
def test_s16_the_smoothing_has_no_lag(steps: int, smoothing: float) -> None:
    """A curve that is steepest at .01: a mean that looks back alone said .024 with 100 steps, .0147 with 300."""
    rates = np.geomspace(1e-6, 10.0, steps)
    curve = 2.3 - 2 / (1 + np.exp(-4 * np.log10(rates / 0.01))) + np.where(rates > 1, rates**2 - 1, 0.0)
    span = {"low": 1e-6, "high": 10.0, "steps": steps, "smoothing": smoothing}
    suggested = not_none(entry(range_of(lambda *_: curve, lr_range=span))["suggested"])
    assert suggested["lr"] == pytest.approx(0.01, rel=0.1)  # an update of 100 is a factor of 1.18


@pytest.mark.parametrize("seeds", [1, 2, 3, 4, 5])
def test_what_is_suggested_lies_within_what_single_seeds_say(seeds: int) -> None:
    """The mean of curves is not: one seed that explodes early decides it."""

    def losses(_: str, seed: int) -> Any:
        values = falling([3e-2, 1e-2, 1e-3, 2e-2, 4e-2][seed], 0.05, seed)
        return np.where(RAMP > 2e-3, 1e3, values) if seed == 2 else values

    found = entry(range_of(losses, seeds=seeds, smoothing=0.9))
    for name in ("suggested", "least", "diverged"):
        one: Any = found[name]
        assert one is None or one["low"] <= one["lr"] <= one["high"]
    assert found["suggested"] is not None


def test_a_loss_that_rises_in_the_last_updates_has_diverged() -> None:
    """Smoothed over ten updates it does not come to four times its least before the ramp ends."""
    values = np.full(STEPS, 1.6)
    values[:60] = np.linspace(2.3, 1.6, 60)
    values[-4:] = 3.0, 8.0, 16.0, 24.6
    found = not_none(entry(range_of(lambda *_: values, smoothing=0.9))["diverged"])
    assert found["lr"] == pytest.approx(RAMP[-2], rel=0.2)
    spiked = np.full(STEPS, 1.6)
    spiked[[50, 90]] = 24.6
    assert entry(range_of(lambda *_: spiked, smoothing=0.9))["diverged"] is None


def test_where_some_seeds_diverge_it_says_how_many() -> None:
    some = range_of(lambda _, seed: np.where(RAMP > 0.03, np.nan if seed else 0.3, falling(1e-3)), seeds=3)
    assert "it diverges from 0.032 on in 2 of 3 seeds" in verdict_text(build_report(some))


def test_a_loss_that_is_not_finite_is_where_it_diverges() -> None:
    def losses(_: str, seed: int) -> Any:
        values = falling(1e-3)
        values[105 + seed :] = np.nan
        return values

    found = entry(range_of(losses))
    diverged = not_none(found["diverged"])
    assert diverged["lr"] == pytest.approx(RAMP[106])
    assert [diverged[end] for end in ("low", "high", "n")] == pytest.approx([RAMP[105], RAMP[107], 3])
    assert not_none(found["suggested"])["lr"] == pytest.approx(1e-3)


def test_a_jump_is_seen_through_the_smoothing() -> None:
    losses = np.where(np.arange(STEPS) < 80, 2 - np.arange(STEPS) / 100, 100.0)
    found = entry(range_of(lambda *_: losses, smoothing=0.9))
    assert not_none(found["diverged"])["lr"] == pytest.approx(RAMP[80])


@pytest.mark.parametrize(
    "losses", [lambda *_: np.full(STEPS, 2.3), lambda *_: 2.3 + RAMP, lambda *_: 2.3 - 0.1 * RAMP, lambda *_: [np.nan]]
)
def test_no_rate_is_suggested_where_the_loss_does_not_fall(losses: Losses) -> None:
    results = range_of(losses)
    assert entry(results)["suggested"] is None
    assert "no rate is suggested" in verdict_text(build_report(results))
    assert any("lr_range.low" in warning for warning in sentences(build_report(results)))


def test_a_loss_that_still_falls_asks_for_larger_rates() -> None:
    results = range_of(lambda *_: 2.3 - np.log10(RAMP / 1e-6) / 4)
    assert entry(results)["falling"]
    assert any("raise lr_range.high" in warning for warning in sentences(build_report(results)))


def test_what_has_not_finished_is_in_no_curve_and_is_said() -> None:
    results = range_of(lambda _, seed: falling(1e-3 if seed else 1e-5), statuses={("a", 0): "running"})
    assert (entry(results)["n"], entry(results)["runs"]) == (2, 3)
    assert not_none(entry(results)["suggested"])["lr"] == pytest.approx(1e-3)
    assert any("1 of 3 runs have not finished" in warning for warning in sentences(build_report(results)))
    nothing = range_of(lambda *_: falling(1e-3), seeds=1, statuses={("a", 0): "queued"})
    assert verdict_text(build_report(nothing)).startswith("Cannot tell yet")
    stopped = range_of(lambda *_: falling(1e-3), seeds=1, statuses={("a", 0): "cancelled"})
    assert verdict_text(build_report(stopped)).endswith("no run of the range test finished, and nothing more comes.")


def test_its_report_ranks_no_arm_and_warns_of_no_divergence() -> None:
    def losses(label: str, _: int) -> Any:
        return np.where(RAMP > 0.5, np.nan, falling(1e-3 if label == "a" else 1e-2))

    results = range_of(losses, "a", "b")
    found = json.loads(json.dumps(build_report(results), allow_nan=False))
    verdict = {key: value for key, value in found["verdict"].items() if key != "text"}
    lists: dict[str, Any] = {key: [] for key in ("decided", "open", "order", "groups", "beats")}
    assert verdict == {**lists, "headline": None, "detectable": None, "seeds_wanted": None}
    assert (found["metric"], found["reference"], found["comparisons"]) == ("suggested_lr", None, [])
    assert [(arm["label"], arm["n"], arm["diverged"], arm["mean"], arm["ci_low"]) for arm in found["arms"]] == [
        ("a", 3, 3, None, None),
        ("b", 3, 3, None, None),
    ]
    assert found["warnings"] == []
    text = found["verdict"]["text"]
    assert '"a": the loss falls fastest at a rate of 0.001 (' in text
    assert "heuristic" in text
    assert "best" not in text.replace("which rate trains best", "")
    assert [one["label"] for one in found["lr_range"]] == ["a", "b"]
    assert np.isnan(final_values(results, "valid_accuracy")).all()


def test_no_outcome_that_is_asked_for_ranks_its_arms() -> None:
    """Not even its time, which its runs do have."""
    results = range_of(lambda *_: falling(1e-3), "a", "b")
    assert build_report(results, "seconds") == build_report(results)
    assert build_report(results)["runs"][0]["seconds"] == 3.0


def test_its_page_has_the_rates_and_how_they_were_found() -> None:
    results = range_of(lambda label, _: falling(1e-3) if label == "a" else np.full(STEPS, 2.3), "a", "b|c")
    page = markdown(build_report(results), results)
    assert "| a | 3 of 3 | 0.002 | 0.001 | 0.001 to 0.001 |" in page
    assert "| b\\|c | 3 of 3 | 0.002 | - | - | - | - | - |" in page
    assert "from 1e-06 to 1 in 121 updates" in page
    assert "Epochs" not in page
    assert "None" not in page
    assert "nan" not in page


def test_a_comparison_has_no_rates(request: pytest.FixtureRequest) -> None:
    make = request.getfixturevalue("experiment")
    assert build_report(make({"a": [0.5, 0.6]}))["lr_range"] is None
