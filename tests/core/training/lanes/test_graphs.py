"""CUDA graphs of functions: what they change and return, and what happens when a capture fails."""

import logging

import pytest
import torch

from core.training.lanes.graphs import WARM_UP, Graphs

pytestmark = pytest.mark.gpu


@pytest.fixture
def graphs() -> Graphs:
    return Graphs()


class Step:
    """A function of tensors in fixed places that changes one of them, and counts how often it was run."""

    def __init__(self) -> None:
        self.x, self.total = (torch.zeros(3, device="cuda") for _ in range(2))
        self.runs = 0

    def __call__(self) -> tuple[torch.Tensor, ...]:
        self.runs += 1
        self.total += self.x
        return (self.total * 2,)


def in_a_stream(graphs: Graphs, step: Step, times: int, key: str = "step") -> list[list[float]]:
    found = []
    with torch.cuda.stream(torch.cuda.Stream()):
        for i in range(times):
            step.x.fill_(float(i))
            (doubled,) = graphs.run(key, step)
            found.append(doubled.tolist())
    return found


def test_every_call_is_one_step_and_those_after_the_warm_up_are_replays(graphs: Graphs) -> None:
    step = Step()
    found = in_a_stream(graphs, step, 6)
    assert found == [[2.0 * total] * 3 for total in (0, 1, 3, 6, 10, 15)]
    assert step.runs == WARM_UP + 1, "the third was the capture"


def test_a_key_has_a_graph_of_its_own(graphs: Graphs) -> None:
    one, other = Step(), Step()
    first, second = in_a_stream(graphs, one, 5, "one"), in_a_stream(graphs, other, 4, "other")
    assert first[:4] == second
    assert (one.runs, other.runs) == (3, 3)
    assert in_a_stream(graphs, one, 1, "one") == [[20.0] * 3]


def test_after_closing_all_is_captured_anew(graphs: Graphs) -> None:
    step = Step()
    in_a_stream(graphs, step, 5)
    graphs.close()
    step.total.zero_()
    assert in_a_stream(graphs, step, 5)[-1] == [20.0] * 3
    assert step.runs == 2 * (WARM_UP + 1)


def test_what_cannot_be_captured_is_called_and_the_stream_stays_the_callers(
    graphs: Graphs, caplog: pytest.LogCaptureFixture
) -> None:
    class Waiting(Step):
        def __call__(self) -> tuple[torch.Tensor, ...]:
            (doubled,) = super().__call__()
            assert doubled.sum().item() == 6 * self.total[0].item()
            return (doubled,)

    step, stream = Waiting(), torch.cuda.Stream()
    with caplog.at_level(logging.WARNING), torch.cuda.stream(stream):
        for i in range(5):
            step.x.fill_(float(i))
            graphs.run("step", step)
            assert torch.cuda.current_stream() == stream
    assert step.total.tolist() == [10.0] * 3
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the update cannot be captured as a CUDA graph, and is launched kernel by kernel"
    ]


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), ValueError("a bug")], ids=lambda error: str(error)
)
def test_other_errors_pass_through(graphs: Graphs, error: Exception) -> None:
    step = Step()
    in_a_stream(graphs, step, WARM_UP)

    def fail() -> tuple[torch.Tensor, ...]:
        step()
        raise error

    with pytest.raises(type(error), match=str(error)), torch.cuda.stream(torch.cuda.Stream()):
        graphs.run("step", fail)
    assert step.total.tolist() == [1.0] * 3, "what was captured in vain has changed nothing"
