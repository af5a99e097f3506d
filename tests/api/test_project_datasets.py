"""Data sets of projects: counted, listed, and held to quotas."""

import io
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient

from api import job_process, jobs
from core.datasets import DatasetPaths, Options, Uploads
from core.experiments.projects import Quotas, take
from core.settings import Settings
from core.store import Database
from tests.api.keyed import Make, Sent
from tests.api.test_projects import TABLE, project, upload


@pytest.mark.parametrize("whose", ["key", "project"])
def test_a_data_set_counts_by_its_bytes_and_is_refused_above_a_quota(
    client: TestClient, make: Make, admin: Sent, whose: str
) -> None:
    assert upload(client, admin, "default").status_code == 201
    size = client.get("/me", headers=admin).json()["quotas"]["bytes"]["used"]
    assert size == client.get("/datasets/table", headers=admin).json()["bytes"] > 0
    anna = make("anna", *([f"bytes={size}"] if whose == "key" else []))
    project(client, admin, "nlp", members={"anna": "member"}, quotas={"bytes": size if whose == "project" else None})
    assert upload(client, anna, "nlp", "first").status_code == 201
    assert upload(client, anna, "nlp", "first").status_code == 200, "the same again, which counts once"
    refused = upload(client, anna, "nlp", "second")
    named = "anna" if whose == "key" else "the project 'nlp'"
    assert refused.status_code == 413
    assert f"the quota of bytes of {named} is {size:,}: {size:,} are there" in refused.json()["detail"]
    assert [one["name"] for one in client.get("/datasets", headers=anna).json()["items"]] == ["first", "table"]
    assert client.delete("/datasets/first", headers=anna).status_code == 204
    assert upload(client, anna, "nlp", "second").status_code == 201


def test_data_sets_are_listed_by_owner_and_project_ones_own_first(client: TestClient, make: Make, admin: Sent) -> None:
    anna, ben = make("anna"), make("ben")
    project(client, admin, "nlp", default_role="member")
    for sent, where, name in ((anna, "default", "a"), (ben, "nlp", "b"), (anna, "nlp", "c")):
        assert upload(client, sent, where, name).json()["project"] == where

    def names(sent: Sent, **asked: str) -> str:
        return "".join(one["name"] for one in client.get("/datasets", params=asked, headers=sent).json()["items"])

    assert (names(anna), names(ben), names(admin)) == ("acb", "bac", "abc")
    assert (names(ben, owner="me"), names(ben, owner="anna"), names(ben, project="nlp")) == ("b", "ac", "bc")


def test_a_name_that_is_taken_while_a_file_is_read_counts_once(
    client: TestClient, settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both uploads found the name free: the second one finds the first one's data set, and takes its count back."""
    form = httpx.Request("POST", client.base_url, files={"file": ("t.csv", TABLE)}, data={"target": "label"})
    body = tmp_path / "body"
    body.write_bytes(form.read())
    folder = settings.uploads

    def take_while_another_comes(*given: Any) -> None:
        take(*given)
        Uploads(folder).add(io.BytesIO(TABLE), "t.csv", None, Options(target=["label"]))

    monkeypatch.setattr(job_process.Process, "database", database, raising=False)
    monkeypatch.setattr(job_process.Process, "paths", DatasetPaths(uploads=folder), raising=False)
    monkeypatch.setattr(jobs, "take", take_while_another_comes)
    found, new = jobs.keep_upload(body, form.headers["content-type"], (None, "default", Quotas()))
    assert (found.name, new) == ("t", False)
    assert client.get("/me").json()["quotas"]["bytes"]["used"] == 0
