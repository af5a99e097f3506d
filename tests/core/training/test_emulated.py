"""What the trainer asks of a GPU, counted on the emulated device: launches, bytes, waits, streams and memory."""

import copy
import gc
from collections.abc import Hashable
from typing import Any

import pytest
import torch

from core.spec import HALVES
from core.training import Lane, MemoryRecorder, Resume, TrainOptions, train_lanes
from core.training.checkpoint import Checkpoint
from core.training.lanes.graphs import WARM_UP, Graphs
from core.training.lanes.program import Program
from tests.core.training.test_gpu import ARMS, CASES, DATA, FACTS, LAYOUTS, lanes_of, on_gpu
from tests.core.training.trials import COLOURED, TABLE, assert_near, assert_same, made, rule, trained
from tests.emulation.counting import Count, count
from tests.emulation.state import device

pytestmark = pytest.mark.emulated

WHOLE, UPDATES = 16, 12
"""Examples of whole batches, and updates of a training of three epochs: three whole batches and one of 6."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Count]:
    """Counts of every update, in their order."""
    counts = list[Count]()
    update = Program.update

    def counting(self: Program, *given: Any, **more: Any) -> Any:
        with count() as mine:
            found = update(self, *given, **more)
        counts.append(mine)
        return found

    monkeypatch.setattr(Program, "update", counting)
    return counts


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", CASES)
def test_an_update_is_one_launch(make_lanes: Any, case: str, layout: str, counted: list[Count]) -> None:
    """Once its shape is captured; the first of an epoch and of a block have their place copied to the device."""
    on_gpu(lanes_of(make_lanes, case), layout=layout, block_seconds=3600)
    assert len(counted) == UPDATES
    replayed = [one for one in counted if one.replays]
    assert len(replayed) == UPDATES - 2 * WARM_UP
    assert [one.outside - one.replays for one in replayed].count(0) >= len(replayed) - 3
    assert max(one.outside for one in replayed) <= 2


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", ["cnn", "float16"])
def test_nothing_in_an_update_waits_for_the_device(make_lanes: Any, case: str, layout: str) -> None:
    with device.during("training"):
        on_gpu(lanes_of(make_lanes, case), layout=layout, block_seconds=3600)
    hidden = {wait.place.split(" < ")[0].rpartition("(")[2] for wait in device.waits if wait.hidden}
    assert not {place for place in hidden if place.startswith(("_update", "update", "step", "draw", "batch)"))}, hidden


def test_a_training_that_resumes_with_a_short_batch_replays_the_whole_ones(make_lanes: Any) -> None:
    lanes, kept = lanes_of(make_lanes, "mlp", epochs=6), list[tuple[Checkpoint, MemoryRecorder]]()
    whole = MemoryRecorder()
    keep = lambda checkpoint: kept.append((checkpoint, copy.deepcopy(whole)))  # noqa: E731
    train_lanes(lanes, DATA, FACTS, whole, TrainOptions(device="cuda", keep_seconds=0), keep=keep)
    start, recorder = kept[3]
    assert start.step == 3, "the next is the last batch of the first epoch"
    with count() as counted:
        train_lanes(lanes, DATA, FACTS, recorder, TrainOptions(device="cuda"), Resume(start=start))
    assert counted.replays >= (15 - WARM_UP) + (6 - WARM_UP), "whole batches and last ones"
    assert_same(recorder, whole)


def diverging(make_lanes: Any) -> list[Lane]:
    """Two lanes that stay and two that leave with the first epoch."""
    lanes: list[Lane] = make_lanes(
        {}, {"initializer": "ones", "optimizer.lr": 1e12}, seeds=(0, 3),
        model={"name": "mlp", "hidden": [6, 6, 6, 6], "activation": "linear"},
        optimizer={"name": "sgd", "lr": 0.001}, batch_size=WHOLE, epochs=6,
    )  # fmt: skip
    return lanes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_training_leaves_nothing_on_the_device(make_lanes: Any, layout: str) -> None:
    """Also where lanes leave on the way: no collection of cycles is waited for."""
    lanes = diverging(make_lanes)
    gc.collect()
    before = torch.cuda.memory_allocated()
    gc.disable()
    try:
        on_gpu(lanes, layout=layout)
        assert torch.cuda.memory_allocated() == before
    finally:
        gc.enable()
    assert len(device.captures) > 2


def test_warm_up_and_capture_have_a_stream_of_the_trainings_own(make_lanes: Any) -> None:
    streams = list[object]()
    for _ in range(2):
        device.captures.clear()
        on_gpu(lanes_of(make_lanes, "mlp"))
        used = {capture.stream for capture in device.captures}
        assert len(used) == 1
        streams += used
    assert len(set(streams)) == 2
    assert torch.cuda.current_stream() == torch.cuda.default_stream()


def test_graphs_are_closed_before_a_narrower_program_is_captured(
    make_lanes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened = list[str]()
    close, capture = Graphs.close, Graphs._capture

    def closing(self: Graphs) -> None:
        happened.append("close")
        close(self)

    def capturing(self: Graphs, key: Hashable, function: Any) -> bool:
        happened.append("capture")
        return capture(self, key, function)

    monkeypatch.setattr(Graphs, "close", closing)
    monkeypatch.setattr(Graphs, "_capture", capturing)
    on_gpu(diverging(make_lanes))
    assert "capture" in happened[: happened.index("close")]
    assert "capture" in happened[happened.index("close") :]
    assert happened[-1] == "close"


NORMED: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "convolutions": ({"name": "resnet", "depth": 8}, COLOURED),
    "dense": ({"name": "mlp", "hidden": [8, 8], "norm": "batch_norm"}, TABLE),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("network", NORMED)
@pytest.mark.parametrize("precision", HALVES)
def test_batch_norms_train_in_16_bits(make_lanes: Any, precision: str, network: str, layout: str) -> None:
    """In two lanes: CUDA wants the statistics in the type of the input, and they stay in float32."""
    model, inputs = NORMED[network]
    data, info = made(inputs, train=24, valid=8)
    lanes = make_lanes({}, {"initializer": "he_normal"}, model=model, precision=precision, batch_size=8, epochs=2)
    recorder = on_gpu(lanes, data, info, layout=layout)
    assert set(recorder.outcomes.values()) == {"completed"}


def bytes_of_an_update(make_lanes: Any, layout: str, counted: list[Count], **given: Any) -> int:
    """Of whole batches of a network whose activations outweigh its parameters."""
    data, info = made((3, 16, 16), train=64, valid=8)
    cnn = {"name": "cnn", "channels": [16, 16], "dense": [8], "activation": "relu"}
    lanes = make_lanes({}, {"initializer": "he_normal"}, model=cnn, batch_size=64, epochs=WARM_UP + 2, **given)
    counted.clear()
    on_gpu(lanes, data, info, layout=layout)
    return counted[-1].bytes


def test_products_of_16_bits_move_fewer_bytes(make_lanes: Any, counted: list[Count]) -> None:
    """Under vmap a bias would be added in float32, and all that follows be float32 (pytorch#192617)."""
    whole, *halves = (bytes_of_an_update(make_lanes, "loop", counted, precision=name) for name in ("fp32", *HALVES))
    assert max(halves) < 0.8 * whole


def test_one_after_the_other_moves_fewer_bytes_and_holds_one_lanes_values(
    make_lanes: Any, counted: list[Count]
) -> None:
    moved = {layout: bytes_of_an_update(make_lanes, layout, counted) for layout in LAYOUTS}
    assert moved["loop"] < 0.6 * moved["vmap"]


@pytest.mark.parametrize("rule_name", ["adam", "adamw"])
def test_adam_is_one_pass_for_lanes_of_one_rate_each(make_lanes: Any, rule_name: str, counted: list[Count]) -> None:
    """Whatever the size of their stacks: a run alone has the same kernel, and so the same bits."""
    data, info = made((1, 32, 32), train=32, valid=8)
    lanes = make_lanes(
        {}, {"optimizer.lr": 0.01}, {"schedule": "cosine"}, seeds=(0, 3),
        model={"name": "mlp", "hidden": [80]}, optimizer=rule(rule_name), batch_size=16, epochs=4,
    )  # fmt: skip
    on_gpu(lanes, data, info)
    last = counted[-1]
    assert last.launches_of[f"_fused_{rule_name}_"] == 3, "a launch a rate, for the lanes of all seeds"
    assert not {op for op in last.launches_of if op.startswith(("lerp", "addcmul", "sqrt"))}


def test_fused_adam_is_the_plain_loops(make_lanes: Any) -> None:
    """Its rate is a float32 on the device, the CPU's a double: the losses differ by the rounding of one."""
    data, info = made((1, 32, 32), train=32, valid=8)
    given = {"model": {"name": "mlp", "hidden": [80], "activation": "tanh"}, "optimizer": rule("adam")}
    lanes: list[Lane] = make_lanes(*ARMS[:2], seeds=(0,), batch_size=16, epochs=2, **given)
    assert_near(on_gpu(lanes, data, info), trained(lanes, data, info), 1e-4, 1e-5)


def test_a_capture_that_fails_leaves_the_training_as_it_is(make_lanes: Any, caplog: pytest.LogCaptureFixture) -> None:
    lanes = lanes_of(make_lanes, "mlp")
    whole = on_gpu(lanes)
    device.fail_next("capture_end", RuntimeError("a model that waits"))
    assert_same(on_gpu(lanes), whole)
    assert "cannot be captured" in caplog.text
    assert torch.cuda.current_stream() == torch.cuda.default_stream()


def test_memory_that_runs_out_in_a_capture_says_so(make_lanes: Any) -> None:
    device.fail_next("capture_end", torch.AcceleratorError("CUDA error: out of memory"))
    with pytest.raises(torch.AcceleratorError, match="out of memory"):
        on_gpu(lanes_of(make_lanes, "mlp"))
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
