"""A spec may ask for diagnostics; one that does not is what it was before there were any."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.metrics import diagnostics
from core.spec import check, parse


def refused(raw: Any) -> tuple[str, str]:
    with pytest.raises(InvalidSpec) as caught:
        check(parse(raw), DatasetPaths())
    (problem,) = caught.value.problems
    return problem.path, problem.message


def test_without_them_nothing_is_said_of_them() -> None:
    assert "diagnostics" not in parse({}).canonical()
    assert parse({"diagnostics": None}).canonical() == parse({}).canonical()


def test_the_default_is_every_fiftieth_update() -> None:
    spec = parse({"diagnostics": {}})
    assert spec.canonical()["diagnostics"] == {"every": 50}
    assert parse(spec.canonical()).canonical() == spec.canonical()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (True, "diagnostics"),
        (50, "diagnostics"),
        ({"every": 0}, "diagnostics.every"),
        ({"every": 1.5}, "diagnostics.every"),
        ({"each": 50}, "diagnostics.each"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(given: Any, path: str) -> None:
    assert refused({"diagnostics": given})[0] == path


def test_an_arm_has_none_of_its_own() -> None:
    path, message = refused({"arms": [{"diagnostics": {"every": 5}}]})
    assert (path, "unknown setting" in message) == ("arms[0].diagnostics", True)


def test_more_points_than_can_be_kept_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two arms of two seeds, three layers, ten metrics each; 30 updates: looked at 0, 4, ..., 28."""
    raw = {"arms": [{"optimizer.lr": lr} for lr in (0.1, 0.01)], "seeds": 2, "epochs": 2, "diagnostics": {"every": 4}}
    monkeypatch.setattr("core.spec._check.MOST_POINTS", 2 * 2 * 3 * 10 * 8)
    assert len(diagnostics()) == 10
    check(parse(raw), DatasetPaths())
    monkeypatch.setattr("core.spec._check.MOST_POINTS", 2 * 2 * 3 * 10 * 8 - 1)
    path, message = refused(raw)
    assert (path, "960 points" in message, "more seldom" in message) == ("diagnostics.every", True, True)
