"""Users' own data sets over HTTP: sent, used, and kept while they are used."""

import errno
import io
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from starlette.formparsers import MultiPartParser

from api.routes import datasets
from core.settings import Settings

CSV = b"x,y\n" + b"".join(b"%d,%s\n" % (i, b"no" if i % 2 else b"yes") for i in range(20))
OTHER = CSV + b"7,no\n"
TINY = {"seeds": 1, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}}


def send(client: TestClient, data: bytes = CSV, filename: str = "t.csv", **fields: Any) -> httpx2.Response:
    """Two classes as a multi-class task, which an experiment may compare with `digits`."""
    given = {"target": "y", "task": "multiclass"} | fields
    return client.post("/datasets", files={"file": (filename, data)}, data=given)


def kept(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.uploads.glob("*") if path.name != ".lock")


def sha(client: TestClient, name: str) -> str:
    return str(client.get(f"/datasets/{name}").json()["sha256"])


def test_a_first_look_shows_rows_counts_and_the_experiments_that_use_it(client: TestClient) -> None:
    for name in ("mine", "mine.2"):
        send(client, name=name)
    entry = {"name": "uploaded", "id": "mine"}
    arms = [{"label": "a"}, {"label": "b", "dataset": entry | {"id": "mine.2"}}]
    first = client.post("/experiments", json=TINY | {"dataset": entry}).json()["id"]
    both = client.post("/experiments", json=TINY | {"dataset": entry, "arms": arms}).json()["id"]
    client.post("/experiments", json=TINY | {"name": "it says mine@ too"})
    answer = client.get("/datasets/mine/preview")
    found = answer.json()
    assert (answer.status_code, found["rows"][:2]) == (200, [[0.0, "yes"], [1.0, "no"]])
    assert [one["examples"] for one in found["classes"]] == [10, 10]
    assert [one["id"] for one in found["experiments"]] == [both, first]
    assert client.get("/datasets/mine/preview", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert [one["id"] for one in client.get("/datasets/mine.2/preview").json()["experiments"]] == [both]
    client.post(f"/experiments/{first}/pause").raise_for_status()
    paused = client.get("/datasets/mine/preview").json()["experiments"]
    assert [(one["status"], one["paused"], one["cancelling"]) for one in paused] == [
        ("queued", False, False),
        ("queued", True, False),
    ]
    assert client.get("/datasets/none/preview").status_code == 404


def test_a_data_set_is_sent_listed_and_deleted(client: TestClient, settings: Settings) -> None:
    assert client.get("/datasets").json() == {"items": [], "next": None}
    sent = send(client, name="mine")
    assert (sent.status_code, sent.headers["location"]) == (201, "/datasets/mine")
    said = sent.json()
    assert said["created_at"].endswith("Z")
    assert {
        key: said[key] for key in ("name", "kind", "examples", "inputs", "outputs", "task", "classes", "features")
    } == {
        "name": "mine",
        "kind": "table",
        "examples": 20,
        "inputs": [1],
        "outputs": 2,
        "task": "multiclass",
        "classes": ["no", "yes"],
        "features": ["x"],
    }
    again = send(client, name="mine")
    assert (again.status_code, again.json()) == (200, said)
    assert send(client, OTHER, name="mine").status_code == 409
    assert client.get("/datasets/mine").json() == said
    assert client.get("/datasets").json() == {"items": [said], "next": None}
    assert client.delete("/datasets/mine").status_code == 204
    assert (client.delete("/datasets/mine").status_code, client.get("/datasets/mine").status_code) == (404, 404)
    assert kept(settings) == []


def test_columns_come_repeated_or_with_commas(client: TestClient) -> None:
    data = b"a,b,c,d,y\n1,2,3,4,0\n5,6,7,8,1\n"
    one = send(client, data, name="one", drop=["a", "b, c"]).json()
    assert one["features"] == ["d"]
    assert one["options"]["drop"] == ["a", "b", "c"]
    assert send(client, data, name="one", drop="a,b,c").status_code == 200


@pytest.mark.parametrize(
    ("fields", "path", "told"),
    [
        ({"target": "z"}, "target", "unknown column 'z'"),
        ({"target": ""}, "target", "should name the column"),
        ({"taget": "y"}, "taget", "did you mean 'target'?"),
        ({"task": "clustering"}, "task", "'multiclass', 'binary' or 'regression'"),
        ({"missing": "guess"}, "missing", "'refuse' or 'impute'"),
        ({"resize": "big"}, "resize", "should be a side in pixels"),
        ({"resize": "32"}, "resize", "does not apply to a table"),
        ({"name": "../up"}, "name", "should be 1 to 64 of"),
        ({"filename": "t.exe"}, "file", "ends in '.exe'"),
        ({"data": b"x,y\n1,0\n2,1,9\n3,1\n"}, "file", "row 3 has 3 values where the header has 2"),
    ],
)
def test_a_bad_request_names_its_field_and_leaves_nothing(
    client: TestClient, settings: Settings, fields: dict[str, Any], path: str, told: str
) -> None:
    answer = send(client, **fields)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    (error,) = answer.json()["errors"]
    assert error["path"] == path
    assert told in error["message"]
    assert kept(settings) == []


def test_a_form_without_a_file_and_a_body_that_is_no_form(client: TestClient) -> None:
    requests: list[dict[str, Any]] = [
        {"data": {"target": "y"}},
        {"json": {"file": "x"}},
        {"data": {"file": "text", "target": "y"}},
    ]
    for request in requests:
        answer = client.post("/datasets", **request)
        assert answer.status_code == 422
        assert "file" in [error["path"] for error in answer.json()["errors"]]
    answer = client.post("/datasets", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "Missing boundary in multipart.")
    many = [("file", ("a.csv", CSV)), ("file", ("b.csv", CSV))]
    assert client.post("/datasets", files=many, data={"target": "y"}).status_code == 400


def test_an_upload_may_be_larger_than_any_other_body(client: TestClient, settings: Settings) -> None:
    large = b"x,y\n" + b"".join(b"%030d,%d\n" % (i, i % 2) for i in range(50_000))
    assert len(large) > 1_500_000
    assert send(client, large).status_code == 201

    def hidden() -> Iterator[bytes]:
        yield large

    form = b"--b\r\nContent-Disposition: form-data; name=file; filename=u.csv\r\n\r\n" + large
    form += b"\r\n--b\r\nContent-Disposition: form-data; name=target\r\n\r\ny\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert client.post("/datasets", content=iter([form[:700_000], form[700_000:]]), headers=headers).status_code == 201
    for path in ("/experiments", "/datasets/x", "/datasets/"):
        refused = client.post(path, content=large)
        assert (refused.status_code, refused.headers["content-type"]) == (413, "application/problem+json")
    assert client.post("/experiments", content=hidden()).status_code == 413
    refused = client.post("/datasets", content=b"", headers=headers | {"Content-Length": str(2**30 + 1_000_001)})
    assert (refused.status_code, "1,074,741,824 bytes" in refused.json()["detail"]) == (413, True)
    assert kept(settings) == ["t", "u"]


def test_two_at_once_end_as_one(client: TestClient) -> None:
    ends: list[int] = []
    threads = [
        threading.Thread(target=lambda data=data: ends.append(send(client, data, name="mine").status_code))
        for data in (CSV, CSV, OTHER)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) in ([200, 201, 409], [201, 409, 409])


def test_a_full_disk_is_507(client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def writelines(self, _lines: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(datasets, "NamedTemporaryFile", Full)
        while_sent = send(client)
    settings.uploads.parent.mkdir(exist_ok=True)
    settings.uploads.write_text("a file where the folder should be")
    while_kept = send(client)
    for answer in (while_sent, while_kept):
        assert (answer.status_code, answer.headers["content-type"]) == (507, "application/problem+json")
        assert "cannot be stored" in answer.json()["detail"]


def test_a_form_is_parsed_by_another_process(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of fields took the event loop for as long as they took; so did a list of many columns."""
    monkeypatch.setattr(MultiPartParser, "parse", None)
    assert send(client, drop=[f"column_{i}" for i in range(5_000)]).status_code == 422
    assert send(client).status_code == 201
    too_many = send(client, drop=["x"] * 10_000)
    assert (too_many.status_code, too_many.json()["detail"][:15]) == (400, "Too many fields")


def uploaded(name: str, **more: Any) -> dict[str, Any]:
    return {"name": "uploaded", "id": name} | more


def test_an_experiment_records_the_content_that_it_uses(client: TestClient) -> None:
    for name, data in (("one", CSV), ("two", OTHER)):
        assert send(client, data, name=name).status_code == 201
    one, two = f"one@{sha(client, 'one')}", f"two@{sha(client, 'two')}"
    arms = [
        {"label": "base"},
        {"label": "whole", "dataset": uploaded("two")},
        {"label": "dotted", "dataset.id": "two", "dataset.split_seed": 3},
        {"label": "pinned", "dataset": uploaded(two)},
        {"label": "built in", "dataset": "digits"},
    ]
    spec = client.post("/experiments", json=TINY | {"dataset": uploaded("one"), "arms": arms}).json()["spec"]
    assert spec["dataset"]["id"] == one
    assert [arm["dataset"]["id"] for arm in spec["arms"][1:4]] == [two, two, two]
    grids: list[dict[str, list[Any]]] = [
        {"dataset.id": ["one", "two"], "batch_size": [5, 10]},
        {"dataset": [uploaded("one"), uploaded(two), "digits"]},
    ]
    for grid in grids:
        made = client.post("/experiments", json=TINY | {"dataset": uploaded("two"), "grid": grid}).json()
        assert made["spec"]["dataset"]["id"] == two
        ids = made["spec"]["grid"].get("dataset.id") or [d["id"] for d in made["spec"]["grid"]["dataset"][:2]]
        assert ids == [one, two]
        assert not any("@" in arm["label"] for arm in made["arms"])
        again = client.post("/experiments", json=made["spec"])
        assert (again.status_code, again.json()["spec"]) == (202, made["spec"])


def test_a_name_that_is_not_there_or_means_other_content_is_refused(client: TestClient) -> None:
    send(client, name="mine")
    pinned = f"mine@{sha(client, 'mine')}"
    client.delete("/datasets/mine")
    send(client, OTHER, name="mine")
    for name, told in (("mime", "did you mean 'mine'?"), (pinned, "has other content now")):
        answer = client.post("/experiments", json=TINY | {"arms": [{}, {"label": "b", "dataset": uploaded(name)}]})
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["path"] == "arms[1].dataset"
        assert told in error["message"]
    for bad in ("Mine", "mine@", "mine@abc", "../mine", "", 3):
        answer = client.post("/experiments", json={"dataset": uploaded(bad)})  # type: ignore[arg-type]
        assert answer.json()["errors"][0]["path"] == "dataset.id"


def test_one_key_makes_one_experiment_whatever_became_of_the_data(client: TestClient, settings: Settings) -> None:
    send(client, name="mine")
    spec = TINY | {"dataset": uploaded("mine")}
    key = {"Idempotency-Key": "k"}
    first = client.post("/experiments", json=spec, headers=key).json()["id"]
    client.post(f"/experiments/{first}/cancel")
    client.delete("/datasets/mine")
    for _ in range(2):
        assert client.post("/experiments", json=spec, headers=key).json()["id"] == first
        send(client, OTHER, name="mine")
    assert client.post("/experiments", json=spec | {"epochs": 2}, headers=key).status_code == 422


@pytest.mark.parametrize(
    "use",
    [
        {"dataset": uploaded("mine")},
        {"arms": [{"label": "a"}, {"label": "b", "dataset": uploaded("mine")}]},
        {"dataset": uploaded("other"), "arms": [{"label": "a"}, {"label": "b", "dataset.id": "mine"}]},
        {"grid": {"dataset": ["digits", uploaded("mine")]}},
        {"dataset": uploaded("other"), "grid": {"dataset.id": ["other", "mine"]}},
    ],
    ids=["base", "arm", "dotted", "grid", "dotted grid"],
)
def test_what_an_unfinished_experiment_uses_is_not_deleted(client: TestClient, use: dict[str, Any]) -> None:
    for name in ("mine", "other", "min"):
        send(client, name=name)
    experiment = client.post("/experiments", json=TINY | use)
    assert experiment.status_code == 202, experiment.text
    refusal = client.delete("/datasets/mine")
    assert refusal.status_code == 409
    assert f"experiment {experiment.json()['id']} uses the data set 'mine'" in refusal.json()["detail"]
    assert client.get("/datasets/mine").status_code == 200
    assert client.delete("/datasets/min").status_code == 204
    client.post(f"/experiments/{experiment.json()['id']}/cancel")
    assert client.delete("/datasets/mine").status_code == 204
