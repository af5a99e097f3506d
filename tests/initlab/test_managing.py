"""Lists, edits, and many at once, from Python and the command line, against canned answers."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from initlab import ApiError, Client

RunCli = Callable[..., tuple[int, str, str]]
Query = list[tuple[str, str]]

DONE = {"done": [3, 5], "refused": [], "next": None}
REFUSED = {"id": 4, "status": 409, "reason": "experiment 4 is running: cancel it first"}


def queries(server: Any) -> list[tuple[str, str, Query]]:
    """Return what was asked: method, path and query."""
    parts = [(one.method, urlsplit(one.path)) for one in server.asked]
    return [(method, part.path, parse_qsl(part.query)) for method, part in parts]


def test_every_filter_reaches_the_server_from_python(server: Any) -> None:
    server.answer(200, {"items": [], "next": None})
    day = datetime(2026, 12, 1, tzinfo=UTC)
    asked = Client().experiments(
        ["queued", "running"], ["a", "b"], "w", owner="me", created_after=day, created_before="2027-01-01T00:00:00Z",
        sort="progress", reverse=True,
    )  # fmt: skip
    assert list(asked) == []
    (found,) = queries(server)
    assert sorted(found[2]) == [
        ("created_after", "2026-12-01T00:00:00+00:00"), ("created_before", "2027-01-01T00:00:00Z"), ("name", "w"),
        ("owner", "me"), ("reverse", "true"), ("sort", "progress"), ("status", "queued"), ("status", "running"),
        ("tag", "a"), ("tag", "b"),
    ]  # fmt: skip


def test_every_filter_reaches_the_server_from_the_command_line(
    server: Any, experiment: dict[str, Any], run_cli: RunCli
) -> None:
    server.answer(200, {"items": [experiment | {"id": i} for i in (9, 8, 7)], "next": "7"})
    words = (
        "list --status queued --status running --tag a --tag b --name w --owner me --created-after 2026-12-01T00:00:00Z"
    )
    words += " --created-before 2027-01-01T00:00:00Z --sort finished --reverse --limit 2"
    code, out, err = run_cli(*words.split())
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[3:] if line.strip()] == ["9", "8"], "no more than the limit"
    (found,) = queries(server)
    assert sorted(found[2]) == [
        ("created_after", "2026-12-01T00:00:00Z"), ("created_before", "2027-01-01T00:00:00Z"), ("name", "w"),
        ("owner", "me"), ("reverse", "true"), ("sort", "finished"), ("status", "queued"), ("status", "running"),
        ("tag", "a"), ("tag", "b"),
    ]  # fmt: skip
    assert run_cli("list", "--sort", "size")[0] == 2


def test_an_edit_sends_what_was_given_and_no_more(server: Any, experiment: dict[str, Any]) -> None:
    edited = experiment | {"name": "new", "tags": ["a"], "notes": "n"}
    server.answer(200, experiment, ETag='"1.1"')
    server.answer(200, edited, ETag='"2.1"')
    server.answer(200, edited, ETag='"2.1"')
    server.answer(412, {"title": "Precondition failed", "detail": "it was edited"})
    found = Client().experiment(7).edit("new", ["a"], "n")
    assert (found.name, found.tags, found.notes) == ("new", ["a"], "n")
    found.edit(tags=[], notes="")
    with pytest.raises(ApiError, match="412"):
        found.edit(notes="mine", if_unchanged=True)
    sent = [(asked.method, asked.path, asked.body, asked.headers.get("If-Match")) for asked in server.asked[1:]]
    assert sent == [
        ("PATCH", "/experiments/7", {"name": "new", "tags": ["a"], "notes": "n"}, None),
        ("PATCH", "/experiments/7", {"tags": [], "notes": ""}, None),
        ("PATCH", "/experiments/7", {"notes": "mine"}, '"2.1"'),
    ]


def test_what_was_never_looked_at_cannot_be_unchanged(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(202, experiment)
    with pytest.raises(ValueError, match="refresh"):
        Client().submit({}).edit(notes="n", if_unchanged=True)


def test_an_edit_on_the_command_line(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer(200, experiment)
    server.answer(200, experiment | {"name": "new", "tags": ["a", "b"], "notes": "Page 12.\n[x] done"})
    monkeypatch.setattr("sys.stdin", io.StringIO("Page 12.\n[x] done"))
    code, out, _ = run_cli("edit", "7", "--name", "new", "--tag", "a", "--tag", "b", "--notes", "-")
    assert (code, out) == (0, "new\nexperiment 7: succeeded\ntags: a, b\nPage 12.\n[x] done\n")
    assert server.asked[1].body == {"name": "new", "tags": ["a", "b"], "notes": "Page 12.\n[x] done"}
    assert run_cli("edit", "7", "--no-tags")[0] == 0
    assert server.asked[-1].body == {"tags": []}
    for words in ((), ("--tag", "a", "--no-tags")):
        assert run_cli("edit", "7", *words)[0] == 2


@pytest.mark.parametrize(("what", "method"), [("cancel", "POST"), ("delete", "DELETE")])
def test_many_are_gone_through_page_by_page(server: Any, what: str, method: str) -> None:
    server.answer(200, {"done": [1, 2], "refused": [], "next": 2})
    server.answer(200, DONE | {"refused": [REFUSED]})
    client = Client()
    call = client.cancel_experiments if what == "cancel" else client.delete_experiments
    assert call(["a", "b"], "queued") == {"done": [1, 2, 3, 5], "refused": [REFUSED]}
    path = "/experiments/cancel" if what == "cancel" else "/experiments"
    asked = [("tag", "a"), ("tag", "b"), ("status", "queued")]
    assert queries(server) == [(method, path, asked), (method, path, [*asked, ("cursor", "2")])]


def test_many_on_the_command_line_say_which_were_not_and_why(server: Any, run_cli: RunCli) -> None:
    server.answer(200, DONE | {"refused": [REFUSED]})
    code, out, _ = run_cli("cancel", "--tag", "a", "--status", "queued")
    assert (code, out) == (
        0,
        "cancelled: 2 experiments; left as they are: 1\n  experiment 4 is running: cancel it first\n",
    )
    assert json.loads(run_cli("delete", "--tag", "a", "--yes", "--json")[1]) == {"done": [3, 5], "refused": [REFUSED]}
    assert [found[0] for found in queries(server)] == ["POST", "DELETE"]


def test_many_are_deleted_only_when_asked_twice(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer(200, {"items": [experiment] * 3, "next": None})
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, _, err = run_cli("delete", "--tag", "a")
    assert code == 1
    assert "Delete 3 experiments and all that they measured?" in err
    assert [found[0] for found in queries(server)] == ["GET"]


@pytest.mark.parametrize("words", [(), ("7", "--tag", "a"), ("7", "--status", "queued"), ("--status", "queued")])
@pytest.mark.parametrize("command", ["cancel", "delete"])
def test_one_or_all_with_a_tag_but_never_both_or_neither(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, command: str, words: tuple[str, ...]
) -> None:
    server.answer(200, experiment)
    assert run_cli(command, *words)[0] == 2
    assert server.asked == []


def test_more_is_declared_from_python_and_the_command_line(
    server: Any, experiment: dict[str, Any], run_cli: RunCli
) -> None:
    server.answer(200, experiment, ETag='"a"')
    found = Client().experiment(7).declare({"he": {"gain": 2}}, [3], {"loss": "min"})
    assert server.asked[-1].path == "/experiments/7/declare"
    assert server.asked[-1].body == {
        "arms": [{"label": "he", "config": {"gain": 2}}],
        "seeds": [3],
        "metrics": [{"name": "loss", "direction": "min"}],
    }
    assert found.status == "succeeded"
    words = "declare 7 --arm he --arm a:b --seed 3 --metric loss:min:step --metric lr"
    code, _, err = run_cli(*words.split())
    assert (code, err) == (0, "")
    assert server.asked[-1].body == {
        "arms": [{"label": "he"}, {"label": "a:b"}],
        "seeds": [3],
        "metrics": [{"name": "loss", "direction": "min", "per": "step"}, {"name": "lr"}],
    }
    assert run_cli("declare", "7")[0] == 2
