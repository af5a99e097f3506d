"""Which run is which arm and seed: by what is said, by rule, and what is left out."""

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.imports.directions import direction_of, outcome_of
from initlab.imports.mapping import plan
from initlab.imports.rules import LeftOut, Measure, Rules
from initlab.imports.runs import FoundRun, ImportFailed, Series


def run(name: str, config: dict[str, Any] | None = None, /, started: float = 0, **more: Any) -> FoundRun:
    series = more.pop("series", {"val_acc": [0.5]})
    made = {metric: Series(array("q", range(len(v))), array("d", v)) for metric, v in series.items()}
    return FoundRun(key=name, name=name, config=config or {}, series=made, started=started, **more)


def of(runs: list[FoundRun], **rules: Any) -> dict[str, tuple[str, int]]:
    return {one.run.name: (one.arm, one.seed) for one in plan(runs, Rules(**rules)).runs}


def test_arm_and_seed_are_the_fields_that_are_said() -> None:
    runs = [run(f"{o}{s}", {"optimizer": o, "lr": 0.1, "s": s}) for o in ("adam", "sgd") for s in (0, 1)]
    assert of(runs, arm=["optimizer"], seed="s") == {
        "adam0": ("adam", 0), "adam1": ("adam", 1), "sgd0": ("sgd", 0), "sgd1": ("sgd", 1)
    }  # fmt: skip
    assert of(runs, arm=["optimizer", "lr"], seed="s")["adam0"] == ("optimizer=adam, lr=0.1", 0)


def test_nothing_said_a_tag_arm_goes_before_settings_that_differ() -> None:
    runs = [run(f"{i}", {"lr": i, "seed": 7, "epochs": 2}) for i in (1, 2)]
    assert of(runs) == {"1": ("1", 7), "2": ("2", 7)}
    for one, arm in zip(runs, "ab", strict=True):
        one.tags["arm"] = arm
    assert of(runs) == {"1": ("a", 7), "2": ("b", 7)}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["adam/seed_0", "sgd/seed_0"], [("adam", 0), ("sgd", 0)]),
        (["adam-3", "lr0.1_3"], [("adam", 3), ("lr0.1", 3)]),
        (["v2/run12", "v1/run12"], [("v2", 12), ("v1", 12)]),
    ],
)
def test_nothing_at_all_said_names_that_end_with_a_number_are_arm_and_seed(
    names: list[str], found: list[tuple[str, int]]
) -> None:
    assert list(of([run(name) for name in names]).values()) == found


def test_a_metric_counts_epochs_where_all_runs_say_so_or_its_name_does_and_as_it_is_said() -> None:
    counted, other = run("a1", by_epochs={"val_acc"}), run("b1")
    assert [plan(runs, Rules()).metrics["val_acc"].per for runs in ([counted], [counted, other])] == ["epoch", "step"]
    said = Rules(measures=[Measure("val_acc", "max", "step")])
    assert plan([counted], said).metrics["val_acc"].per == "step"
    assert plan([run("a1", series={"epoch_loss": [1.0]})], Rules()).metrics["epoch_loss"].per == "epoch"


def test_a_pattern_names_parts_of_the_name() -> None:
    runs = [run("he/lr=0.1/s3/x"), run("glorot/lr=0.1/s3/y"), run("other")]
    made = plan(runs, Rules(path="{init}/lr={lr}/s{n}/*", arm=["init", "lr"], seed="n"))
    assert [(one.arm, one.seed) for one in made.runs] == [("init=he, lr=0.1", 3), ("init=glorot, lr=0.1", 3)]
    assert made.left_out == [LeftOut("other", "nothing says which arm it is")]
    with pytest.raises(ImportFailed, match="fits no run's name"):
        plan(runs, Rules(path="{arm}-{seed}-z"))


@pytest.mark.parametrize(("value", "seed"), [("3", 3), (3.0, 3), ("seed_4", 4), ("5.0", 5)])
def test_a_seed_may_be_written_so(value: Any, seed: int) -> None:
    assert of([run("a", {"arm": "x", "seed": value})])["a"] == ("x", seed)


@pytest.mark.parametrize("value", ["first", 1.5, -1, True, None, 2**31])
def test_other_seeds_leave_a_run_out(value: Any) -> None:
    made = plan([run("a", {"arm": "x", "seed": value}), run("b", {"arm": "x", "seed": 0})], Rules())
    assert [one.run for one in made.left_out] == ["a"]
    assert "its seed is none" in made.left_out[0].reason


def test_of_two_runs_of_an_arm_and_a_seed_the_finished_then_the_newer_is_taken() -> None:
    same = {"arm": "x", "seed": 0}
    runs = [run("old", same, 1), run("new", same, 2), run("newest", same, 3, state="running")]
    made = plan(runs, Rules())
    assert [one.run.name for one in made.runs] == ["new"]
    assert {one.run for one in made.left_out} == {"old", "newest"}


def test_seeds_that_an_arm_lacks_are_left_out() -> None:
    runs = [run(f"a{s}", {"arm": "a", "seed": s}) for s in (0, 1, 2)] + [run("b1", {"arm": "b", "seed": 1})]
    made = plan(runs, Rules())
    assert (made.seeds, [one.run.name for one in made.runs]) == ([1], ["a1", "b1"])
    assert LeftOut("a2", "seed 2 is not there of b") in made.left_out
    with pytest.raises(ImportFailed, match=r"no seed is common to all arms.*a: 0; b: 1"):
        plan([runs[0], runs[3]], Rules())


def test_runs_may_be_numbered_where_no_seed_was_logged() -> None:
    runs = [
        run("late", {"arm": "a"}, 9),
        run("early", {"arm": "a"}, 1),
        run("b", {"arm": "b"}, 5),
        run("c", {"arm": "b"}, 6),
    ]
    made = plan(runs, Rules(number_runs=True))
    assert {one.run.name: one.seed for one in made.runs} == {"early": 0, "late": 1, "b": 0, "c": 1}
    assert any("pairs mean nothing" in note for note in made.notes)


def test_failed_runs_come_along_and_others_without_the_outcome_do_not() -> None:
    runs = [run("ok", {"arm": "a", "seed": 0}), run("died", {"arm": "a", "seed": 1}, state="failed", series={}),
            run("empty", {"arm": "a", "seed": 2}, series={"loss": [1.0]})]  # fmt: skip
    made = plan(runs, Rules(measures=[Measure("val_acc", "max")]))
    assert [one.run.name for one in made.runs] == ["ok", "died"]
    assert made.left_out == [LeftOut("empty", "it has no val_acc")]


def test_where_keeps_runs_and_says_of_the_others_why_not() -> None:
    runs = [run(n, {"arm": "a", "seed": 0, "data": d, "lr": 0.1}) for n, d in (("m", "mnist"), ("c", "cifar"))]
    made = plan(runs, Rules(where={"data": "mnist", "lr": "0.10"}))
    assert [one.run.name for one in made.runs] == ["m"]
    assert made.left_out == [LeftOut("c", "data is cifar")]


def test_a_field_or_metric_that_is_not_there_is_refused_with_the_nearest() -> None:
    runs = [run("a", {"optimizer": "adam", "seed": 0})]
    for rules, said in (
        ({"arm": ["optimiser"]}, "'optimiser'.*optimizer"),
        ({"measures": [Measure("val_ac")]}, "val_acc"),
    ):
        with pytest.raises(ImportFailed, match=said):
            plan(runs, Rules(**rules))


def test_metrics_get_names_that_the_server_takes() -> None:
    made = plan([run("a", {"arm": "x", "seed": 0}, series={"loss[train]=é": [1.0]})], Rules())
    assert list(made.metrics) == ["loss_train__é"]


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("val_acc", ("val_acc", None, None)),
        ("val_acc:max", ("val_acc", "max", None)),
        ("loss:min:epoch", ("loss", "min", "epoch")),
        ("a:b:epoch:min", ("a:b", "min", "epoch")),
        ("a:max:max", ("a:max", "max", None)),
    ],
)
def test_a_measure_is_written_so(text: str, measure: tuple[str, str | None, str | None]) -> None:
    assert Measure.parse(text) == measure


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        *[
            (name, "min")
            for name in ("loss", "val_loss", "valLoss", "train/cross_entropy", "RMSE", "error_rate", "wer")
        ],
        *[(name, "min") for name in ("eval_loss", "mean_squared_error", "log_loss", "sparse_categorical_crossentropy")],
        *[
            (name, "max")
            for name in ("acc", "val_f1", "neg_mean_squared_error", "AUC", "r2_score", "reward", "lossless")
        ],
    ],
)
def test_a_name_says_which_values_are_better(metric: str, direction: str) -> None:
    assert direction_of(metric) == direction


def test_validation_is_judged_before_test_and_training_and_accuracy_before_loss() -> None:
    order = ["val_acc", "val_loss", "test_acc", "acc", "loss", "train_acc", "train_loss", "lr"]
    for i in range(len(order)):
        assert outcome_of(reversed(order[i:])) == order[i]


@given(st.lists(st.tuples(st.integers(-5, 20), st.floats(-1, 1)), min_size=1, max_size=30))
def test_settled_steps_rise_and_of_a_step_the_last_value_holds(points: list[tuple[int, float]]) -> None:
    steps, values = (array(kind, column) for kind, column in zip("qd", zip(*points, strict=True), strict=True))
    found = Series(steps, values).settled()
    if len(set(steps)) == 1:
        assert list(found.values) == list(values)
    else:
        assert dict(zip(found.steps, found.values, strict=True)) == {s: v for s, v in points if s >= 0}
    assert list(found.steps) == sorted(set(found.steps))
    assert not found.steps or found.steps[0] >= 0
