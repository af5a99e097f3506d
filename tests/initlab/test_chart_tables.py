"""Tables in a terminal of the data of real pictures."""

import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from core.plots import plot_data, plots, suitable
from initlab import charts
from tests.core.plots.conftest import MakeResults, experiment  # noqa: F401 it is the fixture
from tests.core.plots.kinds import GRIDS, KINDS


@pytest.mark.parametrize("kind", ["a grid of two", "a grid of three", "classes judged", "stored examples"])
def test_what_is_no_curve_is_a_table(kind: str, experiment: MakeResults) -> None:  # noqa: F811
    results = (KINDS | GRIDS)[kind](experiment)
    for name in sorted(suitable(results.design).keys() - {"schedule"}):
        data = json.loads(json.dumps(plot_data(plots.parse(name).build().data, results)))
        for width in (100, 40):
            file = io.StringIO()
            Console(width=width, markup=False, file=file).print(charts.chart(data, width))
            lines = file.getvalue().splitlines()
            if name == "heatmap":
                shown = {f"{100 * cell['mean']:.2f}" for p in data["panels"] for cell in p["cells"] if cell["mean"]}
                assert shown <= set(" ".join(lines).split())
            assert max(map(cell_len, lines)) <= width
            assert len(lines) > 2
