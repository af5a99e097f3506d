"""What the report says of updates that nobody had to make."""

from dataclasses import replace

from core.analysis import build_report, markdown
from core.results import Results, RunResult
from tests.core.analysis.conftest import MakeResults

GOOD = [0.971, 0.962, 0.978]


def ended(results: Results, **runs: int) -> Results:
    """Each run with a hundred updates; those of the arms named here stopped early after so many."""

    def of(run: RunResult) -> RunResult:
        done = runs.get(run.arm, 100)
        outcome = "stopped_early" if run.arm in runs else run.outcome
        return replace(run, outcome=outcome, steps_done=done, steps_total=100)

    return replace(results, runs=[of(run) for run in results.runs])


def test_a_run_that_stopped_early_counts_with_its_last_value_and_its_arm_says_so(experiment: MakeResults) -> None:
    whole = experiment({"a": GOOD, "b": [0.9, 0.91, 0.93]})
    results = ended(whole, b=30)
    found = build_report(results)
    assert found["saved"] == {
        "updates": 210, "of": 600, "runs_stopped_early": 3, "runs_pruned": 0, "pruned": [],
    }  # fmt: skip
    assert [arm["stopped_early"] for arm in found["arms"]] == [0, 3]
    assert found["comparisons"] == build_report(whole)["comparisons"]
    assert found["verdict"] == build_report(whole)["verdict"]
    page = markdown(found, results)
    assert "Saved: 210 of 600 updates (35 %). Of the runs 3 stopped early and count with their last values." in page


def test_where_nothing_was_saved_the_page_is_silent(experiment: MakeResults) -> None:
    results = ended(experiment({"a": GOOD, "b": GOOD}))
    found = build_report(results)
    assert found["saved"]["updates"] == 0
    assert "Saved" not in markdown(found, results)
