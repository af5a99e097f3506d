"""A user's own data sets from Python and the command line: what goes over the wire, and what is printed."""

import email.parser
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from initlab import ApiError, Client

RunCli = Callable[..., tuple[int, str, str]]

TABLE: dict[str, Any] = {
    "kind": "table",
    "examples": 10000,
    "valid_examples": None,
    "inputs": [13],
    "outputs": 1,
    "task": "binary",
    "classes": ["0", "[red]1"],
    "chance": 0.8,
    "columns": [
        {"name": "Age", "kind": "number", "categories": []},
        {"name": "[bold]Geography", "kind": "text", "categories": ["France", "Spain"]},
    ],
    "features": ["Age", "[bold]Geography=France", "[bold]Geography=Spain"],
    "options": {"target": ["Exited"], "drop": ["RowNumber", "Surname"], "text": [], "missing": "refuse"},
    "name": "churn",
    "sha256": "e2c6" * 16,
    "file_sha256": "3996" * 16,
    "bytes": 880256,
    "created_at": "2026-11-21T09:40:28Z",
}
IMAGES = TABLE | {
    "name": "pets",
    "kind": "images",
    "valid_examples": 2000,
    "inputs": [3, 32, 48],
    "outputs": 12,
    "task": "multiclass",
    "classes": [f"class {i}" for i in range(12)],
    "columns": [],
    "options": {"resize": None},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "churn.csv"
    path.write_bytes(b"Age,Exited\r\n1,0\r\n")
    return path


def form(asked: Any) -> list[tuple[str, str | None, bytes]]:
    """The fields of a multipart body: name, file name, content."""
    head = f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser().parsebytes(head + asked.body)
    fields = []
    for part in message.walk():
        if part is message:
            continue
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        fields.append((str(part.get_param("name", header="content-disposition")), part.get_filename(), content))
    return fields


def test_a_file_goes_with_its_options(server: Any, file: Path) -> None:
    server.answer(201, TABLE)
    found = Client().upload_dataset(
        file, "churn", target="Exited", drop=["RowNumber", "Surname"], text=(), missing="impute", resize=32
    )
    assert found == TABLE
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/datasets")
    assert int(asked.headers["Content-Length"]) == len(asked.body)
    assert sorted(form(asked)) == [
        ("drop", None, b"RowNumber"),
        ("drop", None, b"Surname"),
        ("file", "churn.csv", b"Age,Exited\r\n1,0\r\n"),
        ("missing", None, b"impute"),
        ("name", None, b"churn"),
        ("resize", None, b"32"),
        ("target", None, b"Exited"),
    ]


def test_a_lost_answer_sends_the_whole_file_again(server: Any, file: Path) -> None:
    server.cut()
    server.answer(503, {"status": 503}, Retry_After="0")
    server.answer(200, TABLE)
    Client().upload_dataset(file)
    assert [form(asked) for asked in server.asked] == 3 * [[("file", "churn.csv", b"Age,Exited\r\n1,0\r\n")]]


def test_a_name_is_one_part_of_the_path(server: Any) -> None:
    server.answer(404, {"status": 404, "title": "Not found", "detail": "", "errors": []})
    for call in (Client().dataset, Client().delete_dataset):
        with pytest.raises(ApiError):
            call("../experiments/1")
    assert {asked.path for asked in server.asked} == {"/datasets/..%2Fexperiments%2F1"}


def test_upload_tells_what_was_found(server: Any, run_cli: RunCli, file: Path) -> None:
    server.answer(201, TABLE)
    code, out, err = run_cli("datasets", "upload", str(file), "--target", "Exited", "--drop", "A,B", "--drop", "C")
    assert (code, err) == (0, "")
    assert [field for field in form(server.asked[0]) if field[0] != "file"] == [
        ("target", None, b"Exited"),
        ("drop", None, b"A,B"),
        ("drop", None, b"C"),
    ]
    assert out.splitlines()[:7] == [
        "churn",
        'in a spec   {"dataset": {"name": "uploaded", "id": "churn"}}',
        "examples    10,000",
        "inputs      13",
        "task        binary: 0, [red]1",
        "options     target=Exited, drop=RowNumber,Surname, missing=refuse",
        f"SHA-256     {'e2c6' * 16}",
    ]
    rows = [line.split() for line in out.splitlines()[7:] if line.strip()]
    assert rows[0] == ["column", "kind", "features"]
    assert rows[2:] == [["Age", "number", "1"], ["[bold]Geography", "text", "France,", "Spain"]]


def test_list_and_show(server: Any, run_cli: RunCli) -> None:
    server.answer(200, {"items": [TABLE, IMAGES], "next": None})
    rows = [line.split() for line in run_cli("datasets", "list")[1].splitlines() if line.strip()]
    assert rows[0] == ["name", "kind", "examples", "inputs", "task", "outputs", "MB", "created"]
    assert rows[2] == ["churn", "table", "10,000", "13", "binary", "1", "0.9", "2026-11-21T09:40:28Z"]
    assert rows[3][:7] == ["pets", "images", "10,000", "3", "x", "32", "x"]
    assert json.loads(run_cli("datasets", "list", "--json")[1]) == [TABLE, IMAGES]
    server.answers.clear()
    server.answer(200, IMAGES)
    out = run_cli("datasets", "show", "pets")[1]
    assert "examples    10,000, 2,000 of them held out for validation" in out
    assert "task        multiclass: class 0, class 1," in out
    assert "class 9, ... (12)" in out
    assert "options     none" in out
    assert "column" not in out
    assert json.loads(run_cli("datasets", "show", "pets", "--json")[1]) == IMAGES
    server.answers.clear()
    server.answer(200, {"items": [], "next": None})
    assert run_cli("datasets", "list")[1] == "no data sets\n"


def test_delete(server: Any, run_cli: RunCli) -> None:
    server.answer(204)
    assert run_cli("datasets", "delete", "churn") == (0, "data set churn is deleted\n", "")
    assert (server.asked[0].method, server.asked[0].path) == ("DELETE", "/datasets/churn")


def test_what_is_wrong_is_told_with_its_place(server: Any, run_cli: RunCli, file: Path, tmp_path: Path) -> None:
    told = {"path": "file", "message": "Row #3: Expected 2 columns, got 3", "known": []}
    server.answer(422, {"title": "Invalid request", "status": 422, "detail": "...", "errors": [told]})
    code, out, err = run_cli("datasets", "upload", str(file), "--target", "Exited")
    assert (code, out) == (2, "")
    assert err == "Invalid request (422):\n  file: Row #3: Expected 2 columns, got 3\n"
    code, _, err = run_cli("datasets", "upload", str(tmp_path / "none.csv"))
    assert (code, "none.csv" in err, "Traceback" in err) == (2, True, False)
