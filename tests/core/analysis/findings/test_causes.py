"""Networks whose layers were not measured, or whose findings follow from one another."""

import pytest

from core.analysis import build_report, findings, markdown
from tests.core.analysis.findings.test_findings import deep, trained


@pytest.mark.parametrize("constant", ["zeros", "ones"])
@pytest.mark.parametrize("lr", [1e-9, 0.1, 1e6])
def test_of_constants_no_rate_is_blamed_where_layers_were_not_measured(constant: str, lr: float) -> None:
    results = trained({"initializer": constant, "optimizer": {"name": "sgd", "lr": lr}}, diagnostics=None)
    assert [(one["kind"], one["evidence"]["seeds"]) for one in findings(results)] == [("symmetry", 3)]


def test_where_layers_were_not_measured_a_flat_loss_has_several_reasons() -> None:
    results = trained(deep("sigmoid", 0.05), diagnostics=None)
    (found,) = findings(results)
    assert found["kind"] == "flat_loss"
    assert "gradient is lost between the layers" in found["explanation"]


def test_a_page_says_what_a_finding_follows_from() -> None:
    results = trained(deep("tanh", 0.02))
    assert "vanishing gradients, in 3 of 3 runs (follows from vanishing activations): " in markdown(
        build_report(results), results
    )
