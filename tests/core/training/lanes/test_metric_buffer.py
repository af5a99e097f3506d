"""What is measured is handed over once, in order and by the block."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from core.training import Lane, MemoryRecorder
from core.training.lanes.metric_buffer import MetricBuffer

METRICS = ("valid_loss", "valid_accuracy")
NAN = float("nan")


@pytest.fixture
def lanes(make_lanes: Any) -> list[Lane]:
    """Runs 0, 100 and 200."""
    made: list[Lane] = make_lanes({}, {}, {})
    return made


def buffer(
    lanes: list[Lane], recorder: MemoryRecorder, seconds: float = 0.0, rows: int = 8, **given: Any
) -> MetricBuffer:
    """Of epochs of two updates."""
    return MetricBuffer(
        lanes,
        recorder,
        metrics=METRICS,
        steps_per_epoch=2,
        block=torch.empty(rows, len(lanes), dtype=torch.float64),
        seconds=seconds,
        **given,
    )


def measure(book: MetricBuffer, step: int, *losses: float) -> None:
    """As the trainer does: the losses go into the row of the block, which belongs to it."""
    book.block[book.row] = torch.tensor(losses, dtype=torch.float64)
    book.step(np.arange(len(losses), dtype=np.float64) + step / 10)


def epoch(book: MetricBuffer, *losses: float) -> None:
    book.epoch(torch.tensor([losses, [loss / 2 for loss in losses]], dtype=torch.float64))


def test_points_are_the_lanes_own_and_in_order(lanes: list[Lane]) -> None:
    recorder = MemoryRecorder()
    book = buffer(lanes, recorder, seconds=3600)
    for step in range(4):
        measure(book, step, step, step + 10, step + 20)
        book.poll()
        if step % 2:
            epoch(book, step, step + 10, step + 20)
    assert recorder.step == 1, "the first update is shown at once, the others when the block is due"
    book.finish()
    assert recorder.step == 4
    for i, lane in enumerate(lanes):
        assert recorder.series[lane.run, "train_loss"].tolist() == [10 * i + step for step in range(4)]
        assert recorder.series[lane.run, "lr"].tolist() == [i + step / 10 for step in range(4)]
        assert recorder.series[lane.run, "valid_loss"].tolist() == [10 * i + 1, 10 * i + 3]
        assert recorder.series[lane.run, "valid_accuracy"].tolist() == [(10 * i + 1) / 2, (10 * i + 3) / 2]
    assert set(recorder.outcomes.values()) == {"completed"}


def test_what_was_handed_over_is_the_recorders(lanes: list[Lane]) -> None:
    class Keeping(MemoryRecorder):
        def record(self, run: int, metric: str, first: int, values: Any) -> None:
            assert first == len(self.blocks[run, metric])
            self.blocks[run, metric].append(values)

    recorder = Keeping()
    book = buffer(lanes, recorder)
    for step in range(3):
        measure(book, step, step, step, step)
        book.poll()
    assert recorder.series[0, "train_loss"].tolist() == [0, 1, 2]
    assert recorder.series[0, "lr"].tolist() == [0.0, 0.1, 0.2]


def test_a_full_block_is_sent_before_it_is_due(lanes: list[Lane]) -> None:
    recorder = MemoryRecorder()
    book = buffer(lanes, recorder, seconds=3600, rows=3)
    seen = []
    for step in range(8):
        book.poll()
        seen.append(recorder.step)
        measure(book, step, step, step, step)
    assert seen == [0, 1, 1, 1, 4, 4, 4, 7]
    book.flush()
    assert recorder.series[100, "train_loss"].tolist() == list(range(8))


def test_other_lanes_go_on_in_their_own_order(lanes: list[Lane]) -> None:
    recorder = MemoryRecorder()
    book = buffer(lanes, recorder)
    measure(book, 0, 1.0, NAN, 3.0)
    measure(book, 1, 1.5, 2.5, 3.5)
    assert book.finite() == [True, False, True]
    assert book.training == {0, 100, 200}, "not looked at yet"
    book.keep([lanes[2], lanes[0]], torch.empty(8, 2, dtype=torch.float64))
    assert book.training == {0, 200}
    assert recorder.outcomes == {100: "diverged"}
    assert book.finite() == [True, True], "nothing measured since"
    measure(book, 2, 30.0, 10.0)
    epoch(book, 31.0, 11.0)
    book.finish()
    assert recorder.series[0, "train_loss"].tolist() == [1.0, 1.5, 10.0]
    assert recorder.series[200, "train_loss"].tolist() == [3.0, 3.5, 30.0]
    np.testing.assert_array_equal(recorder.series[100, "train_loss"], [NAN])
    assert recorder.series[0, "lr"].tolist() == [0.0, 0.1, 1.2]
    assert recorder.series[0, "valid_loss"].tolist() == [11.0]
    assert (100, "valid_loss") not in recorder.series
    assert recorder.outcomes == {0: "completed", 100: "diverged", 200: "completed"}


def test_it_goes_on_where_another_ended(lanes: list[Lane]) -> None:
    recorder = MemoryRecorder()
    before = buffer(lanes, recorder)
    for step in range(3):
        measure(before, step, 1.0, NAN, 3.0)
        if step == 1:
            epoch(before, 1.0, 2.0, 3.0)
    before.flush()
    after = buffer(lanes, recorder, step=3, epochs=1, ended=[100])
    assert after.training == {0, 200}
    measure(after, 3, 1.0, 2.0, 3.0)  # a lane that has ended may be finite again
    epoch(after, 1.0, 2.0, 3.0)
    after.finish()
    assert [len(recorder.series[run, "train_loss"]) for run in (0, 100, 200)] == [4, 1, 4]
    assert [len(recorder.series[run, "valid_loss"]) for run in (0, 200)] == [2, 2]
    assert recorder.outcomes == {0: "completed", 100: "diverged", 200: "completed"}


@dataclass
class Event:
    """A copy that arrives when it is waited for, or when the test says so."""

    there: bool = False

    def query(self) -> bool:
        return self.there

    def synchronize(self) -> None:
        self.there = True


@pytest.fixture
def on_its_way(lanes: list[Lane], monkeypatch: pytest.MonkeyPatch) -> tuple[MetricBuffer, MemoryRecorder, list[Event]]:
    """A buffer whose blocks come as from a GPU: copied, behind an event of which the test decides."""
    recorder, events = MemoryRecorder(), list[Event]()
    book = buffer(lanes, recorder)

    class OnDevice(torch.Tensor):
        is_cuda = True

    def event() -> Any:
        events.append(made := Event())
        made.record = lambda: None  # type: ignore[attr-defined]
        return made

    book.block = book.block.as_subclass(OnDevice)
    monkeypatch.setattr(
        "core.training.lanes.metric_buffer._to_host", lambda values: values.as_subclass(torch.Tensor).clone()
    )
    monkeypatch.setattr(torch.cuda, "Event", event)
    return book, recorder, events


def test_a_block_is_handed_over_when_it_has_arrived(on_its_way: Any) -> None:
    book, recorder, events = on_its_way
    measure(book, 0, 1.0, 2.0, 3.0)
    book.poll()
    assert (len(events), recorder.step) == (1, 0)
    measure(book, 1, 1.1, 2.1, 3.1)  # meanwhile the block's memory is written again
    events[0].there = True
    book._due_at = float("inf")
    book.poll()
    assert recorder.step == 1
    assert recorder.series[0, "train_loss"].tolist() == [1.0]
    assert recorder.series[0, "lr"].tolist() == [0.0]
    book.finish()
    assert recorder.series[200, "train_loss"].tolist() == [3.0, 3.1]
    assert recorder.series[200, "lr"].tolist() == [2.0, 2.1]


def test_one_block_waits_for_the_one_before(on_its_way: Any) -> None:
    book, recorder, events = on_its_way
    for step in range(3):
        measure(book, step, 1.0 + step, 2.0, 3.0)
        book.poll()
        assert recorder.step == step, "one block is on its way, those before it are there"
    assert [event.there for event in events] == [True, True, False]
    book.flush()
    assert recorder.series[0, "train_loss"].tolist() == [1.0, 2.0, 3.0]


def test_a_lane_that_ended_in_a_block_on_its_way_has_ended(on_its_way: Any) -> None:
    """Whether the block has arrived is the clock's affair; who leaves at an epoch's end must not be."""
    book, recorder, _ = on_its_way
    measure(book, 0, 1.0, NAN, 3.0)
    book.poll()
    measure(book, 1, 1.0, 2.0, 3.0)
    finite = book.finite()
    left = [run for run, fine in zip((0, 100, 200), finite, strict=True) if fine and run in book.training]
    assert left == [0, 200]
    assert recorder.outcomes == {100: "diverged"}


@pytest.mark.parametrize(("lanes", "pace"), [(1, 1.0), (33, 1.0), (66, 2.0), (330, 10.0), (3300, 10.0)])
def test_blocks_of_many_lanes_come_more_seldom(
    make_lanes: Any, lanes: int, pace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    many = [Lane(run, make_lanes({})[0].treatment, run) for run in range(lanes)]
    recorder = MemoryRecorder()
    book = buffer(many, recorder, seconds=0.5)
    advances = []
    for step, later in enumerate((0, pace * 0.5 - 0.01, 0.01)):
        now += later
        measure(book, step, *[0.0] * lanes)
        book.poll()
        advances.append((step + 1, recorder.step))
    assert advances == [(1, 1), (2, 1), (3, 3)]


LOOKED_AT = ("activation_std/fc1", "weight_norm/fc1")


def diagnose(book: MetricBuffer, *values: float) -> None:
    book.diagnosed(LOOKED_AT, torch.tensor([values, [10 * value for value in values]], dtype=torch.float64))


@pytest.mark.parametrize("start", [0, 3, 4])
def test_diagnoses_come_with_theblock_of_their_updates(lanes: list[Lane], start: int) -> None:
    """Numbered from 0, whatever was recorded before, and of a lane that ends none after its end."""
    recorder = MemoryRecorder()
    looks = -(-start // 3)
    for run in (0, 100, 200):
        for metric in ("train_loss", "lr", *LOOKED_AT):
            recorder.record(run, metric, 0, np.zeros(start if metric in ("train_loss", "lr") else looks))
    book = buffer(lanes, recorder, seconds=3600, step=start, epochs=start // 2, every=3)
    for step in range(start, 9):
        if step % 3 == 0:
            diagnose(book, step, step + 0.1, step + 0.2)
        measure(book, step, 1.0, NAN if step == 5 else 1.0, 1.0)
        if step in (start, 4):
            book.flush()
    book.finish()
    for i, lane in enumerate(lanes):
        expected = [step + i / 10 for step in (0, 3, 6)[looks:] if step <= 5 or i != 1]
        assert recorder.series[lane.run, "activation_std/fc1"][looks:].tolist() == expected
        assert recorder.series[lane.run, "weight_norm/fc1"][looks:] == pytest.approx([10 * one for one in expected])
    assert recorder.outcomes == {0: "completed", 100: "diverged", 200: "completed"}


def test_diagnoses_too_are_copied_while_training_goes_on(on_its_way: Any) -> None:
    book, recorder, events = on_its_way
    diagnose(book, 1.0, 2.0, 3.0)
    measure(book, 0, 1.0, 2.0, 3.0)
    book.poll()
    diagnose(book, 4.0, 5.0, 6.0)
    measure(book, 1, 1.0, 2.0, 3.0)
    assert (len(events), (0, LOOKED_AT[0]) in recorder.series) == (1, False)
    book.finish()
    assert recorder.series[200, LOOKED_AT[0]].tolist() == [3.0, 6.0]


def test_blocks_with_more_series_come_more_seldom(make_lanes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """33 lanes with 5 diagnostics have as many series as 66 without."""
    now, names = 100.0, [f"weight_norm/fc{i}" for i in range(5)]
    monkeypatch.setattr(time, "monotonic", lambda: now)
    many = [Lane(run, make_lanes({})[0].treatment, run) for run in range(33)]
    recorder = MemoryRecorder()
    book = buffer(many, recorder, seconds=0.5)
    advances = []
    for later in (0, 0.99, 0.01):
        now += later
        book.diagnosed(names, torch.zeros(5, 33, dtype=torch.float64))
        measure(book, 0, *[0.0] * 33)
        book.poll()
        advances.append(recorder.step)
    assert advances == [1, 1, 3]
