"""What pictures say of experiments that were trained elsewhere: of nothing more than is known."""

from typing import Any

import numpy as np
import pytest

from core.errors import InvalidSpec
from core.plots import plots
from core.results import Results
from tests.core.plots.externals import by_epoch, external, losses


def data_of(name: str, results: Results, **options: Any) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse({"name": name} | options).build().data(results)
    return data


def test_epochs_of_an_unknown_number_of_updates_are_epochs() -> None:
    [panel] = data_of("convergence", by_epoch())["panels"]
    assert panel["x"]["label"] == "epochs done"
    assert [line["x"] for line in panel["lines"]] == [[1, 2, 3, 4, 5, 6]] * 2


def test_those_of_a_known_number_are_updates() -> None:
    [panel] = data_of("convergence", by_epoch(steps_per_epoch=10))["panels"]
    assert panel["x"]["label"] == "update (from 0)"
    assert panel["lines"][0]["x"] == [9, 19, 29, 39, 49, 59]


@pytest.mark.parametrize(("steps_per_epoch", "unit"), [(None, "epochs"), (10, "updates")])
def test_a_target_is_reached_after_epochs_where_updates_are_not_known(steps_per_epoch: int | None, unit: str) -> None:
    known = {} if steps_per_epoch is None else {"steps_per_epoch": steps_per_epoch}
    data = data_of("convergence", by_epoch(target={"metric": "val_acc", "value": 0.5}, **known))
    assert data["beside"]["title"] == f"{unit} to the target"
    assert data["beside"]["x"]["label"] == unit
    assert f"Right: {unit} until val acc reached" in data["caption"]


def test_nobody_knows_how_another_measured() -> None:
    data = data_of("accuracy", by_epoch())
    assert data["panels"][0]["title"] == "after each epoch"
    assert "Solid" not in data["caption"]
    splits = [{"name": f"{split}_accuracy", "direction": "max"} for split in ("train", "valid")]
    both = data_of("accuracy", external(splits, lambda *_: [0.5, 0.6]))
    assert "Solid: validation; dashed, thin: training." in both["caption"]
    assert [panel["title"] for panel in data_of("loss", losses())["panels"]] == ["training", "validation"]


def test_a_loss_by_epoch_lies_at_its_epochs_and_none_is_cut() -> None:
    data = data_of("loss", losses(), first=3)
    assert [panel["x"]["label"] for panel in data["panels"]] == ["epochs done"] * 2
    assert [line["x"] for panel in data["panels"] for line in panel["lines"]] == [[1, 2, 3, 4, 5, 6]] * 4
    assert "first 3" not in data["caption"]
    assert data_of("loss", losses(), x="epochs")["panels"][0]["lines"][0]["x"] == [1, 2, 3, 4, 5, 6]


def test_updates_are_no_epochs_where_nobody_said_how_many_an_epoch_has() -> None:
    by_update = external([{"name": "train_loss", "direction": "min", "per": "step"}], lambda *_: np.ones(6))
    assert data_of("loss", by_update)["panels"][0]["lines"][0]["x"] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(InvalidSpec, match="steps_per_epoch"):
        data_of("loss", by_update, x="epochs")


@pytest.mark.parametrize("name", ["convergence", "stability"])
def test_what_is_measured_by_update_lies_at_its_updates(name: str) -> None:
    results = losses(outcome="episode_reward", steps_per_epoch=2)
    panel = data_of(name, results)["panels"][0]
    assert panel["x"]["label"] == "update (from 0)"
    assert {tuple(line["x"]) for line in panel["lines"]} == {(0, 1, 2, 3, 4, 5)}


def test_a_mean_is_over_points_of_one_step() -> None:
    at = {0: [0, 1, 2, 3], 1: [0, 2, 4], 2: [0, 1, 2, 4]}
    results = external(
        [{"name": "val_acc", "direction": "max"}],
        lambda _metric, _a, s: np.array(at[s]) / 10 + s,
        lambda _metric, _a, s: at[s],
    )
    line = data_of("accuracy", results)["panels"][0]["lines"][0]
    assert (line["x"], line["y"]) == ([1, 3], pytest.approx([1.0, 1.2]))
    apart = external([{"name": "val_acc", "direction": "max"}], lambda *_: [0.5], lambda _metric, _a, s: [s])
    assert data_of("accuracy", apart)["panels"][0]["lines"] == []
