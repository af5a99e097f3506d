"""Blocks of code of a page, and their reader, who does what they say in a folder of their own beside a service."""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import pytest
import typer
from typer.core import TyperGroup

from initlab.cli import app, main
from initlab.settings import Settings as ClientSettings
from tests.test_repository import ROOT

ADDRESS = ClientSettings.model_fields["url"].default
FOR_EVER = ("serve", "api", "worker")
"""The commands that end only when they are told to: they are parsed, and not run."""


class Block(NamedTuple):
    """A block of code, and the line at which it begins."""

    language: str
    text: str
    line: int

    @property
    def needs_service(self) -> bool:
        """True for a block that is run against a service, or trains."""
        return self.language == "sh" or (self.language == "python" and "@initializers.register" not in self.text)


def blocks(text: str) -> list[Block]:
    """Return the blocks of a Markdown text in their order."""
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M)
    return [Block(one[1], one[2], text[: one.start()].count("\n") + 1) for one in found]


@dataclass
class Reader:
    """A reader of a page, in a folder of their own, with a service beside them."""

    folder: Path
    url: str

    def shell(self, text: str) -> str:
        """Run a block of commands in a shell that stops at the first that fails; returns what it printed."""
        bin_ = self.folder / "bin"
        bin_.mkdir(exist_ok=True)
        for name, words in {"initlab": "-m initlab", "python": ""}.items():
            (bin_ / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            (bin_ / name).chmod(0o755)
        return self.run("bash", "-euo", "pipefail", "-c", f'PATH="{bin_}:$PATH"\n{text}')

    def run(self, *command: str) -> str:
        """Run a program to its end, which has to be a good one; returns what it printed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INITLAB_")}
        environment |= {"INITLAB_URL": self.url, "INITLAB_DATA_DIR": str(self.folder / "own"), "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
        return ended.stdout


def check_shell(block: Block, request: pytest.FixtureRequest) -> None:
    reader: Reader = request.getfixturevalue("reader")
    commands = [shlex.split(line, comments=True) for line in block.text.replace("\\\n", " ").splitlines()]
    assert any(commands)
    for program, *words in filter(None, commands):
        assert program in PROGRAMS, f"nobody checks what {program} is given"
        PROGRAMS[program](reader, words, request)


def check_words(words: list[str]) -> None:
    """Parse what the command line is given, and run nothing; raises `UsageError` for what it does not take."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("initlab", list(words))
    while isinstance(command, TyperGroup):
        further = [*context._protected_args, *context.args]
        if not further and command.invoke_without_command:
            return  # a group that does something by itself
        name, command, rest = command.resolve_command(context, further)
        context = command.make_context(name, rest, parent=context)


def initlab(reader: Reader, words: list[str], request: pytest.FixtureRequest) -> None:
    if words[0] not in FOR_EVER:
        assert reader.run(sys.executable, "-m", "initlab", *words) or words[:2] == ["db", "upgrade"]
        return
    became: list[Any] = []

    def execve(*process: Any) -> None:
        became.extend(process)
        raise SystemExit(0)  # the process that would have been replaced

    patched: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patched.setattr(sys, "argv", ["initlab", *words])
    patched.setattr(os, "execve", execve)
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, became[1][1]) == (0, "-m")


def curl(reader: Reader, words: list[str], _request: pytest.FixtureRequest) -> None:
    """Asks as curl would; an option that is not known here fails."""
    options = argparse.ArgumentParser(exit_on_error=False)
    options.add_argument("url")
    options.add_argument("-X", default="GET")
    options.add_argument("-H", action="append", default=[])
    options.add_argument("-d", default="")
    options.add_argument("-o", default="")
    options.add_argument("-N", action="store_true")
    given = options.parse_args(words)
    assert given.url.startswith(ADDRESS)
    body = (reader.folder / given.d[1:]).read_bytes() if given.d.startswith("@") else given.d.encode()
    headers = dict(header.split(": ", 1) for header in given.H)
    url = given.url.replace(ADDRESS, reader.url)
    answer = httpx.request(given.X, url, headers=headers, content=body or None, timeout=60)
    assert answer.is_success, answer.text
    assert answer.content
    if given.o:
        assert answer.headers["content-type"] == f"image/{Path(given.o).suffix[1:]}"


def make(_reader: Reader, words: list[str], _request: pytest.FixtureRequest) -> None:
    """Every word is a target or a variable."""
    subprocess.run(["make", "--dry-run", *words], cwd=ROOT, check=True, capture_output=True, timeout=60)  # noqa: S607


def pip(_reader: Reader, words: list[str], _request: pytest.FixtureRequest) -> None:
    """Installs extras that there are, with constraints that there are."""
    command, option, constraints, wanted = words
    assert (command, option) == ("install", "-c")
    assert (ROOT / constraints).is_file()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert re.fullmatch(r"\.\[(\w+)\]", wanted)[1] in extras  # type: ignore[index]


PROGRAMS: dict[str, Callable[[Reader, list[str], pytest.FixtureRequest], None]] = {
    ".venv/bin/initlab": initlab,
    "initlab": initlab,
    "curl": curl,
    "make": make,
    "pip": pip,
}
