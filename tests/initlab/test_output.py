"""What every command has: JSON for programs, quiet for scripts; and completion, the version, several specs at once."""

import json
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from initlab.cli import app

RunCli = Callable[..., tuple[int, str, str]]
ALL: Any = typer.main.get_command(app)


def _commands(group: Any = None, before: str = "") -> Iterator[tuple[str, set[str]]]:
    for name, command in (group or ALL).commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{name} ")
        else:
            yield before + name, {option for one in command.params for option in one.opts}


COMMANDS = dict(_commands())


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_json(command: str) -> None:
    assert "--json" in COMMANDS[command]


DONE = {"done": [7], "refused": [], "next": None}
QUIET: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
    "watch 7": lambda one: [one, one, {"verdict": {"text": "x", "groups": []}, "arms": [], "metric": "valid_loss"}],
    "pause 7": lambda one: [one, one],
    "resume 7": lambda one: [one, one],
    "retry 7": lambda one: [one, one],
    "edit 7 --name x": lambda one: [one, one],
    "cancel 7": lambda one: [one, one],
    "cancel --tag a": lambda _: [DONE],
    "delete 7": lambda one: [one, None],
    "delete --tag a --yes": lambda _: [DONE],
    "projects create x": lambda _: [{"name": "x"}],
    "projects change x --description y": lambda _: [{"name": "x"}],
    "projects add-member x y": lambda _: [{"name": "x"}],
    "projects remove-member x y": lambda _: [{"name": "x"}],
    "projects delete x": lambda _: [None],
    "datasets delete x": lambda _: [None],
    "webhooks replay 1 2": lambda _: [{"id": 2}],
    "webhooks delete 1": lambda _: [None],
}
"""By the command, what the server answers to what it asks."""


@pytest.mark.parametrize("words", QUIET)
def test_quiet_says_nothing_and_json_is_json(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, words: str
) -> None:
    for answer in QUIET[words](experiment):
        server.answer(204 if answer is None else 200, answer)
    again = list(server.answers)
    assert run_cli(*words.split(), "--quiet") == (0, "", "")
    server.answers[:] = again
    code, out, _ = run_cli(*words.split(), "--json")
    assert code == 0
    assert json.loads(out)
    server.answers[:] = again
    assert run_cli(*words.split())[1] not in ("", out)


def test_quiet_is_said_of_every_command_that_changes_something() -> None:
    quiet = {name for name, options in COMMANDS.items() if "--quiet" in options}
    assert quiet >= {" ".join(word for word in words.split() if word.isalpha() and len(word) > 1) for words in (
        "watch 7", "pause 7", "resume 7", "retry 7", "cancel 7", "delete 7", "datasets delete", "webhooks delete",
        "submit", "edit", "datasets upload", "webhooks replay",
    )}  # fmt: skip


def test_the_version(run_cli: RunCli) -> None:
    assert run_cli("--version") == (0, f"initlab {version('initlab')}\n", "")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("initlab sub", ["submit"]), ("initlab datasets sh", ["show"]), ("initlab submit --qu", ["--quiet"])],
)
def test_the_shell_completes_commands_and_options(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, typed: str, offered: list[str]
) -> None:
    monkeypatch.setenv("_INITLAB_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    assert run_cli()[1].split() == offered


def test_completion_is_installed_for_the_shell_that_asks(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    code, out, err = run_cli("--install-completion")
    assert (code, err) == (0, "")
    assert "bash completion installed" in out
    assert "complete_bash" in (tmp_path / ".bash_completions" / "initlab.sh").read_text()


@pytest.fixture
def specs(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "a.json", tmp_path / "b.yaml"]
    for seeds, path in enumerate(paths, start=2):
        path.write_text(f'{{"seeds": {seeds}}}')
    return [str(path) for path in paths]


def test_several_specs_are_checked_and_then_posted(
    server: Any, experiment: dict[str, Any], preview: dict[str, Any], run_cli: RunCli, specs: list[str]
) -> None:
    queued = experiment | {"status": "queued"}
    for answer in (preview, preview, queued, queued | {"id": 8}):
        server.answer(200, answer)
    again = list(server.answers)
    assert run_cli("submit", *specs, "--quiet") == (0, "7\n8\n", "")
    asked = [(one.path, one.body["seeds"]) for one in server.asked]
    check, post = "/experiments/preview", "/experiments"
    assert asked == [(check, 2), (check, 3), (post, 2), (post, 3)]
    server.answers[:] = again
    assert [one["id"] for one in json.loads(run_cli("submit", *specs, "--json")[1])] == [7, 8]
    server.answers[:] = again
    assert run_cli("submit", *specs)[1].splitlines()[1] == "experiment 8 is queued. Follow it with: initlab watch 8"


def test_of_several_specs_none_is_posted_where_one_is_refused(
    server: Any, preview: dict[str, Any], run_cli: RunCli, specs: list[str]
) -> None:
    server.answer(200, preview)
    server.answer(422, {"title": "Invalid request", "errors": [{"path": "seeds", "message": "too many", "known": []}]})
    code, out, err = run_cli("submit", *specs)
    assert (code, out) == (2, "")
    assert err.splitlines() == [f"{specs[1]}:", "Invalid request (422):", "  seeds: too many"]
    assert {one.path for one in server.asked} == {"/experiments/preview"}


def test_several_are_followed_and_the_first_that_went_wrong_gives_the_exit_code(
    server: Any,
    experiment: dict[str, Any],
    preview: dict[str, Any],
    report: dict[str, Any],
    run_cli: RunCli,
    specs: list[str],
) -> None:
    failed = experiment | {"status": "failed", "id": 8, "errors": ["disk full"]}
    for answer in (preview, preview, failed, experiment, failed, experiment, report):
        server.answer(200, answer)
    code, out, err = run_cli("submit", *specs, "--wait")
    assert code == 1
    assert "[red]<b> is best." in out
    assert "disk full" in err
