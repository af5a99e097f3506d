"""The test split: judged once, when a run ends, and seen by nothing before."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import DatasetPaths, Splits
from core.metrics import epoch_metrics, is_of_test, measured_on_test
from core.spec import parse
from core.training import Checkpoint, Lane, MemoryRecorder, Stopped, train, train_lanes, train_run
from tests.core.training.trials import CUT, PICTURES, arranged, assert_near, assert_same, made, referred, trained

_WHOLE, _FACTS = made(PICTURES, train=22, valid=19)
DATA = _WHOLE._replace(
    x_valid=_WHOLE.x_valid[:10],
    y_valid=_WHOLE.y_valid[:10],
    x_test=_WHOLE.x_valid[10:],
    y_test=_WHOLE.y_valid[10:],
)
FACTS = _FACTS._replace(valid=10, test=9)
NOISE = DATA._replace(x_test=torch.randn(9, *PICTURES), y_test=DATA.y_test.flip(0))
STOPS = {"metric": "valid_loss", "patience": 1}
ARMS: list[dict[str, Any]] = [
    {"initializer": "he_normal", "optimizer.lr": 0.5, "early_stopping": STOPS},
    {"initializer": "glorot_uniform", "schedule": CUT},
    {"initializer": "ones", "optimizer.lr": 1e12},
]
"""One that stops early, one that is trained to the end by its validation loss, one that diverges."""
BASE: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [6, 5], "activation": "linear", "dropout": 0.3},
    "optimizer": {"name": "sgd", "lr": 0.02},
    "batch_size": 8,
    "epochs": 5,
    "ema_decay": 0.7,
}
KEPT = {"examples": True, "classification": True}
NAMES = [metric.name for metric in measured_on_test("multiclass", 3, averaged=True)]


@pytest.fixture
def lanes(make_lanes: Any) -> list[Lane]:
    found: list[Lane] = make_lanes(*ARMS, seeds=(0, 3), **BASE)
    return found


def of_test(recorder: MemoryRecorder) -> dict[tuple[int, str], Any]:
    return {key: values for key, values in recorder.series.items() if is_of_test(key[1])}


def test_lanes_agree_with_the_plain_loop(lanes: list[Lane]) -> None:
    fast, slow = trained(lanes, DATA, FACTS, dtype=torch.float64), referred(lanes, DATA, FACTS)
    assert_near(fast, slow, rtol=1e-9, atol=1e-12)
    assert {fast.outcomes[lane.run] for lane in lanes} == {"stopped_early", "completed", "diverged"}
    assert fast.begins == slow.begins


def test_a_run_is_judged_once_with_the_weights_that_it_ends_with(lanes: list[Lane]) -> None:
    found = trained(lanes, DATA, FACTS, dtype=torch.float64)
    for lane in lanes:
        if found.outcomes[lane.run] == "diverged":
            assert not any((lane.run, name) in found.series for name in NAMES)
            continue
        epochs = len(found.series[lane.run, "valid_loss"])
        for name in NAMES:
            assert len(found.series[lane.run, name]) == 1
            assert found.begins[lane.run, name] == epochs - 1
    same = DATA._replace(x_test=DATA.x_valid, y_test=DATA.y_valid)
    twice = trained(lanes, same, FACTS._replace(test=10), dtype=torch.float64)
    for (run, name), (value,) in of_test(twice).items():
        assert value == twice.series[run, name.replace("test_", "valid_")][-1]


def test_nothing_but_the_verdict_sees_it(lanes: list[Lane]) -> None:
    found, other, without = (
        trained(lanes, data, FACTS)
        for data in (DATA, NOISE, DATA._replace(x_test=torch.empty(0), y_test=torch.empty(0)))
    )
    assert of_test(found).keys() == of_test(other).keys() != {}
    assert any(value != of_test(other)[key] for key, value in of_test(found).items())
    assert not of_test(without)
    for recorder in (found, other):
        for key in of_test(recorder):
            del recorder.blocks[key]
        assert_same(recorder, without)


def test_company_does_not_matter(lanes: list[Lane]) -> None:
    together = of_test(trained(lanes, DATA, FACTS, dtype=torch.float64))
    for company in ([lane] for lane in lanes):
        apart = of_test(trained(company, DATA, FACTS, dtype=torch.float64))
        assert apart.keys() == {key for key in together if key[0] == company[0].run}
        for key, values in apart.items():
            np.testing.assert_allclose(values, together[key], rtol=1e-11)


def test_a_stop_anywhere_goes_on(lanes: list[Lane], tmp_path: Path) -> None:
    """Also while the test split is evaluated, of a run that stops early and of those that come to their end."""
    whole, asked, lanes = MemoryRecorder(), [0], lanes[::2]

    def stops_at(poll: int) -> Callable[[], bool]:
        asked[0] = 0

        def stopped() -> bool:
            asked[0] += 1
            return asked[0] == poll

        return stopped

    train_lanes(lanes, DATA, FACTS, whole, **arranged(**KEPT), stopped=stops_at(0))
    polls, ended = asked[0], set()
    for poll in sorted({*range(1, polls, 2), *range(polls - 4, polls + 1)}):
        recorder = MemoryRecorder()
        with pytest.raises(Stopped) as stop:
            train_lanes(lanes, DATA, FACTS, recorder, **arranged(**KEPT), stopped=stops_at(poll))
        ended.add(len(recorder.outcomes))
        stop.value.checkpoint().write(tmp_path / "checkpoint")
        start = Checkpoint.read(tmp_path / "checkpoint")
        train_lanes(lanes, DATA, FACTS, recorder, **arranged(start=start, **KEPT))
        assert_same(recorder, whole)
        assert {run: bits.tolist() for run, bits in recorder.correct.items()} == {
            run: bits.tolist() for run, bits in whole.correct.items()
        }
        assert counts_of(recorder) == counts_of(whole)
        assert recorder.begins == whole.begins
    assert len(ended) > 2


@pytest.mark.parametrize(
    "data", [DATA, DATA._replace(x_test=torch.empty(0), y_test=torch.empty(0))], ids=["test", "valid"]
)
def test_which_examples_a_run_gets_right_are_those_of_its_last_accuracy(lanes: list[Lane], data: Splits) -> None:
    """Of the judged split: of the test split, or of validation where there is none."""
    found = trained(lanes, data, FACTS, dtype=torch.float64, examples=True)
    assert not trained(lanes, data, FACTS).correct, "only where it is asked for"
    split = "test" if len(data.x_test) else "valid"
    for lane in lanes:
        if found.outcomes[lane.run] == "diverged":
            assert lane.run not in found.correct
            continue
        right = found.correct[lane.run]
        assert (right.dtype, right.shape) == (np.bool_, (9 if split == "test" else 10,))
        assert right.mean() == found.series[lane.run, f"{split}_accuracy"][-1]
        (alone,) = trained([lane], data, FACTS, dtype=torch.float64, examples=True).correct.values()
        assert np.array_equal(right, alone)


@pytest.mark.parametrize(
    "data", [DATA, DATA._replace(x_test=torch.empty(0), y_test=torch.empty(0))], ids=["test", "valid"]
)
def test_classes_are_counted_as_the_plain_loop_counts_them(lanes: list[Lane], data: Splits) -> None:
    fast, slow = trained(lanes, data, FACTS, dtype=torch.float64, classification=True), MemoryRecorder()
    for lane in lanes:
        train_run(lane, data, FACTS, slow, dtype=torch.float64, classification=True)
    assert counts_of(fast) == counts_of(slow) != {}
    assert fast.classified.keys() == {run for run, outcome in fast.outcomes.items() if outcome != "diverged"}
    assert not trained(lanes, data, FACTS).classified, "only where it is asked for"


def counts_of(recorder: MemoryRecorder) -> dict[int, list[Any]]:
    return {
        run: [one.confusion.tolist(), one.scores.tolist(), one.confidence.tolist()]
        for run, one in recorder.classified.items()
    }


def test_a_run_that_is_cut_inside_an_epoch_is_not_judged(lanes: list[Lane]) -> None:
    for updates in (2, 4):
        assert not of_test(trained(lanes[2:4], DATA, FACTS, updates=updates))


def test_the_library_judges_on_it(tmp_path: Path) -> None:
    spec = {"dataset": {"name": "digits", "valid_fraction": 0.05, "test_fraction": 0.9}, "epochs": 2, "seeds": 2}
    results = train(parse(spec | {"model": {"name": "mlp", "hidden": [4]}}), DatasetPaths(), checkpoints=tmp_path)
    assert (results.design.split, results.design.primary.name) == ("test", "test_accuracy")
    (first, _) = results.series("test_accuracy")
    assert first.steps.tolist() == [1], "after the last epoch"
    assert results.runs[0].final["test_accuracy"] == first.values[0]
    expected = {run.id: run.final["test_accuracy"] for run in results.runs}
    assert {run: bits.mean() for run, bits in results.correct().items()} == expected
    named = {run: np.trace(one.confusion) / one.examples for run, one in results.classified().items()}
    assert named == expected


def test_epochs_are_measured_without_it() -> None:
    measured: Callable[..., tuple[str, ...]] = epoch_metrics
    assert not any(map(is_of_test, measured("multiclass", 10, averaged=True)))
