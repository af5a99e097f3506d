"""Tables in a terminal of the data of real pictures."""

import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from core.plots import plot_data, plots, suitable
from initlab import charts
from tests.core.plots.conftest import MakeResults, arms, experiment  # noqa: F401 it is the fixture
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


@pytest.mark.parametrize(
    ("seeds", "said"), [(2, "70.00 % (range 60.00 % to 80.00 %)"), (3, "70.00 % (45.16 % to 94.84 %)")]
)
def test_the_range_of_two_runs_is_not_told_as_their_interval(
    seeds: int,
    said: str,
    experiment: MakeResults,  # noqa: F811
) -> None:
    finals = [0.6, 0.8, 0.7]
    results = experiment(arms("a"), {"valid_accuracy": lambda _a, s: [0.1, finals[s]]}, seeds=seeds)
    data = plot_data(plots.parse("comparison").build().data, results)
    file = io.StringIO()
    Console(width=120, markup=False, file=file).print(charts.chart(data, 120))
    assert said in file.getvalue()
