"""Projects on the command line and from Python, against canned answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from initlab import Client

RunCli = Callable[..., tuple[int, str, str]]
NLP = {
    "name": "nlp",
    "description": "texts [red]",
    "role": "maintainer",
    "default_role": None,
    "keep_days": 30.0,
    "members": {"anna": "maintainer", "@ben": "viewer"},
    "quotas": {
        "runs": {"used": 1200, "most": 5000},
        "points": {"used": 7, "most": None},
        "bytes": {"used": 0, "most": 0},
    },
}
ME = {"id": "anna", "scope": "submit", "projects": [{"name": "nlp", "role": "member"}], "quotas": NLP["quotas"]}


def test_projects_are_listed_and_shown(server: Any, run_cli: RunCli) -> None:
    server.answer(200, {"items": [NLP], "next": None})
    listed = run_cli("projects", "list")[1]
    assert all(word in listed for word in ("nlp", "maintainer", "1,200 of 5,000", "texts [red]"))
    server.answers[:] = []
    server.answer(200, NLP)
    assert run_cli("projects", "show", "nlp")[1].splitlines() == [
        "nlp: texts [red]",
        "you are maintainer, nobody else sees it; what has ended is kept for 30 days",
        "runs: 1,200 of 5,000",
        "points: 7",
        "bytes: 0 of 0",
        "maintainer: anna",
        "viewer: @ben",
    ]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["create", "nlp"], ("POST", "/projects", {"name": "nlp"})),
        (
            ["create", "nlp", "--description", "d", "--default-role", "viewer", "--keep-days", "30", "--runs", "9"],
            (
                "POST",
                "/projects",
                {"name": "nlp", "description": "d", "default_role": "viewer", "keep_days": 30, "quotas": {"runs": 9}},
            ),
        ),
        (
            ["change", "nlp", "--default-role", "none", "--keep-days", "none", "--points", "none", "--bytes", "5"],
            (
                "PATCH",
                "/projects/nlp",
                {"default_role": None, "keep_days": None, "quotas": {"points": None, "bytes": 5}},
            ),
        ),
        (["add-member", "nlp", "anna"], ("PATCH", "/projects/nlp", {"members": {"anna": "member"}})),
        (
            ["add-member", "nlp", "%lab", "--role", "maintainer"],
            ("PATCH", "/projects/nlp", {"members": {"%lab": "maintainer"}}),
        ),
        (["remove-member", "nlp", "@ben"], ("PATCH", "/projects/nlp", {"members": {"@ben": None}})),
        (["delete", "nlp"], ("DELETE", "/projects/nlp", None)),
    ],
)
def test_a_command_asks_for_what_its_words_say(
    server: Any, run_cli: RunCli, words: list[str], asked: tuple[str, str, Any]
) -> None:
    server.answer(200, NLP)
    code, out, _ = run_cli("projects", *words)
    assert (code, "nlp" in out) == (0, True)
    assert [(one.method, one.path, one.body) for one in server.asked] == [asked]


def test_a_number_that_is_none_is_refused_here(server: Any, run_cli: RunCli) -> None:
    code, _, err = run_cli("projects", "create", "nlp", "--runs", "many")
    assert (code, err, server.asked) == (2, "--runs should be a number, or none: 'many'\n", [])


def test_who_am_i(server: Any, run_cli: RunCli) -> None:
    server.answer(200, ME)
    assert run_cli("whoami")[1].splitlines() == [
        "anna: submit", "member of nlp", "runs: 1,200 of 5,000", "points: 7", "bytes: 0 of 0",
    ]  # fmt: skip


def test_what_is_posted_belongs_to_the_project_that_was_named(
    server: Any, run_cli: RunCli, experiment: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the call before the setting, which is before the server's own."""
    spec, table = tmp_path / "spec.json", tmp_path / "table.csv"
    spec.write_text("{}")
    table.write_text("a,b\n1,2\n")
    server.answer(202, experiment)
    with Client() as client:
        client.submit({})
        monkeypatch.setenv("INITLAB_PROJECT", "cv")
    with Client() as client, Client(project="nlp") as other:
        for one in (client, other):
            one.submit({})
            one.upload_dataset(table)
    run_cli("submit", str(spec), "--project", "nlp")
    assert [one.path for one in server.asked] == [
        "/experiments",
        "/experiments?project=cv",
        "/datasets?project=cv",
        "/experiments?project=nlp",
        "/datasets?project=nlp",
        "/experiments?project=nlp",
    ]


def test_a_list_is_of_an_owner_and_a_project(server: Any, run_cli: RunCli) -> None:
    server.answer(200, {"items": [], "next": None})
    run_cli("list", "--owner", "me", "--project", "nlp")
    assert server.asked[0].path == "/experiments?owner=me&project=nlp"
