"""The emulated device's streams: which one is current, what a failed capture leaves, when copies arrive."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.emulation.state import device
from tests.emulation.streams import ASKED, Stream

pytestmark = pytest.mark.emulated


def test_a_stream_is_current_within_its_block() -> None:
    default, aside = torch.cuda.current_stream(), torch.cuda.Stream()
    with torch.cuda.stream(aside):
        assert torch.cuda.current_stream() is aside
    assert torch.cuda.current_stream() is default


def test_a_capture_runs_on_the_stream_it_is_given_and_ends_on_the_one_before() -> None:
    aside, before = torch.cuda.Stream(), torch.cuda.current_stream()
    x = torch.ones(2, device="cuda")
    device.launched_on.clear()
    with torch.cuda.stream(aside):
        x + 1
    with torch.cuda.graph(torch.cuda.CUDAGraph(), stream=aside):
        assert torch.cuda.is_current_stream_capturing()
        x + 1
    assert torch.cuda.current_stream() is before
    with torch.cuda.graph(torch.cuda.CUDAGraph(), stream=aside):
        x + 1
    capture, after = device.captures
    assert capture.stream is aside
    assert after.ran_on == set(), "a capture launches nothing"
    assert capture.ran_on == {aside.stream_id}, "the warm-up ran where the capture did"


def test_a_failed_capture_leaves_its_stream_current() -> None:
    """As the real `torch.cuda.graph` does: ending the capture raises before the stream's block is left."""
    aside, before, x = torch.cuda.Stream(), torch.cuda.current_stream(), torch.ones(2, device="cuda")
    with pytest.raises(torch.AcceleratorError), torch.cuda.graph(torch.cuda.CUDAGraph(), stream=aside):
        x.sum().item()
    assert torch.cuda.current_stream() is aside
    assert not torch.cuda.is_current_stream_capturing()
    torch.cuda.set_stream(before)
    assert x.sum().item() == 2


def test_a_copy_to_pinned_memory_arrives_with_the_event_after_it() -> None:
    x, there = torch.ones(3, device="cuda"), torch.zeros(3, pin_memory=True)
    early, event = torch.cuda.Event(), torch.cuda.Event()
    early.record()
    there.copy_(x, non_blocking=True)
    event.record()
    early.synchronize()
    assert 1 not in there
    event.synchronize()
    assert there.tolist() == [1, 1, 1]
    assert not [wait for wait in device.waits if wait.hidden]


def test_a_copy_takes_what_its_source_held_when_it_was_started() -> None:
    x, there = torch.ones(3, device="cuda"), torch.zeros(3).pin_memory()
    assert there.is_pinned()
    there.copy_(x, non_blocking=True)
    x.zero_()
    event = torch.cuda.Event()
    event.record()
    assert [event.query() for _ in range(ASKED)] == [False] * (ASKED - 1) + [True]
    assert there.tolist() == [1, 1, 1]


@pytest.mark.parametrize("how", ["stream", "device", "blocking copy"])
def test_a_copy_has_arrived_after_a_wait_for_all(how: str) -> None:
    x, there = torch.ones(3, device="cuda"), torch.zeros(3, pin_memory=True)
    there.copy_(x, non_blocking=True)
    waits: dict[str, Callable[[], Any]] = {
        "stream": torch.cuda.current_stream().synchronize,
        "device": torch.cuda.synchronize,
        "blocking copy": x.cpu,
    }
    waits[how]()
    assert there.tolist() == [1, 1, 1]


def test_a_copy_of_another_stream_arrives_with_the_stream_that_waits_for_it() -> None:
    x, there, aside = torch.ones(3, device="cuda"), torch.zeros(3, pin_memory=True), torch.cuda.Stream()
    with torch.cuda.stream(aside):
        there.copy_(x, non_blocking=True)
    torch.cuda.current_stream().synchronize()
    assert 1 not in there
    torch.cuda.current_stream().wait_stream(aside)
    torch.cuda.current_stream().synchronize()
    assert there.tolist() == [1, 1, 1]


def test_a_copy_between_unequal_strides_is_several() -> None:
    x, there = torch.ones(6, 4, device="cuda"), torch.zeros(6, 4, pin_memory=True)
    there.copy_(x, non_blocking=True)
    assert not device.notes
    there.copy_(torch.ones(6, 8, device="cuda")[:, :4], non_blocking=True)
    assert device.notes == ["copy_: (6, 4) is copied to or from the host in 6 pieces"]


def test_arrived_copies_are_forgotten() -> None:
    x, there, event = torch.ones(3, device="cuda"), torch.zeros(3, pin_memory=True), torch.cuda.Event()
    stream = torch.cuda.current_stream()
    assert isinstance(stream, Stream)
    stream.complete()
    for _ in range(3):
        there.copy_(x, non_blocking=True)
        event.record()
        event.synchronize()
    assert len(stream.coming) <= 1
