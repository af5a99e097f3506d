"""A submission and a delete that meet: whoever is second sees what the first did."""

import threading
from pathlib import Path

import pytest

from core.datasets import DatasetPaths, Uploads
from core.errors import Conflict
from core.experiments import requests
from core.experiments.requests import delete_dataset, draft, fingerprint_of
from core.spec import Spec, parse
from core.store import Database
from core.training import Profile
from tests.core.datasets.uploading import add
from tests.core.experiments.submitting import submit

CSV = b"x,y\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(20))


@pytest.fixture
def sources(tmp_path: Path) -> DatasetPaths:
    add(tmp_path / "uploads", CSV, "t.csv", target=["y"])
    return DatasetPaths(tmp_path, tmp_path / "uploads")


@pytest.fixture
def spec() -> Spec:
    own = {"name": "uploaded", "id": "mine"}
    return parse({"dataset": own, "seeds": 1, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}})


def test_a_delete_waits_for_a_submission_under_way(database: Database, sources: DatasetPaths, spec: Spec) -> None:
    """The data set is looked up, the experiment not yet stored: the delete has to see it all the same."""
    ends: list[object] = []

    def delete() -> None:
        try:
            with database.transaction() as session:
                ends.append(delete_dataset(session, "mine", sources))
        except Conflict as conflict:
            ends.append(conflict.detail)

    thread = threading.Thread(target=delete)
    with database.transaction() as session:
        experiment, _ = submit(session, spec, sources)
        thread.start()
        thread.join(0.3)
        assert ends == []
    thread.join()
    assert ends == [f"experiment {experiment.id} uses the data set 'mine' and has not ended: cancel it first"]
    assert [about.name for about in Uploads(sources.uploads)] == ["mine"]


def test_a_submission_waits_for_a_delete_under_way(database: Database, sources: DatasetPaths, spec: Spec) -> None:
    """The spec was checked while the data set was there, and is stored while it is deleted."""
    ends: list[object] = []
    checked = draft(spec, fingerprint_of(spec), sources, Profile.guess())

    def post() -> None:
        try:
            with database.transaction() as session:
                ends.append(requests.submit(session, checked, sources))
        except Conflict as conflict:
            ends.append(conflict.detail)

    thread = threading.Thread(target=post)
    with database.transaction() as session:
        delete_dataset(session, "mine", sources)
        add(sources.uploads, CSV, "t.csv", name="other", target=["y"])
        thread.start()
        thread.join(0.3)
        assert ends == []
    thread.join()
    assert ends == ["the data set 'mine' has changed while the spec was checked: post it again"]


def test_content_that_was_replaced_since_the_check_is_not_trained_on(
    database: Database, sources: DatasetPaths, spec: Spec
) -> None:
    checked = draft(spec, fingerprint_of(spec), sources, Profile.guess())
    Uploads(sources.uploads).remove("mine")
    add(sources.uploads, CSV + b"7,0\n", "t.csv", name="mine", target=["y"])
    with pytest.raises(Conflict, match="has changed"), database.transaction() as session:
        requests.submit(session, checked, sources)
