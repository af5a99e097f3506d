"""Energy in the report, with sums and quotients worked out by hand."""

from dataclasses import replace
from typing import Any

import pytest
from scipy import stats

from core.analysis import amount, build_report, energy, markdown
from core.results import Results
from tests.core.analysis.conftest import MakeResults
from tests.core.analysis.reading import not_none


def costing(results: Results, *kwh: float | None, source: Any = "measured") -> Results:
    """Each run with its kWh; 100 g CO2e of each."""
    runs = [
        replace(
            run,
            energy_kwh=one,
            co2e_g=None if one is None else 100 * one,
            energy_source=None if one is None else source,
        )
        for run, one in zip(results.runs, kwh, strict=True)
    ]
    return replace(results, runs=runs)


def test_it_is_summed_by_arm_and_divided_by_what_was_reached(experiment: MakeResults) -> None:
    results = costing(experiment({"a": [0.8, 0.9, "diverged"], "b": [0.5, 0.5, 0.5]}), 1.0, 2.0, 3.0, 0.5, None, 0.7)
    found = not_none(build_report(results)["energy"])
    assert {key: found[key] for key in ("source", "kwh", "co2e_g", "runs")} == {
        "source": "measured", "kwh": pytest.approx(7.2), "co2e_g": pytest.approx(720), "runs": 5,
    }  # fmt: skip
    a, b = found["arms"]
    low, high = stats.t.interval(0.95, 2, loc=2.0, scale=stats.sem([1, 2, 3]))
    assert (a["label"], a["n"], a["kwh"], a["mean_kwh"]) == ("a", 3, pytest.approx(6), pytest.approx(2))
    assert (a["ci_low"], a["ci_high"]) == (pytest.approx(low), pytest.approx(high))
    assert a["kwh_per_point"] == pytest.approx(3.0 / 170)  # the diverged run has reached nothing
    assert (b["n"], b["co2e_g"], b["kwh_per_point"]) == (2, pytest.approx(120), pytest.approx(1.2 / 100))
    page = markdown(build_report(results), results)
    assert "Energy: 7.2 kWh and 720 g CO2e in 5 runs, measured by the counters of the processors." in page
    assert 'A point of validation accuracy took, by arm: "a": 17.6 Wh; "b": 12 Wh.' in page


def test_an_estimate_says_so_and_where_nobody_looked_nothing_is_said(experiment: MakeResults) -> None:
    whole = experiment({"a": [0.8, 0.9], "b": [0.5, 0.5]})
    assert energy(whole) is None
    assert "Energy" not in markdown(build_report(whole), whole)
    results = costing(whole, 1.0, 1.0, None, None, source="estimated")
    found = not_none(energy(results))
    assert (found["source"], found["arms"][1]["mean_kwh"], found["arms"][1]["kwh_per_point"]) == (
        "estimated",
        None,
        None,
    )
    assert "12 W for a core" in markdown(build_report(results), results)


def test_a_range_test_took_energy_but_came_to_no_accuracy(experiment: MakeResults) -> None:
    settings: dict[str, Any] = {"kind": "lr_range_test", "lr_range": {"steps": 100}, "epochs": 10}
    results = costing(experiment({"a": [0.8, 0.9]}, **settings), 1.0, 2.0)
    assert [arm["kwh_per_point"] for arm in not_none(energy(results))["arms"]] == [None]
    page = markdown(build_report(results), results)
    assert "Energy: 3 kWh" in page
    assert "point of validation accuracy" not in page


def test_carbon_is_written_in_the_units_of_its_outcome(experiment: MakeResults) -> None:
    results = costing(experiment({"a": [0.8], "b": [0.5]}), 2.23e-6, 0.0)
    assert "2.23 mWh and 223 µg CO2e in 2 runs" in markdown(build_report(results), results)


def test_one_run_is_one(experiment: MakeResults) -> None:
    results = costing(experiment({"a": [0.8]}), 1.0)
    assert "Energy: 1 kWh and 100 g CO2e in 1 run, measured" in markdown(build_report(results), results)


def test_what_runs_of_a_cohort_share_has_no_interval_of_no_width(experiment: MakeResults) -> None:
    results = costing(experiment({"a": [0.8, 0.9], "b": [0.5, 0.6]}), 1.0, 1.0, 0.5, 0.75)
    page = markdown(build_report(results), results)
    (row,) = [line for line in page.splitlines() if line.startswith("| energy")]
    assert row.split("|")[2].strip() == "1 kWh (N = 2)"
    assert " to " in row.split("|")[3], "cohorts of their own have an interval"
    assert "Runs that train together share energy, carbon dioxide" in page
    apart = costing(experiment({"a": [0.8, 0.9], "b": [0.5, 0.6]}), 1.0, 2.0, 0.5, 0.75)
    assert "Runs that train together share" not in markdown(build_report(apart), apart)


def test_amounts_are_written_in_units_that_fit() -> None:
    assert [amount(kwh) for kwh in (12.0, 0.25, 0.0012, 3.4e-5, 2e-8)] == [
        "12 kWh",
        "250 Wh",
        "1.2 Wh",
        "34 mWh",
        "0.02 mWh",
    ]
