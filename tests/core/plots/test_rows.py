"""What the pictures with a row for each arm draw, against numbers by numpy and scipy."""

import numpy as np
import pytest
from scipy import stats

from core.datasets import DatasetInfo
from core.plots import plots
from core.spec import parse
from core.training import initial_state
from tests.core.plots.test_data import MakeResults, data_of, two


def test_the_weights_drawn_are_those_trained_from(experiment: MakeResults) -> None:
    arms = [
        {"label": "a", "initializer": "he_normal"},
        {"label": "ones", "initializer": "ones"},
        {"label": "a again", "initializer": "he_normal", "batch_size": 7},
    ]
    results = experiment(arms, {}, seeds=[3, 4])

    data = data_of("weights", results)

    state = initial_state(parse({"arms": arms}).expanded[0].treatment, DatasetInfo((1, 8, 8), 10, 1438, 359), 3)
    weight = state["fc1.weight"].double().numpy()
    assert [row["labels"] for row in data["rows"]] == [["a", "a again"], ["ones"]]
    assert data["columns"] == ["fc1", "fc2", "fc3"]
    first = data["rows"][0]["layers"][0]
    assert (first["name"], first["shape"]) == ("fc1", [256, 64])
    assert first["sd"] == pytest.approx(weight.std())
    counts, edges = np.histogram(weight, len(first["counts"]), (weight.min(), weight.max()))
    assert first["counts"] == counts.tolist()
    assert first["edges"] == pytest.approx(edges.tolist())
    ones = data["rows"][1]["layers"][0]
    assert (ones["counts"], ones["edges"], ones["sd"]) == ([256 * 64], [1.0, 1.0], 0.0)
    assert "weights of seed 3" in data["caption"]


def test_the_histograms_of_a_layer_share_an_axis_unless_told(experiment: MakeResults) -> None:
    sizes = [{"name": "normal", "std": 0.02}, {"name": "normal", "std": 0.5}, "ones"]
    arms = [{"label": str(size), "initializer": size} for size in sizes]
    results = experiment(arms, {}, model={"name": "mlp", "hidden": [4]})

    shared, own = (data_of({"name": "weights"} | asked, results) for asked in ({}, {"axes": "own"}))

    for name in shared["columns"]:
        layers = [layer for row in shared["rows"] for layer in row["layers"] if layer["name"] == name]
        low, high = shared["limits"][name]
        assert all(low < layer["min"] <= layer["max"] < high for layer in layers)
    drawn = [axes.get_xlim() for axes in plots.parse("weights").build().draw(shared).axes]
    assert len(set(drawn)) == len(shared["columns"])
    assert own["limits"] == {}
    assert len({axes.get_xlim() for axes in plots.parse("weights").build().draw(own).axes}) > 2


def test_few_weights_have_few_bins(experiment: MakeResults) -> None:
    results = experiment(two(), {}, model={"name": "mlp", "hidden": [4]})

    layers = data_of("weights", results)["rows"][0]["layers"]

    assert [(sum(layer["counts"]), len(layer["counts"])) for layer in layers] == [(256, 13), (40, 7)]


def test_layers_of_a_deep_model_are_cut_to_the_first_and_the_last(experiment: MakeResults) -> None:
    results = experiment(two(), {}, model={"name": "mlp", "hidden": [4] * 10})

    data = data_of("weights", results)

    assert data["columns"] == ["fc1", "fc2", "fc3", "fc4", "fc11"]
    assert "5 of 11 layers" in data["caption"]


def test_the_comparison_has_the_report_s_numbers_best_first(experiment: MakeResults) -> None:
    finals = np.array([[0.90, 0.91, 0.89], [0.95, 0.97, 0.96]])
    results = experiment(two(), {"valid_accuracy": lambda a, s: [finals[a, s]]}, seeds=3)

    data = data_of("comparison", results)

    b, a = data["rows"]
    d = finals[0] - finals[1]
    interval = stats.t.interval(0.95, 2, loc=d.mean(), scale=stats.sem(d))
    assert (b["label"], a["label"], data["reference"]) == ("b", "a", "b")
    assert b["values"] == finals[1].tolist()
    assert b["mean"] == pytest.approx(0.96)
    assert b["difference"] is None
    assert a["difference"]["values"] == pytest.approx((100 * d).tolist())
    assert a["difference"]["mean"] == pytest.approx(100 * d.mean())
    assert (a["difference"]["ci_low"], a["difference"]["ci_high"]) == pytest.approx([100 * end for end in interval])
    assert a["difference"]["decided"] == (stats.ttest_1samp(d, 0).pvalue < 0.05)


def test_differences_of_far_and_near_arms_get_an_axis_for_both(experiment: MakeResults) -> None:
    labels = [{"label": name, "initializer": "zeros"} for name in ("best", "near", "far")]
    finals = {0: 0.97, 1: 0.965, 2: 0.1}
    results = experiment(labels, {"valid_accuracy": lambda a, s: [finals[a] + 0.001 * s * (a + 1)]}, seeds=3)

    axis = data_of("comparison", results)["difference"]

    assert axis["scale"] == "symlog"
    assert "logarithmic beyond" in axis["label"]
    assert axis["limits"][0] < -87
