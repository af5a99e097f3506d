"""The study in a spec."""

from typing import Any

import pytest

from core.errors import InvalidSpec
from core.spec import parse

ARMS = {"arms": [{"label": "now"}, {"label": "new", "batch_size": 20}]}


def test_a_study_needs_a_baseline_and_is_left_out_where_there_is_none() -> None:
    assert parse(ARMS | {"study": "lr.sweep-2", "baseline": "now"}).canonical()["study"] == "lr.sweep-2"
    assert "study" not in parse(ARMS).canonical()


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({}, "baseline"),
        ({"arms": [{"label": "now"}], "baseline": "now"}, "baseline"),
        ({"study": "a/b", "baseline": "now"}, "study"),
        ({"study": "", "baseline": "now"}, "study"),
        ({"kind": "lr_range_test"}, "study"),
    ],
)
def test_what_is_no_part_of_a_study_is_refused(changed: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        parse(ARMS | {"study": "chain"} | changed)
    assert path in [problem.path for problem in refused.value.problems]
