"""Thinned series: what is kept of them, and the means of their parts."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient


def test_a_thinned_series_has_the_means_of_its_parts_where_it_is_asked_for_them(
    client: TestClient, trained: str
) -> None:
    def losses(**query: Any) -> list[Any]:
        found: list[Any] = client.get(trained, params={"metric": "train_loss"} | query).json()["series"]
        return found

    whole = losses()
    assert whole
    for one, thinned in zip(whole, losses(max_points=10, means=8), strict=True):
        assert one["means"] is None
        means = thinned["means"]
        values = np.array(one["values"], dtype=float)  # NaN where it is null
        parts = [values[at : at + means["width"]] for at in range(0, one["total"], means["width"])]
        assert len(parts) <= 8
        assert means["values"] == pytest.approx([np.nanmean(part) for part in parts], abs=1e-12)
        assert means["counts"] == [np.isfinite(part).sum() for part in parts]
    assert [one["means"] for one in losses(max_points=1000, means=8)] == [None] * len(whole)


@pytest.mark.parametrize("query", ["means=8", "means=8&max_points=10&format=csv", "means=0&max_points=10"])
def test_means_that_no_answer_would_have_are_refused(client: TestClient, trained: str, query: str) -> None:
    refused = client.get(f"{trained}?metric=train_loss&{query}")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "means")
