"""The generated data sets are what their formulas say, and functions of their parameters alone."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from pydantic_core import PydanticCustomError

from core.datasets import Dataset, DatasetPaths, Splits, datasets
from core.datasets.teacher_student import _Form, _teacher
from core.models import models

NOWHERE = DatasetPaths(Path("/nowhere"), Path("/nowhere"))


def dataset(name: str, **parameters: object) -> Dataset:
    built = datasets.parse({"name": name, **parameters}).build()
    assert isinstance(built, Dataset)
    return built


def whole(name: str, **parameters: object) -> tuple[torch.Tensor, torch.Tensor]:
    """Both splits in one; their order is that of `split_seed`."""
    splits: Splits = dataset(name, **parameters).load(NOWHERE)
    return torch.cat([splits.x_train, splits.x_valid]), torch.cat([splits.y_train, splits.y_valid])


def spirals(**parameters: object) -> tuple[torch.Tensor, torch.Tensor]:
    return whole("two_spirals", **parameters)


def taught(**parameters: object) -> tuple[torch.Tensor, torch.Tensor]:
    return whole("teacher_student", **parameters)


def refusal(name: str, **parameters: object) -> str:
    with pytest.raises(PydanticCustomError) as caught:
        datasets.parse({"name": name, **parameters})
    (problem,) = (caught.value.context or {})["problems"]
    return f"{problem.path}: {problem.message}"


def test_the_spirals_of_lang_and_witbrock() -> None:
    """Their program: for i = 0 to 96, angle = i pi / 16, radius = 6.5 (104 - i) / 104, and the point's mirror image."""
    there = torch.empty(97, 2)
    for i in range(97):
        angle, radius = i * math.pi / 16, 6.5 * (104 - i) / 104
        there[i] = torch.tensor([radius * math.sin(angle), radius * math.cos(angle)])
    x, y = spirals(examples=194)
    for label, points in ((0, there), (1, -there)):
        here = x[y[:, 0] == label]
        outermost_first = here.norm(dim=1).argsort(descending=True)
        torch.testing.assert_close(6.5 * here[outermost_first], points, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("examples", "turns"), [(1000, 3.0), (501, 0.5), (333, 7.25), (4, 1.0)])
def test_every_point_is_on_its_spiral(examples: int, turns: float) -> None:
    x, y = spirals(examples=examples, turns=turns)
    radius = x.norm(dim=1)
    angle = 2 * math.pi * turns * (1 - radius) * 13 / 12
    sign = 1 - 2 * y[:, 0]
    expected = (sign * radius)[:, None] * torch.stack([angle.sin(), angle.cos()], dim=1)
    torch.testing.assert_close(x, expected, rtol=0, atol=2e-5)
    for label, count in ((0, (examples + 1) // 2), (1, examples // 2)):
        radii = radius[y[:, 0] == label].sort().values
        assert len(radii) == count
        torch.testing.assert_close(radii[[0, -1]], torch.tensor([1 / 13, 1.0]))
        steps = radii.diff()
        torch.testing.assert_close(steps, torch.full_like(steps, 12 / 13 / (count - 1)), rtol=0, atol=1e-5)
    assert dataset("two_spirals", examples=examples).info(NOWHERE).chance == (examples + 1) // 2 / examples


def test_the_spirals_noise_has_its_standard_deviation_in_both_directions() -> None:
    clean, _ = spirals(examples=20_000)
    noisy, _ = spirals(examples=20_000, noise=0.3)
    moved = noisy - clean  # the splits' order is the same
    four_errors = 4 * 0.3 / math.sqrt(2 * 20_000)
    torch.testing.assert_close(moved.std(0), torch.full((2,), 0.3), rtol=0, atol=four_errors)
    assert abs(torch.corrcoef(moved.T)[0, 1]) < 4 / math.sqrt(20_000)
    assert not torch.equal(noisy, spirals(examples=20_000, noise=0.3, seed=1)[0])
    assert torch.equal(clean, spirals(examples=20_000, seed=1)[0]), "without noise nothing is random"


def test_a_mlp_of_the_teachers_form_names_every_target() -> None:
    for inputs, hidden, outputs, examples in ((20, 32, 3, 1000), (3, 2**14, 2, 700)):
        x, y = taught(inputs=inputs, hidden=hidden, outputs=outputs, examples=examples, seed=5)
        student = models.parse({"name": "mlp", "hidden": [hidden], "activation": "relu"}).build()((inputs,), outputs)
        w, a = _teacher(_Form(inputs, hidden, outputs, 0.0, 5))
        weights = dict(zip(("w", "b", "a", "c"), student.parameters(), strict=True))
        with torch.no_grad():
            for name, value in (("w", w), ("b", torch.zeros(hidden)), ("a", a), ("c", torch.zeros(outputs))):
                weights[name].copy_(value)
            offset = y - student(x)
        torch.testing.assert_close(offset, offset[:1].expand_as(offset), rtol=0, atol=1e-4)
        # relu(z) of z ~ N(0, s^2) has the mean s / sqrt(2 pi), which the targets are free of.
        mean = a @ w.norm(dim=1) / math.sqrt(2 * math.pi)
        torch.testing.assert_close(-offset[0], mean, rtol=1e-4, atol=1e-4)


def test_a_teacher_of_one_unit_is_a_hinge() -> None:
    x, y = (part.double() for part in taught(inputs=5, hidden=1, examples=2000, seed=3))
    flat = y.mode(0).values
    on = ((y - flat).abs() > 1e-6)[:, 0]
    assert abs(on.double().mean() - 0.5) < 4 * 0.5 / math.sqrt(2000)
    a = torch.cat([x[on], torch.ones(int(on.sum()), 1)], dim=1)
    solution = torch.linalg.lstsq(a, y[on]).solution
    torch.testing.assert_close(a @ solution, y[on], rtol=0, atol=1e-5)
    torch.testing.assert_close(solution[-1:], flat[None], rtol=0, atol=1e-5)


def test_the_targets_have_mean_0_and_on_the_average_of_teachers_variance_1() -> None:
    x, y = taught(inputs=64, hidden=1024, outputs=512, examples=4000)
    assert x.mean().abs() < 4 / math.sqrt(x.numel())
    assert abs(x.std() - 1) < 4 / math.sqrt(2 * x.numel())
    assert y.mean(0).abs().max() < 5 / math.sqrt(4000)
    assert y.var(0).mean() == pytest.approx(1, abs=0.05)


def test_noise_is_added_to_what_the_teacher_says() -> None:
    x, clean = taught(examples=20_000, outputs=2)
    same, noisy = taught(examples=20_000, outputs=2, noise=0.5)
    assert torch.equal(x, same)
    added = noisy - clean
    assert abs(added.std() - 0.5) < 4 * 0.5 / math.sqrt(2 * added.numel())
    assert abs(torch.corrcoef(torch.stack([added[:, 0], clean[:, 0]]))[0, 1]) < 4 / math.sqrt(20_000)
    assert abs(torch.corrcoef(added.T)[0, 1]) < 4 / math.sqrt(20_000)


@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_the_class_is_the_greatest_output(noise: float) -> None:
    shape = {"examples": 3000, "outputs": 7, "noise": noise, "seed": 2}
    _, scores = taught(**shape)
    _, classes = taught(**shape, task="multiclass")
    assert torch.equal(classes, scores.argmax(1))


@pytest.mark.parametrize("outputs", [2, 10])
def test_chance_is_estimated_without_making_the_data(outputs: int) -> None:
    for seed in range(3):
        shape = {"examples": 50_000, "outputs": outputs, "task": "multiclass", "seed": seed, "hidden": 4}
        _, y = taught(**shape)
        chance = dataset("teacher_student", **shape).info(NOWHERE).chance
        assert chance == pytest.approx(int(y.bincount().max()) / 50_000, abs=4 * 0.5 * math.sqrt(1 / 4096 + 1 / 50_000))
    assert dataset("teacher_student", outputs=2).info(NOWHERE).chance is None


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("two_spirals", {"noise": 0.1, "examples": 100}),
        ("teacher_student", {"noise": 0.1, "examples": 100}),
        ("teacher_student", {"examples": 100, "task": "multiclass", "outputs": 3}),
    ],
)
def test_it_is_a_function_of_its_parameters_alone(name: str, parameters: dict[str, object]) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = dataset(name, **parameters)
    info, splits = first.info(NOWHERE), first.load(NOWHERE)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again = dataset(name, **parameters)
    assert again.info(NOWHERE) == info
    assert all(torch.equal(a, b) for a, b in zip(splits, again.load(NOWHERE), strict=True))
    others = [dataset(name, **parameters, seed=seed).load(NOWHERE).x_train for seed in (1, 2, 3)]
    assert not any(torch.equal(a, b) for a, b in pairwise([splits.x_train, *others]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"task": "multiclass"}, ": a multiclass task has 2 outputs or more"),
        ({"examples": 2**24, "inputs": 16}, ": (inputs + outputs) x examples should be at most 268,435,456"),
        ({"examples": 2**20, "inputs": 1, "outputs": 256}, ": (inputs + outputs) x examples should be at most"),
        ({"inputs": 1023, "hidden": 1025}, ": the teacher's weights, (inputs + outputs) x hidden, should be at most"),
        ({"inputs": 63, "hidden": 2**14, "examples": 2**18 + 1}, ": the teacher's weights x examples should be"),
        ({"task": "binary"}, "task: "),
        ({"examples": 1}, "examples: "),
        ({"hidden": 0}, "hidden: "),
    ],
)
def test_what_makes_no_task_or_one_too_large_is_refused(given: dict[str, object], words: str) -> None:
    assert refusal("teacher_student", **given).startswith(words)


@pytest.mark.parametrize(
    "given", [{"examples": 2**24, "inputs": 15}, {"inputs": 1023, "hidden": 1024}, {"inputs": 63, "hidden": 2**14}]
)
def test_the_largest_sizes_are_taken(given: dict[str, object]) -> None:
    assert dataset("teacher_student", **given).info(NOWHERE).inputs == (given["inputs"],)
