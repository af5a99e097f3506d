"""Specs of little text and much work are refused before the work is done."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import LONGEST, MOST_PROBLEMS, InvalidSpec
from core.models import on_meta
from core.registry import MOST_NAMES
from core.schedules import SECONDS_OF_RATE, schedules, work_of
from core.settings import Settings
from core.spec import check, parse
from core.spec._budget import LAYER

PRODUCT = {"name": "chained", "parts": [{"name": "chained", "parts": ["cosine"] * 16}] * 16}
DEEP = {"name": "resnet", "depth": 1202}
SECONDS = Settings.model_fields["check_seconds"].default


def problems(spec: dict[str, Any], seconds: float = SECONDS) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(spec), DatasetPaths(), seconds)
    return [(problem.path, problem.message) for problem in refusal.value.problems]


def arms(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"seeds": 1, "epochs": 1, "arms": [{"label": str(i)} | change for i, change in enumerate(changes)]}


def test_the_rates_of_all_schedules_are_counted_each_part_and_each_schedule_once() -> None:
    assert work_of(schedules.parse(PRODUCT), steps=150, samples=1000) == (1 + 16 * 17) * 150
    assert work_of(schedules.parse("cosine"), steps=10**6, samples=1000) == 1000
    spec = arms(*[{"schedule": PRODUCT}] * 80) | {"epochs": 10}
    work = SECONDS_OF_RATE * (1 + 16 * 17) * 150
    model = 0.03  # of an mlp, which all arms share
    assert len(check(parse(spec), DatasetPaths(), work + model)) == 80
    apart = spec | {"arms": [arm | {"optimizer.lr": 0.01 + i / 1000} for i, arm in enumerate(spec["arms"])]}
    ((path, message),) = problems(apart, 3 * work + model)
    assert path == "arms[3].schedule"
    assert "INITLAB_CHECK_SECONDS" in message
    assert "fewer parts, or compare fewer arms" in message


def test_a_product_is_counted_by_its_length() -> None:
    entry = schedules.parse({"name": "multiplicative", "fn": "0.9"})
    assert work_of(entry, steps=512 * 1000, samples=10) == 1000 * work_of(entry, steps=512, samples=10)
    factors = [{"schedule": {"name": "multiplicative", "fn": f"0.99999{i}"}} for i in range(20)]
    many = arms(*factors) | {"epochs": 500_000, "batch_size": 150}
    assert problems(many)[0][0] == "arms[9].schedule"


def test_one_model_is_built_to_refuse_hundreds_that_differ_in_their_width(monkeypatch: pytest.MonkeyPatch) -> None:
    on_meta.cache_clear()
    monkeypatch.setattr("core.spec._check.size", None)
    ((path, message),) = problems(arms(*({"model": DEEP | {"width": 1 + i % 64}} for i in range(256))))
    assert path == "arms[5].model"
    assert message.startswith("takes 11 s to check, with the arms before; 10 s is the most here (INITLAB_CHECK_SECONDS")
    assert "less deep ones" in message
    assert on_meta.cache_info().misses == 1


def test_models_that_arms_share_are_counted_once() -> None:
    deep = {"name": "resnet", "depth": 20, "width": 4}
    same = [{"model": deep, "epochs": i + 1} for i in range(8)]
    most = 1.5 * 60 * LAYER
    assert len(check(parse(arms(*same)), DatasetPaths(), most)) == 8
    assert problems(arms(*({"model": deep | {"width": 4 + i}} for i in range(8))), most)[0][0] == "arms[1].model"


@pytest.mark.parametrize(
    ("spec", "built"),
    [
        (arms(*({"model": {"name": "mlp", "hidden": [10 + i, 10 + i]}} for i in range(256))), 1),
        (
            arms(
                *({"model": {"name": "resnet", "width": 1 + i % 64, "depth": 20 + 6 * (i // 64)}} for i in range(128))
            ),
            2,
        ),
        (arms(*({"model": {"name": "resnet", "depth": 110, "width": 1 + i}} for i in range(12))), 1),
        (arms(*({"model": {"name": "transformer", "layers": 1 + i}} for i in range(12))), 12),
    ],
    ids=["256 mlps", "128 shallow resnets", "12 resnets of 110 layers", "12 transformers"],
)
def test_what_a_lab_compares_is_let_through(monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any], built: int) -> None:
    on_meta.cache_clear()
    monkeypatch.setattr("core.spec._check._arm_infos", lambda *_: ([], ["the checks themselves begin"]))
    monkeypatch.setattr("core.spec._check.InvalidSpec", RuntimeError)
    with pytest.raises(RuntimeError, match="the checks themselves begin"):
        check(parse(spec), DatasetPaths(), SECONDS)
    assert on_meta.cache_info().misses == built


@pytest.mark.parametrize(
    "setting",
    [
        {"lr_per_layer": {f"*{i}": 1.0 for i in range(10_000)}},
        {"initializer": {"name": "per_layer", "layers": {f"*{i}": "zeros" for i in range(10_000)}}},
    ],
    ids=["lr_per_layer", "per_layer"],
)
def test_names_are_counted_by_the_layers_that_they_are_held_against(setting: dict[str, Any]) -> None:
    ((path, message),) = problems(arms({}) | {"model": DEEP} | setting)
    assert (path, "fewer names" in message) == (next(iter(setting)), True)


def test_a_name_that_no_layer_has_lists_some_of_those_that_there_are() -> None:
    found = problems(arms({}) | {"model": DEEP, "lr_per_layer": {f"x{i}": 1.0 for i in range(1000)}}, 60.0)
    assert len(found) == MOST_PROBLEMS
    assert max(len(message) for _, message in found) == LONGEST
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(arms({}) | {"model": DEEP, "lr_per_layer": {"stage1.7.conv3": 1.0}}), DatasetPaths())
    assert refusal.value.problems[0].known[0] == "stage1.7.conv2"
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(arms({}) | {"model": DEEP, "lr_per_layer": {"x": 1.0}}), DatasetPaths())
    assert len(refusal.value.problems[0].known) == MOST_NAMES


def test_a_spec_of_thousands_of_fields_is_refused_as_a_whole() -> None:
    fields = {f"initializer.x{i}": [1] for i in range(20_000)}
    assert [path for path, _ in problems({"grid": fields})] == ["grid"]
    assert [path for path, _ in problems({"arms": [{}, fields]})] == ["arms[1]"]
    assert [path for path, _ in problems({"grid": {"initializer": ["zeros"] * 90_000}})] == ["grid.initializer"]


def test_so_many_problems_are_named_and_the_others_counted() -> None:
    found = problems({f"x{i}": 1 for i in range(60_000)})
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1] == ("", "and 59,900 more")
    found = problems({"arms": [{f"x{i}": 1 for i in range(30)} for _ in range(10)]})
    assert found[-1] == ("", "and 200 more")
    (only,) = problems({"grid": {"initializer" + ".a" * 400_000: [1]}})
    assert len(only[0]) + len(only[1]) < 5_000
