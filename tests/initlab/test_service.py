"""The commands that give way to a process of the service."""

import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from initlab import server_path, service

RunCli = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("words", "becomes"),
    [
        (["serve", "--port", "0", "--data-dir", "a b"], ["worker.supervisor", "--data-dir=a b", "--port=0"]),
        (["serve", "--concurrency", "2"], ["worker.supervisor", "--concurrency=2"]),
        (["serve"], ["worker.supervisor"]),
        (["api", "--host", "::1"], ["api", "--host=::1"]),
        (["worker", "--concurrency", "2"], ["worker", "--concurrency=2"]),
        (["db", "upgrade"], ["core.store", "upgrade"]),
        (["db", "compact"], ["core.store", "compact"]),
        (["disk"], ["core.store", "disk"]),
        (["disk", "--json"], ["core.store", "disk", "--json"]),
        (["serve", "--json"], ["worker.supervisor", "--json"]),
        (["datasets", "fetch", "mnist", "--data-dir", "d"], ["core.datasets", "fetch", "mnist", "--data-dir=d"]),
        (["keys", "create", "--file", "k", "--id", "me"], ["api.keys", "create", "--file=k", "--id=me"]),
        (
            ["keys", "create", "--id", "me", "--scope", "read", "--days", "1.5"],
            ["api.keys", "create", "--id=me", "--scope=read", "--days=1.5"],
        ),
        (["keys", "list"], ["api.keys", "list"]),
        (["keys", "revoke", "--id", "me"], ["api.keys", "revoke", "--id=me"]),
        (["keys", "rotate", "--id", "me", "--days", "30"], ["api.keys", "rotate", "--id=me", "--days=30.0"]),
    ],
)
def test_the_command_line_gives_way(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, words: list[str], becomes: list[str]
) -> None:
    taken: list[Any] = []

    def execve(*process: Any) -> None:
        taken.extend(process)
        raise SystemExit(0)  # the process that would have been replaced

    monkeypatch.setattr(os, "execve", execve)
    assert run_cli(*words)[0] == 0
    assert taken[0] == sys.executable
    assert taken[1] == [sys.executable, "-m", *becomes]
    assert taken[2]["PYTHONSAFEPATH"] == "1"
    assert (taken[2].get("INITLAB_LOG_FORMAT") == "json") == ("--json" in words)


def test_the_process_finds_the_servers_packages_before_the_users(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "their own")
    taken: list[Any] = []

    def execve(*process: Any) -> None:
        taken.extend(process)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", execve)
    run_cli("serve")
    assert taken[2]["PYTHONPATH"].split(os.pathsep) == [server_path(), "their own"]


def test_where_only_the_client_is_installed(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "NEEDED", ("a_package_that_is_not_installed",))
    code, _, err = run_cli("serve")
    assert code == 2
    assert 'pip install "initlab[server]"' in err
