"""CUDA graphs, with a capture that runs on a CPU: it records what is run, into the same memory at every replay."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch

from core.training.lanes.graphs import Graph, Tensors
from core.training.lanes.model import StackedModel
from tests.core.training.trials import PICTURES, assert_same, made, rule, trained

Run = Callable[[], Tensors]


def stand_in(run: Run) -> tuple[Tensors, Callable[[], None]]:
    """Like a capture: warms up, hands out static memory, and computes when it is replayed and not before."""
    for _ in range(3):
        run()
    outputs = tuple(torch.full_like(output, float("nan")) for output in run())

    def replay() -> None:
        for mine, new in zip(outputs, run(), strict=True):
            mine.copy_(new)

    return outputs, replay


class Step:
    """A function with an input's sum, and a count of what it saw, changed in place as a norm's statistics are."""

    def __init__(self) -> None:
        self.count = torch.zeros(1)
        self.given: list[int] = []

    def __call__(self, x: torch.Tensor, y: torch.Tensor) -> Tensors:
        self.given.append(x.data_ptr())
        self.count += x.sum()
        return x * y, x + y


def test_inputs_go_into_static_memory_and_buffers_are_not_warmed() -> None:
    step, captures = Step(), []

    def capture(run: Run) -> tuple[Tensors, Callable[[], None]]:
        captures.append(run)
        return stand_in(run)

    graph = Graph(step, [step.count], capture)
    total, outputs = 0.0, []
    for i in range(4):
        x, y = torch.full((3,), float(i)), torch.full((3,), 2.0)
        outputs.append(graph(x, y))
        total += 3 * i
        assert step.count.item() == total, "each call is one step, warming up none"
        assert [output.tolist() for output in outputs[-1]] == [[2.0 * i] * 3, [i + 2.0] * 3]
        assert x.data_ptr() not in step.given
    assert len(captures) == 1
    assert len(set(step.given)) == 1
    assert {tuple(output.data_ptr() for output in pair) for pair in outputs} == {
        tuple(output.data_ptr() for output in outputs[0])
    }


def test_the_callers_tensors_stay_the_callers() -> None:
    graph = Graph(lambda x: (x.mul_(2),), [], stand_in)
    x = torch.ones(3)
    assert graph(x)[0].tolist() == [2.0] * 3
    assert x.tolist() == [1.0] * 3


def test_other_shapes_go_to_the_function_itself() -> None:
    step = Step()
    graph = Graph(step, [step.count], stand_in)
    graph(torch.ones(3), torch.ones(3))
    smaller = torch.ones(2)
    product, _ = graph(smaller, torch.full((2,), 5.0))
    assert product.tolist() == [5.0, 5.0]
    assert step.given[-1] == smaller.data_ptr()
    assert step.count.item() == 5
    assert graph(torch.ones(3), torch.full((3,), 4.0))[0].tolist() == [4.0] * 3, "and the first ones to the capture"
    assert step.given[-1] != smaller.data_ptr()


def test_what_cannot_be_captured_is_called(caplog: pytest.LogCaptureFixture) -> None:
    step, tries = Step(), []

    def refuse(run: Run) -> tuple[Tensors, Callable[[], None]]:
        tries.append(run())
        raise RuntimeError("operation not permitted when stream is capturing")

    graph = Graph(step, [step.count], refuse)
    with caplog.at_level(logging.WARNING):
        for i in range(3):
            product, _ = graph(torch.ones(3), torch.full((3,), float(i)))
            assert product.tolist() == [float(i)] * 3
            assert step.count.item() == 3 * (i + 1), "the try left no trace"
    assert len(tries) == 1
    assert [record.message for record in caplog.records] == [
        "the step cannot be captured as a CUDA graph, and is launched kernel by kernel: operation not permitted when "
        "stream is capturing"
    ]


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("no memory"), ValueError("a bug")], ids=repr)
def test_other_errors_pass_through(error: Exception) -> None:
    step = Step()

    def fail(run: Run) -> tuple[Tensors, Callable[[], None]]:
        run()
        raise error

    with pytest.raises(type(error), match=str(error)):
        Graph(step, [step.count], fail)(torch.ones(3), torch.ones(3))
    assert step.count.item() == 0


def test_training_by_replays_is_training(make_lanes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With dropout, batch norm, a smaller last batch, and a lane that leaves: then the narrower stack is captured."""
    data, info = made(PICTURES, train=22, valid=10)
    lanes = make_lanes(
        {"initializer": "he_normal"},
        {"initializer": {"name": "constant", "value": 1e12}},
        {"schedule": "cosine"},
        seeds=(0, 3),
        model={"name": "cnn", "channels": [3], "dense": [6, 6, 6, 6]},
        optimizer=rule("adam"),
        batch_size=8,
        epochs=3,
    )
    plain, captures, replays = trained(lanes, data, info), [], []

    def counted(run: Run) -> tuple[Tensors, Callable[[], None]]:
        outputs, replay = stand_in(run)
        captures.append(len(outputs[0]))
        return outputs, lambda: (replays.append(1), replay())[1]

    make = StackedModel.__init__

    def graphed(self: StackedModel, *given: Any, **more: Any) -> None:
        make(self, *given, **more)
        self._gradients = Graph(self._differentiate, list(self._buffers.values()), counted)

    monkeypatch.setattr(StackedModel, "__init__", graphed)
    assert_same(trained(lanes, data, info), plain)
    assert captures == [6, 4]
    assert len(replays) == 6
    assert list(plain.outcomes.values()).count("diverged") == 2
