"""The densities over the weights, against scipy's."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.plots import plots
from tests.core.plots.conftest import MakeResults


@pytest.mark.parametrize(
    ("initializer", "law"),
    [
        ({"name": "normal", "std": 0.2}, stats.norm(0, 0.2)),
        ({"name": "uniform", "low": -0.5, "high": 1.5}, stats.uniform(-0.5, 2.0)),
        ({"name": "truncated_normal", "std": 0.2}, stats.truncnorm(-2, 2, 0, 0.2)),
        ("he_normal", stats.norm(0, np.sqrt(2 / 64))),
        ("glorot_uniform", stats.uniform(-np.sqrt(6 / 320), 2 * np.sqrt(6 / 320))),
    ],
)
def test_the_density_over_the_weights_is_scipy_s(experiment: MakeResults, initializer: Any, law: Any) -> None:
    layer = weights(experiment, initializer)

    line, bin_width = layer["density"], layer["edges"][1] - layer["edges"][0]
    x, y = np.array(line["x"]), np.array(line["y"])
    inside = (y > 0) & (np.abs(law.cdf(x) - 0.5) < 0.499999)  # at the ends the line stands upright
    if "uniform" in layer["law"]["distribution"]:
        assert (x.min(), x.max()) == pytest.approx(law.support())
    else:
        assert inside.sum() >= 2
    assert y[inside] == pytest.approx(law.pdf(x[inside]) * 256 * 64 * bin_width, rel=1e-6)
    assert layer["law"]["std"] == pytest.approx(law.std())
    assert np.trapezoid(y, x) / bin_width / (256 * 64) == pytest.approx(1.0, abs=0.01)


def test_weights_that_were_fitted_to_data_have_no_density(experiment: MakeResults) -> None:
    layer = weights(experiment, "lsuv", dataset="two_spirals")

    assert layer["density"] is None
    assert layer["law"]["std"] is None


def weights(experiment: MakeResults, initializer: Any, dataset: str = "digits") -> dict[str, Any]:
    """Of the first layer, (256, 64) on the digits."""
    results = experiment([{"label": "a", "initializer": initializer}], {}, dataset=dataset)
    layer: dict[str, Any] = plots.parse("weights").build().data(results)["rows"][0]["layers"][0]
    return layer
