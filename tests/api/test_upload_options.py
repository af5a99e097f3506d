"""Uploads over HTTP: every option as a form's field, the notes in every answer, and two at a time."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import UPLOADS_AT_ONCE
from core.datasets import Options
from tests.api.held import held, service_of
from tests.core.datasets.uploading import npz, picture, zipped

PRICES = b"price;town;y\n" + b"".join(b'"1.%d00,5";%s;%d\n' % (i, [b"NA", b"Bonn"][i % 2], i % 2) for i in range(8))


def send(client: TestClient, data: bytes, filename: str = "t.csv", **fields: Any) -> dict[str, Any]:
    answer = client.post("/datasets", files={"file": (filename, data)}, data={"target": "y"} | fields)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def paths(found: dict[str, Any]) -> list[str]:
    return [note["path"] for note in found["notes"]]


def test_notes_are_in_every_answer_and_in_the_report(client: TestClient) -> None:
    sent = send(client, PRICES, name="mine", missing_values="-")
    assert paths(sent) == ["separator", "task", "columns.price"]
    assert client.get("/datasets/mine").json()["notes"] == sent["notes"]
    assert client.get("/datasets").json()["items"][0]["notes"] == sent["notes"]
    spec = {
        "dataset": {"name": "uploaded", "id": "mine"},
        "model": {"name": "mlp", "hidden": [4]},
        "seeds": 1,
        "epochs": 1,
    }
    as_read = [note | {"path": f"dataset.{note['path']}"} for note in sent["notes"]]
    assert client.post("/experiments/preview", json=spec).json()["notes"] == as_read
    several = spec | {"arms": [{"label": "a"}, {"label": "b", "batch_size": 4}]}
    assert client.post("/experiments/preview", json=several).json()["notes"] == as_read
    made = client.post("/experiments", json=spec).json()
    report = client.get(made["links"]["report"])
    assert report.json()["notes"] == as_read
    page = client.get(made["links"]["report"], headers={"Accept": "text/markdown"}).text
    assert "## How the data was read" in page
    assert "dataset.separator: the values are separated by semicolon" in page
    assert client.post(f"/experiments/{made['id']}/cancel").is_success
    client.delete("/datasets/mine")
    assert client.get(made["links"]["report"]).json()["notes"] == []


@pytest.mark.parametrize(
    ("data", "filename", "fields", "shown"),
    [
        (PRICES, "t.csv", {"missing_values": "", "separator": ";", "decimal": ","}, {"categories": ["Bonn", "NA"]}),
        (b"1,2,0\n2,3,1\n", "t.csv", {"header": "false", "target": "column_3"}, {"features": ["column_1", "column_2"]}),
        ("t,y\né,0\nü,1\n".encode("cp1252"), "t.csv", {"encoding": "cp1252"}, {"categories": ["é", "ü"]}),
        (b"a,b,y\n1,2020-01-02,0\n2,2020-01-03,1\n", "t.csv", {"categorical": "a", "numeric": "b"},
         {"categories": ["1", "2"]}),
        (b"x,y\n1,0\n2,1\n3,0\n4,1\n5,0\n", "t.csv", {"scale": "none", "limit": "3"}, {"examples": 3, "scale": "none"}),
        (npz(x=np.ones((4, 3, 3, 2)), y=[0, 1, 0, 1]), "a.npz", {"channels": "last", "target": []},
         {"inputs": [2, 3, 3]}),
        (zipped({f"{c}/0.png": picture([[[0, 0, 0, 0]]]) for c in "ab"}), "a.zip",  # type: ignore[arg-type]
         {"background": "#ff0000", "target": []}, {"inputs": [3, 1, 1]}),
    ],
    ids=["missing", "header", "encoding", "columns", "scale", "channels", "background"],
)  # fmt: skip
def test_options_are_fields_of_the_form(
    client: TestClient, data: bytes, filename: str, fields: dict[str, Any], shown: dict[str, Any]
) -> None:
    found = send(client, data, filename, **fields)
    found["categories"] = next((column["categories"] for column in found["columns"] if column["categories"]), [])
    assert {key: found[key] for key in shown} == shown
    for name in fields.keys() - {"target"}:
        kept = {"categorical": "text"}.get(name, name)
        assert found["options"][kept] is not None


def test_every_option_has_its_bounds(client: TestClient) -> None:
    bad = {"separator": "ab", "decimal": "x", "encoding": "a b", "header": "maybe", "channels": "middle",
           "scale": "big", "limit": "1", "background": "mauve",
           "missing": "maybe", "task": "x", "resize": "x"}  # fmt: skip
    answer = client.post("/datasets", files={"file": ("t.csv", PRICES)}, data={"target": "y"} | bad)
    assert answer.status_code == 422
    assert {error["path"] for error in answer.json()["errors"]} == set(bad)
    assert set(bad) < set(Options.model_fields)


def test_so_many_files_are_read_at_a_time(client: TestClient, tmp_path: Path) -> None:
    """The others wait without a thread: a page is answered while all wait that the threads would otherwise serve."""
    threads = [threading.Thread(target=send, args=(client, PRICES), kwargs={"name": f"n{i}", "missing_values": ""})
               for i in range(45)]  # fmt: skip
    assert UPLOADS_AT_ONCE == service_of(client).readers.processes == 2
    with held(client, service_of(client).readers, tmp_path):
        for thread in threads:
            thread.start()
        assert client.get("/datasets").json()["items"] == []
    for thread in threads:
        thread.join()
    assert len(client.get("/datasets").json()["items"]) == 45
