import numpy as np
import pytest
import torch

from core.streams import generator
from core.training.lanes.optimizer import PIECE, StackedOptimizer, cuts
from tests.core.optimizers.stacks import ARMS, arms, one_by_one, problem


@pytest.mark.parametrize(
    ("size", "lanes", "widths"), [(10, 4, [4]), (PIECE // 3, 7, [3, 3, 1]), (PIECE + 1, 2, [1, 1])]
)
def test_pieces_fit_the_cache(size: int, lanes: int, widths: list[int]) -> None:
    found = list(cuts(size, lanes, PIECE))
    assert [cut.stop - cut.start for cut in found] == widths
    assert [lane for cut in found for lane in range(cut.start, cut.stop)] == list(range(lanes))


@pytest.mark.parametrize("program", ARMS)
def test_a_lane_is_as_if_it_had_never_had_the_updates_that_it_skips(program: str) -> None:
    """Weights, state and the count of updates; the first updates of one lane among them."""
    lanes, (start, gradients) = arms(program), problem(program, 4, steps=40)
    kept = torch.rand(40, 4, generator=generator(2, program)) > 0.3
    kept[:3, 0] = False
    rates = np.array([lane.hyper["lr"] for lane in lanes])
    optimizer = StackedOptimizer(
        {"parameters/w": start},
        orders={"w": (0, 1, 2)},
        optimizers=lanes,
        curves=range(4),
        factors=[{}] * 4,
        device="cpu",
        skips=True,
    )
    for t, (gradient, finite) in enumerate(zip(gradients, kept, strict=True)):
        numbers = (t + 1 - (~kept[:t]).sum(0)).double()
        broken = torch.where(finite.view(4, 1, 1), gradient, torch.inf)
        optimizer.step([broken], numbers, rates, torch.from_numpy(rates), finite)
    expected = one_by_one(lanes, start, gradients, kept)
    torch.testing.assert_close(optimizer.parameters["w"].detach(), expected, rtol=1e-10, atol=1e-10)
