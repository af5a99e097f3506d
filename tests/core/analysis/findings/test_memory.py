"""The memory that findings take: of few runs, however many there are."""

import weakref
from dataclasses import replace

from core.analysis.findings import findings
from core.results import Series
from tests.core.analysis.findings.test_findings import trained


def test_one_runs_series_are_in_memory_at_a_time() -> None:
    results = trained({"initializer": "he_normal"}, seeds=8)
    whole = {name: list(results.series(name)) for name in ("train_loss", "lr", "valid_loss", "valid_accuracy")}
    alive, most = 0, 0

    def made(one: Series) -> Series:
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        values = one.values.copy()
        weakref.finalize(values, gone)
        return one._replace(values=values)

    def gone() -> None:
        nonlocal alive
        alive -= 1

    lazy = replace(results, series=lambda name: map(made, whole.get(name, [])))
    assert findings(lazy) == findings(results)
    assert alive == 0
    assert most <= 2 * len(whole), "those of a run, and of the run before it"
