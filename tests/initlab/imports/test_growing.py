"""A source that has grown since an earlier import: what comes to the experiment that is there, and what does not."""

from typing import Any

import pytest

from initlab.imports.mapping import plan
from initlab.imports.rules import Known, LeftOut, Measure, Rules
from initlab.imports.runs import FoundRun, ImportFailed
from tests.initlab.imports.test_mapping import run

BY_ARM = Rules(arm=["optimizer"])
KNOWN = Known(
    id=7,
    arms=["adam", "sgd"],
    seeds=[0, 1],
    metrics={"val_acc": Measure("val_acc", "max", "epoch")},
    outcome="val_acc",
)


def grid(optimizers: str, seeds: int, **more: Any) -> list[FoundRun]:
    names = optimizers.split()
    return [run(f"{o}-{s}", {"optimizer": o, "seed": s}, **more) for o in names for s in range(seeds)]


def test_arms_seeds_and_metrics_that_are_new_are_added() -> None:
    both = {"val_acc": [0.5], "loss": [1.0, 0.5]}
    made = plan(grid("adam sgd lion", 3, series=both), BY_ARM, KNOWN)
    assert made.added == {"arms": ["lion"], "seeds": [2], "metrics": ["loss"]}
    assert (len(made.runs), made.left_out, made.outcome) == (9, [], "val_acc")
    assert made.metrics["val_acc"].per == "epoch", "as it is declared, whatever its name says"
    shown = made.shown()
    assert (shown["experiment"], shown["added"]) == (7, made.added)


def test_what_is_there_adds_nothing() -> None:
    made = plan(grid("adam sgd", 2), BY_ARM, KNOWN)
    assert made.added == {"arms": [], "seeds": [], "metrics": []}
    assert len(made.runs) == 4


def test_a_new_arm_waits_for_all_seeds_and_takes_nothing_from_the_others() -> None:
    made = plan([*grid("adam sgd", 2), *grid("lion", 1)], BY_ARM, KNOWN)
    assert made.added["arms"] == []
    assert len(made.runs) == 4, "without what is known the seed 1 would be left out"
    assert made.left_out == [LeftOut("lion-0", "lion is new, and has no seed 1 of experiment 7 so far")]


def test_a_new_seed_waits_for_all_arms() -> None:
    made = plan([*grid("adam", 3), *grid("sgd", 2)], BY_ARM, KNOWN)
    assert made.added["seeds"] == []
    assert made.left_out == [LeftOut("adam-2", "seed 2 is not there of sgd")]
    made = plan(grid("adam", 3), BY_ARM, KNOWN)  # the files of the other arm are gone
    assert [(one.arm, one.seed) for one in made.runs] == [("adam", 0), ("adam", 1)]


def test_arms_that_nobody_named_and_that_are_called_otherwise_now_are_not_doubled() -> None:
    runs = [run(f"{i}", {"optimizer": o, "lr": lr, "seed": 0}) for i, (o, lr) in enumerate((("adam", 1), ("sgd", 2)))]
    with pytest.raises(ImportFailed, match=r"others than those of experiment 7.*no run is adam, sgd.*--arm"):
        plan(runs, Rules(), KNOWN)
    assert plan(runs, BY_ARM, KNOWN).added["arms"] == []


def test_it_stays_judged_as_it_was() -> None:
    both = {"val_acc": [0.5], "loss": [1.0, 0.5]}
    runs = grid("adam sgd", 2, series=both)
    assert (
        plan(runs, Rules(arm=["optimizer"], measures=[Measure("loss"), Measure("val_acc")]), KNOWN).outcome == "val_acc"
    )
    with pytest.raises(ImportFailed, match="is judged by val_acc, which is not among the metrics loss: name it"):
        plan(runs, Rules(arm=["optimizer"], measures=[Measure("loss", "min")]), KNOWN)
    with pytest.raises(ImportFailed, match="has val_acc:max, and val_acc:min is said now"):
        plan(runs, Rules(arm=["optimizer"], measures=[Measure("val_acc", "min")]), KNOWN)
