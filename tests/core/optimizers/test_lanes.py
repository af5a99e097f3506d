"""Lanes with different numbers for everything, against torch.optim or the authors' own optimizer one by one."""

import dataclasses
import itertools

import pytest
import torch

from core.optimizers import optimizers
from tests.core.optimizers.stacks import ARMS, StackedModel, arms, one_by_one, problem, stacked

every_program = pytest.mark.parametrize("program", ARMS)
alike_or_not = pytest.mark.parametrize(("program", "alike"), list(itertools.product(ARMS, [True, False])))


def test_every_optimizer_and_every_choice_is_here() -> None:
    entries = {name: optimizers[name].model_fields.items() for name in optimizers}
    choices = {f"{name} {key}" for name, fields in entries.items() for key, field in fields if field.annotation is bool}
    missing = {*entries, *choices} - ARMS.keys()
    assert not missing, f"write four lanes of {sorted(missing)} into ARMS of tests/core/optimizers/stacks.py"
    numbers = {name: {key for key, field in fields if field.annotation is not bool} for name, fields in entries.items()}
    for program, given in ARMS.items():
        lanes = arms(program)
        assert len({(lane.update, lane.slots, lane.scalars) for lane in lanes}) == 1
        of_others = {key for key in numbers[program.split()[0]] if key.startswith("adamw_")}  # lanes of adamw's own
        every_number = numbers[program.split()[0]] - {"name"} - of_others
        assert lanes[0].hyper.keys() == every_number
        assert set().union(*given) >= every_number - {"dampening"}, "every number should differ between lanes"


@every_program
def test_lanes_that_differ_in_everything(program: str) -> None:
    start, gradients = problem(program, 4)
    expected = one_by_one(arms(program), start, gradients)
    torch.testing.assert_close(stacked(arms(program), start, gradients), expected, rtol=1e-10, atol=1e-10)


@every_program
def test_a_lane_does_not_see_its_company(program: str) -> None:
    """Among lanes of the same numbers it may be updated in another way."""
    start, gradients = problem(program, 4, steps=60)
    together = stacked(arms(program), start, gradients)
    for i, lane in enumerate(arms(program)):
        pair = [(i + 1) % 4, i]
        alike = stacked([lane, lane], start[pair], gradients[:, pair])
        torch.testing.assert_close(alike[1], together[i], rtol=1e-12, atol=1e-12)


@every_program
def test_lanes_that_differ_in_one_number(program: str) -> None:
    start, gradients = problem(program, 2, steps=20)
    first, *others = arms(program)
    for number, value in first.hyper.items():
        other = next((arm.hyper[number] for arm in others if arm.hyper[number] != value), value)
        lanes = [first, dataclasses.replace(first, hyper={**first.hyper, number: other})]
        together = stacked(lanes, start, gradients)
        for i, lane in enumerate(lanes):
            alone = stacked([lane], start[i : i + 1], gradients[:, i : i + 1])
            torch.testing.assert_close(alone[0], together[i], rtol=1e-12, atol=1e-12)


@alike_or_not
def test_gradients_and_weights_in_any_memory_order(program: str, alike: bool) -> None:
    lanes = [arms(program)[1]] * 4 if alike else arms(program)
    start, gradients = problem(program, 4, steps=50)
    expected = stacked(lanes, start, gradients)
    transposed = gradients.transpose(2, 3).contiguous().transpose(2, 3)
    assert not transposed[0].is_contiguous()
    torch.testing.assert_close(stacked(lanes, start, transposed), expected, rtol=1e-10, atol=1e-10)
    turned = start.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(stacked(lanes, turned, gradients), expected, rtol=1e-10, atol=1e-10)


@alike_or_not
def test_single_precision(program: str, alike: bool) -> None:
    lanes = [arms(program)[0]] * 4 if alike else arms(program)
    start, gradients = problem(program, 4, 100, torch.float32)
    got = stacked(lanes, start, gradients)
    assert got.dtype == torch.float32
    expected = one_by_one(lanes, start.double(), gradients.double())
    torch.testing.assert_close(got.double(), expected, rtol=5e-5, atol=5e-5)


@alike_or_not
def test_a_lane_that_blows_up_harms_no_other(program: str, alike: bool) -> None:
    lanes = [arms(program)[0]] * 4 if alike else arms(program)
    start, gradients = problem(program, 4, steps=30)
    gradients[10, 2, 0, 0] = torch.inf
    gradients[20, 2, 1, 1] = torch.nan
    got, expected = stacked(lanes, start, gradients), one_by_one(lanes, start, gradients)
    sound = expected.isfinite()
    assert torch.equal(got.isfinite(), sound)
    torch.testing.assert_close(got[sound], expected[sound], rtol=1e-10, atol=1e-10)
    assert sound[[0, 1, 3]].all()
    assert sound[2].all() == (program == "lion")  # it takes the sign, and that of NaN is 0


@every_program
def test_weights_without_gradient_do_not_move(program: str) -> None:
    """But for weight decay: dead units must not divide 0 by 0."""
    start, gradients = problem(program, 4, steps=20)
    gradients.zero_()
    got = stacked(arms(program), start, gradients)
    torch.testing.assert_close(got, one_by_one(arms(program), start, gradients), rtol=1e-10, atol=1e-10)
    still = [lane.hyper["weight_decay"] == 0 for lane in arms(program)]
    assert any(still)
    assert torch.equal(got[still], start[still])


@every_program
def test_a_rate_that_changes_is_followed(program: str) -> None:
    """As a schedule sets it: the state keeps no rate."""
    lane = arms(program)[1]
    start, gradients = problem(program, 1, steps=60)
    stack = StackedModel([lane], start)
    parameter = torch.nn.Parameter(start[0].clone())
    optimizer = lane.reference([parameter])
    for t, g in enumerate(gradients):
        rate = 0.1 * 0.97**t
        stack.step(g, [rate])
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = g[0].clone()
        optimizer.step()
    torch.testing.assert_close(stack.w[0], parameter.detach(), rtol=1e-10, atol=1e-10)
