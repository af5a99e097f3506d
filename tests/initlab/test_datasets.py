"""A user's own data sets from Python and the command line: what goes over the wire, and what is printed."""

import email.parser
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from initlab import ApiError, Client
from initlab.reading import ReadOptions

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

PREVIEW: dict[str, Any] = {
    "columns": ["Geography", "Age", "Exited"],
    "columns_total": 2,
    "rows": [["France", None, "1"]],
    "pictures": [],
    "classes": [{"label": "[red]cat", "examples": 7000, "held_out": 1000}],
    "targets": [],
    "experiments": [{"id": 7, "name": "x", "status": "running"}],
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
    for _ in range(2):
        server.answer(200, IMAGES)
        server.answer(200, PREVIEW)
    out = run_cli("datasets", "show", "pets")[1]
    assert "examples    10,000, 2,000 of them held out for validation" in out
    assert "task        multiclass: class 0, class 1," in out
    assert "class 9, ... (12)" in out
    assert "options     none" in out
    assert "column " not in out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in ("[red]cat 7,000 1,000", "Geography Age Exited", "France – 1", "used by experiments: 7 (running)"):
        assert line in lines
    assert json.loads(run_cli("datasets", "show", "pets", "--json")[1]) == IMAGES | {"preview": PREVIEW}
    assert {one.path for one in server.asked} == {"/datasets", "/datasets/pets", "/datasets/pets/preview"}
    server.answers.clear()
    server.answer(200, {"items": [], "next": None})
    assert run_cli("datasets", "list")[1] == "no data sets\n"


def test_delete(server: Any, run_cli: RunCli) -> None:
    server.answer(204)
    assert run_cli("datasets", "delete", "churn") == (0, "data set churn is deleted\n", "")
    assert (server.asked[0].method, server.asked[0].path) == ("DELETE", "/datasets/churn")


def test_what_is_wrong_is_told_with_its_place(server: Any, run_cli: RunCli, file: Path, tmp_path: Path) -> None:
    told = {"path": "file", "message": "row 3 has 3 values where the header has 2", "known": []}
    server.answer(422, {"title": "Invalid request", "status": 422, "detail": "...", "errors": [told]})
    code, out, err = run_cli("datasets", "upload", str(file), "--target", "Exited")
    assert (code, out) == (2, "")
    assert err == "Invalid request (422):\n  file: row 3 has 3 values where the header has 2\n"
    code, _, err = run_cli("datasets", "upload", str(tmp_path / "none.csv"))
    assert (code, "none.csv" in err, "Traceback" in err) == (2, True, False)


def test_every_option_is_one_of_the_server(server: Any, run_cli: RunCli, file: Path) -> None:
    """On the command line as in Python; a blank marker stays a field, and `--no-header` is false."""
    server.answer(201, TABLE)
    words = {"target": "a", "drop": "b", "categorical": "c", "numeric": "d", "text": "e", "missing": "impute",
             "missing_values": "", "separator": ";", "decimal": ",", "encoding": "cp1252", "task": "binary",
             "resize": "4", "background": "white", "channels": "last", "scale": "none", "limit": "9"}  # fmt: skip
    said = [word for key, value in words.items() for word in (f"--{key.replace('_', '-')}", value)]
    assert run_cli("datasets", "upload", str(file), *said, "--no-header")[0] == 0
    fields = {name: content.decode() for name, filename, content in form(server.asked[0]) if filename is None}
    assert fields == words | {"header": "false"}
    assert fields.keys() == ReadOptions.__annotations__.keys()


def test_notes_are_printed(server: Any, run_cli: RunCli, file: Path) -> None:
    server.answer(201, TABLE | {"notes": [{"path": "task", "message": "[red]2 values: classes"}]})
    out = run_cli("datasets", "upload", str(file), "--target", "Exited")[1]
    assert "note        task: [red]2 values: classes" in out.splitlines()


def test_a_folder_and_a_pair_go_as_an_archive(server: Any, file: Path, tmp_path: Path) -> None:
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "0.png").write_bytes(b"x")
    (tmp_path / "more.csv").write_bytes(b"Age,Exited\n2,1\n")
    server.answer(201, TABLE)
    Client().upload_dataset(tmp_path / "pets")
    Client().upload_dataset(file, valid=tmp_path / "more.csv", target="Exited")
    sent = [next((name, data) for field, name, data in form(asked) if field == "file") for asked in server.asked]
    assert [name for name, _ in sent] == ["pets.zip", "churn.zip"]
    packed = [ZipFile(io.BytesIO(data)) for _, data in sent]
    assert [archive.namelist() for archive in packed] == [["cat/0.png"], ["train.csv", "valid.csv"]]
    assert packed[1].read("train.csv") == file.read_bytes()


def test_two_folders_go_as_the_parts_of_one_archive(server: Any, file: Path, tmp_path: Path, run_cli: RunCli) -> None:
    """They went as two empty folders."""
    for part, name in (("Train", "a/0.png"), ("Test", "a/1.png")):
        (tmp_path / part / "a").mkdir(parents=True)
        (tmp_path / part / name).write_bytes(b"x")
    server.answer(201, TABLE)
    Client().upload_dataset(tmp_path / "Train", valid=tmp_path / "Test")
    sent = next(data for field, _, data in form(server.asked[0]) if field == "file")
    assert ZipFile(io.BytesIO(sent)).namelist() == ["train/a/0.png", "valid/a/1.png"]
    code, _, err = run_cli("datasets", "upload", str(tmp_path / "Train"), "--valid", str(file))
    assert (code, "should be two files or two folders" in err, "Traceback" in err) == (2, True, False)


def test_an_empty_list_of_markers_is_said(server: Any, file: Path) -> None:
    """It was no field, and so the list of the server."""
    server.answer(201, TABLE)
    Client().upload_dataset(file, missing_values=[])
    assert ("missing_values", None, b"") in form(server.asked[0])
