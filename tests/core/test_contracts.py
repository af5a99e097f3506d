"""What every entry of one catalogue promises beside what all do. A newcomer is tested by existing."""

import json
import math
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths, Splits, datasets
from core.datasets._downloads import DOWNLOADS
from core.initializers import Initializer, Layer, initializers, preview
from core.optimizers import Optimizer, optimizers
from core.schedules import Unit, bind, rates, schedules
from core.streams import generator
from tests.core.entries import of, parse, raw, refusal
from tests.core.optimizers.stacks import StackedModel

SHAPES = [(256, 784), (10, 128), (32, 3, 3, 3), (64, 8, 3, 3), (8, 4, 5), (1, 1)]
MATRICES = {"identity", "sparse"}
"""Initializers for dense layers alone."""
KERNELS = {"delta_orthogonal", "dirac"}
"""Initializers for convolutions alone."""
NOT_RANDOM = {"constant", "dirac", "identity", "ones", "zero_init", "zeros"}
BROUGHT = {*DOWNLOADS, "uploaded"}
"""Data sets whose files somebody has to bring."""


def takes(name: str, shape: tuple[int, ...]) -> bool:
    return not (name in MATRICES and len(shape) > 2) and not (name in KERNELS and len(shape) < 3)


@pytest.mark.parametrize(
    ("name", "shape"), [(name, shape) for name in initializers for shape in SHAPES if takes(name, shape)], ids=str
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_an_initializer_draws_what_its_law_says(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    initializer: Initializer = parse("initializer", name).build()
    for law in (initializer.weight(Layer(shape)), initializer.bias(Layer(shape))):
        draw = law.draw(shape, generator(0, "a"), dtype)
        assert draw.shape == shape
        assert draw.dtype == dtype
        assert draw.device.type == "cpu"
        assert draw.isfinite().all()
        assert torch.equal(draw, law.draw(shape, generator(0, "a"), dtype))
        same = torch.equal(draw, law.draw(shape, generator(1, "a"), dtype))
        assert same == (law.distribution in NOT_RANDOM) or draw.numel() == 1, (
            f"{law.distribution!r} draws {'the same' if same else 'another weight'} with another seed; see NOT_RANDOM"
        )
        if law.bound is not None:
            assert draw.abs().max() <= torch.tensor(law.bound, dtype=dtype)
        spread = (draw - draw.mean()).square().mean().sqrt()
        if law.std is not None:  # 6 standard errors, of the heaviest-tailed law there is: normal
            assert abs(spread - law.std) <= law.std * 6 / math.sqrt(2 * draw.numel()) or draw.numel() == 1
        if law.mean is not None:
            assert (
                abs(draw.mean() - law.mean) <= 6 * max(float(spread), law.std or 0.0) / math.sqrt(draw.numel()) + 1e-7
            )


@pytest.mark.parametrize(
    ("name", "shape"), [(name, shape) for name in initializers for shape in SHAPES if not takes(name, shape)], ids=str
)
def test_an_initializer_says_which_layers_it_is_for(name: str, shape: tuple[int, ...]) -> None:
    initializer: Initializer = parse("initializer", name).build()
    with pytest.raises(ValueError, match=r"is for (dense|convolutions)"):
        initializer.weight(Layer(shape))


@of("initializer")
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (4, 0, 3, 3), (4, 3, 0, 0)], ids=str)
def test_an_initializer_leaves_an_empty_weight_empty(name: str, shape: tuple[int, ...]) -> None:
    initializer: Initializer = parse("initializer", name).build()
    assert initializer.weight(Layer(shape)).draw(shape, generator(0)).shape == shape
    if takes(name, shape):
        assert initializer.bias(Layer(shape)).draw(shape[:1], generator(0)).isfinite().all()


@of("initializer")
def test_an_initializer_leaves_the_global_stream_alone(name: str) -> None:
    before = torch.get_rng_state()
    preview(parse("initializer", name), Layer((8, 8, 3) if name in KERNELS else (8, 8)), seed=0, bins=5)
    assert torch.equal(torch.get_rng_state(), before)


@of("initializer")
def test_an_initializers_preview_is_plain_numbers(name: str) -> None:
    shape = (8, 8, 3, 3) if name in KERNELS else (64, 32)
    answer = preview(parse("initializer", name), Layer(shape), seed=0, bins=7)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert sum(answer["histogram"]["counts"]) == math.prod(shape)


@of("initializer")
@pytest.mark.parametrize("bias", [0.25, "torch_default"])
def test_a_bias_may_be_asked_for(name: str, bias: float | str) -> None:
    entry = initializers.parse({**raw("initializer", name), "bias": bias})
    drawn = entry.build().bias(Layer((500, 4))).draw((500,), generator(0))
    if bias == "torch_default":  # U(-1/2, 1/2), as torch's own layers have it for four inputs
        assert drawn.abs().max() <= 0.5
        assert 0.24 < drawn.std() < 0.34
    else:
        assert torch.equal(drawn, torch.full((500,), 0.25))


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        (name, unit)
        for name in schedules
        for unit in get_args(Unit)
        if unit in get_args(schedules[name].model_fields["unit"].annotation)
    ],
)
def test_a_schedule_is_a_pure_function(name: str, unit: str) -> None:
    entry = schedules.parse({**raw("schedule", name), "unit": unit})
    curve = bind(entry, 0.1, steps=60, steps_per_epoch=7)
    found = rates(curve, range(80))
    assert all(type(rate) is float and math.isfinite(rate) and rate >= 0 for rate in found)
    assert rates(curve, range(79, -1, -1)) == found[::-1]
    assert rates(bind(entry, 0.1, steps=60, steps_per_epoch=7), range(80)) == found
    if unit == "epoch":
        assert all(found[t] == found[t - t % 7] for t in range(80))


@of("schedule")
@pytest.mark.parametrize(("base", "steps", "steps_per_epoch"), [(0.0, 10, 5), (1e-30, 1, 1), (10.0, 1, 3)])
def test_a_schedule_takes_the_smallest_runs(name: str, base: float, steps: int, steps_per_epoch: int) -> None:
    found = rates(bind(parse("schedule", name), base, steps, steps_per_epoch), range(20))
    assert all(math.isfinite(rate) and rate >= 0 for rate in found)


@of("optimizer")
@pytest.mark.parametrize("shape", [(4, 3), (5,)], ids=str)
def test_an_optimizer_equals_its_reference_on_every_lane(name: str, shape: tuple[int, ...]) -> None:
    rates = [0.001, 0.01, 0.1]
    lanes: list[Optimizer] = [optimizers.parse({**raw("optimizer", name), "lr": lr}).build() for lr in rates]
    assert [lane.hyper["lr"] for lane in lanes] == rates
    if len(shape) == 1:
        lanes = [lane.others or lane for lane in lanes]
    random = generator(0, name)
    start = torch.randn(3, *shape, generator=random, dtype=torch.float64)
    gradients = torch.randn(200, 3, *shape, generator=random, dtype=torch.float64)
    gradients[20:25] = 0
    stack = StackedModel(lanes, start)
    parameters = [torch.nn.Parameter(lane.clone()) for lane in start]
    references = [lane.reference([parameter]) for lane, parameter in zip(lanes, parameters, strict=True)]
    for g in gradients:
        untouched = g.clone()
        stack.step(g)
        assert torch.equal(g, untouched)
        for parameter, reference, lane in zip(parameters, references, g, strict=True):
            parameter.grad = lane.clone()
            reference.step()
        torch.testing.assert_close(stack.w, torch.stack([p.detach() for p in parameters]), rtol=0, atol=1e-10)
    assert not torch.equal(stack.w, start)


@of("optimizer")
def test_an_optimizer_says_how_its_steps_grow_with_the_gradient(name: str) -> None:
    """muP scales the rate by it. The twentieth update: those of RAdam are plain momentum at first."""
    optimizer: Optimizer = parse("optimizer", name).build()
    gradient = torch.tensor([[[1.0, -2.0, 0.5]]], dtype=torch.float64)
    steps = []
    for size in (1.0, 1000.0):
        stack = StackedModel([optimizer], torch.ones_like(gradient))
        for _ in range(20):
            before = stack.w.clone()
            stack.step(size * gradient)
        steps.append(stack.w - before)
    growth = {"adam": 1.0, "sgd": 1000.0}[optimizer.steps]
    told = (
        f"{name} says steps={optimizer.steps!r}, but a gradient 1,000 times as large should then make {growth:g} steps"
    )
    torch.testing.assert_close(steps[1], growth * steps[0], rtol=1e-3, atol=0, msg=lambda text: f"{told}\n{text}")


@of("model")
@pytest.mark.parametrize(("inputs", "outputs"), [((1, 28, 28), 2), ((3, 32, 32), 10)])
def test_a_model_maps_a_batch_to_its_outputs(name: str, inputs: tuple[int, ...], outputs: int) -> None:
    model = parse("model", name).build()(inputs, outputs)
    x = torch.rand(3, *inputs, generator=generator(0))
    given = model(x)
    assert given.shape == (3, outputs)
    gradients = torch.autograd.grad(given.square().sum(), list(model.parameters()), allow_unused=True)
    assert [key for (key, _), g in zip(model.named_parameters(), gradients, strict=True) if g is None] == []
    model.eval()
    torch.testing.assert_close(model(x[:1]), model(x)[:1])  # an example does not see its neighbours


@of("model")
@pytest.mark.parametrize("inputs", [(1,), (30,), (5, 4), (1, 1, 1), (1, 8, 8), (4, 9, 31)], ids=str)
def test_a_model_takes_inputs_or_refuses_them_when_built(name: str, inputs: tuple[int, ...]) -> None:
    with torch.device("meta"):
        try:
            model = parse("model", name).build()(inputs, 1)
        except ValueError:
            return
        assert all(value.is_meta for value in model.state_dict().values())
        assert model.eval()(torch.empty(2, *inputs)).shape == (2, 1)


@of("dataset")
def test_a_dataset_splits_are_fractions(name: str) -> None:
    dataset = datasets.parse({**raw("dataset", name), "valid_fraction": 0.5, "split_seed": 3}).build()
    assert isinstance(dataset, Dataset)
    for bad in (0.0, 1.0):
        (problem,) = refusal("dataset", {**raw("dataset", name), "valid_fraction": bad})
        assert problem.path == "valid_fraction"


@pytest.mark.parametrize("name", sorted(BROUGHT))
def test_a_dataset_that_is_not_here_names_the_command_that_brings_it(name: str, tmp_path: Path) -> None:
    dataset: Dataset = parse("dataset", name).build()
    for look in (dataset.info, dataset.load):
        with pytest.raises(DataError, match=r"initlab datasets (fetch|upload) "):
            look(DatasetPaths(tmp_path / "files", tmp_path / "uploads"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(datasets.keys() - BROUGHT))
def test_a_dataset_is_as_its_facts_say(name: str, tmp_path: Path) -> None:
    def loaded(**parameters: Any) -> tuple[DatasetInfo, Splits]:
        dataset: Dataset = datasets.parse({**raw("dataset", name), **parameters}).build()
        return dataset.info(paths), dataset.load(paths)

    paths = DatasetPaths(tmp_path / "files", tmp_path / "uploads")
    info, splits = loaded()
    for x, y, count in ((splits.x_train, splits.y_train, info.train), (splits.x_valid, splits.y_valid, info.valid)):
        assert (x.shape, x.dtype) == ((count, *info.inputs), torch.float32)
        many = info.task == "multiclass"
        assert (y.shape, y.dtype) == (((count,), torch.int64) if many else ((count, info.outputs), torch.float32))
        assert x.isfinite().all()
        assert y.isfinite().all()
    y = torch.cat([splits.y_train, splits.y_valid])
    if info.task == "regression":
        assert info.chance is None
    else:
        assert set(y.unique().tolist()) == set(range(info.outputs if info.task == "multiclass" else 2))
        most = int(y.long().flatten().bincount().max()) / len(y)
        assert info.chance == pytest.approx(most, abs=0.03), "chance is the share of the most frequent class"
    train, valid = (set(map(tuple, x.flatten(1).tolist())) for x in (splits.x_train, splits.x_valid))
    assert not train & valid
    again, same = loaded()
    assert again == info
    assert all(torch.equal(a, b) for a, b in zip(splits, same, strict=True))
    _, other = loaded(split_seed=1)
    assert {part.shape for part in other} == {part.shape for part in splits}
    assert not torch.equal(other.x_valid, splits.x_valid)
