"""Specs of little text and much work are refused before the work is done."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import MOST_PROBLEMS, InvalidSpec
from core.schedules import MOST_RATES, schedules, work_of
from core.spec import _budget, check, parse

PRODUCT = {"name": "chained", "parts": [{"name": "chained", "parts": ["cosine"] * 16}] * 16}


def problems(spec: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(spec), DatasetPaths())
    return [(problem.path, problem.message) for problem in refusal.value.problems]


def test_the_rates_of_all_schedules_are_counted_each_part_and_each_schedule_once() -> None:
    assert work_of(schedules.parse(PRODUCT), steps=150, samples=1000) == (1 + 16 * 17) * 150
    assert work_of(schedules.parse("cosine"), steps=10**6, samples=1000) == 1000
    arms = [{"label": str(i), "schedule": PRODUCT} for i in range(80)]
    assert len(check(parse({"arms": arms, "seeds": 1}), DatasetPaths())) == 80
    apart = [arm | {"optimizer.lr": 0.01 + i / 1000} for i, arm in enumerate(arms)]
    path, message = problems({"arms": apart, "seeds": 1})[0]
    assert path == f"arms[{MOST_RATES // ((1 + 16 * 17) * 150)}].schedule"
    assert "fewer parts, or compare fewer arms" in message


def test_a_product_is_counted_by_its_length() -> None:
    entry = schedules.parse({"name": "multiplicative", "fn": "0.9"})
    assert work_of(entry, steps=512 * 1000, samples=10) == 1000 * work_of(entry, steps=512, samples=10)
    arms = [{"label": str(i), "schedule": {"name": "multiplicative", "fn": f"0.99999{i}"}} for i in range(9)]
    many = {"epochs": 500_000, "batch_size": 150, "seeds": 1, "arms": arms}
    assert problems(many)[0][0] == "arms[3].schedule"


def test_the_layers_of_all_models_are_counted_those_that_arms_share_once(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = {"name": "resnet", "depth": 20, "width": 4}
    (info,) = check(parse({"model": deep}), DatasetPaths())
    monkeypatch.setattr(_budget, "MOST_LAYERS", 4 * info.size.calls)
    same = [{"label": str(i), "model": deep, "epochs": i + 1} for i in range(8)]
    check(parse({"arms": same, "seeds": 1}), DatasetPaths())
    apart = [{"label": str(i), "model": deep | {"width": 4 + i}} for i in range(8)]
    path, message = problems({"arms": apart, "seeds": 1})[0]
    assert path == "arms[4].model"
    assert "less deep ones" in message


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
