"""Every block of code in the README is run, or held against the program that it is for."""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import pytest

from core.datasets import DatasetPaths
from core.settings import Settings as ServiceSettings
from core.spec import check as check_spec
from core.spec import parse
from initlab import Client
from initlab.cli import main
from initlab.demo import service
from initlab.settings import Settings as ClientSettings
from tests.core.entries import KINDS, catalogue
from tests.test_repository import ROOT, copy_sources

README = (ROOT / "README.md").read_text(encoding="utf-8")
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
    """A reader of the README, in a folder of their own, with a service beside them."""

    folder: Path
    url: str

    def run(self, *command: str) -> str:
        """Run a program to its end, which has to be a good one; returns what it printed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INITLAB_")}
        environment |= {"INITLAB_URL": self.url, "INITLAB_DATA_DIR": str(self.folder / "own"), "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
        return ended.stdout


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """With the spec that the README shows, on fewer seeds and epochs, trained already as experiment 1."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "own").mkdir()
    shown, *_ = (json.loads(block.text) for block in blocks(README) if block.language == "json")
    (folder / "spec.json").write_text(json.dumps(shown | {"seeds": 2, "epochs": 1}))
    columns = "RowNumber,CustomerId,Surname,Age,Exited"
    rows = [f"{i},{1000 + i},Name{i},{20 + i % 50},{i % 2}" for i in range(100)]
    (folder / "churn.csv").write_text("\n".join([columns, *rows]))
    with service(tmp_path_factory.mktemp("service")) as url:
        with Client(url) as client:
            assert client.submit(folder / "spec.json").wait().id == 1
        yield Reader(folder, url)


def check_json(block: Block, _request: pytest.FixtureRequest) -> None:
    """A spec; where it has no arms, one that digits fit."""
    spec = parse(json.loads(block.text))
    assert [arm.label for arm in spec.expanded][-1] == "he, faster" or len(check_spec(spec, DatasetPaths())) == 1


def check_text(block: Block, _request: pytest.FixtureRequest) -> None:
    """The layout: folders that are there."""
    named = re.findall(r"\b[a-z]+/", block.text)
    assert named
    assert [folder for folder in named if not (ROOT / folder).is_dir()] == []


def check_python(block: Block, request: pytest.FixtureRequest) -> None:
    if block.needs_service:
        request.getfixturevalue("reader").run(sys.executable, "-c", block.text)
        return
    folder: Path = request.getfixturevalue("tmp_path")
    copy_sources(folder)
    (folder / "core" / "initializers" / "symmetric.py").write_text(block.text)
    look = (
        "import json; from core.initializers import initializers; print(json.dumps(initializers.describe('symmetric')))"
    )
    told = subprocess.run([sys.executable, "-c", look], cwd=folder, capture_output=True, text=True, check=True).stdout
    scale = json.loads(told)["parameters"]["properties"]["scale"]
    assert (scale["default"], scale["exclusiveMinimum"]) == (0.05, 0)


def check_shell(block: Block, request: pytest.FixtureRequest) -> None:
    reader: Reader = request.getfixturevalue("reader")
    commands = [shlex.split(line, comments=True) for line in block.text.replace("\\\n", " ").splitlines()]
    assert any(commands)
    for program, *words in filter(None, commands):
        assert program in PROGRAMS, f"nobody checks what {program} is given"
        PROGRAMS[program](reader, words, request)


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
CHECKS: dict[str, Callable[[Block, pytest.FixtureRequest], None]] = {
    "json": check_json,
    "python": check_python,
    "sh": check_shell,
    "text": check_text,
}


def check(block: Block, request: pytest.FixtureRequest) -> None:
    assert block.language in CHECKS, f"README.md:{block.line}: nobody checks a block of {block.language!r}"
    CHECKS[block.language](block, request)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(
            block,
            id=f"line {block.line} {block.language}",
            marks=[pytest.mark.service] if block.needs_service else [],
        )
        for block in blocks(README)
    ],
)
def test_what_the_readme_shows_works(block: Block, request: pytest.FixtureRequest) -> None:
    check(block, request)


@pytest.mark.parametrize("language", ["", "yaml", "bash"])
def test_a_block_that_nobody_checks_is_told(request: pytest.FixtureRequest, language: str) -> None:
    (planted,) = blocks(f"Text.\n\n```{language}\nwhatever\n```\n")
    with pytest.raises(AssertionError, match=rf"README.md:3: nobody checks a block of '{language}'"):
        check(planted, request)


def test_no_block_is_overlooked() -> None:
    """Of the fences at the beginning of a line every second one ends a block; others there are none."""
    fences = [line for line in README.splitlines() if line.lstrip(" >-*").startswith(("```", "~~~"))]
    assert len(fences) == 2 * len(blocks(README))


def test_what_a_spec_can_name_is_in_the_catalogues() -> None:
    kinds = {f"{kind.replace('dataset', 'data set')}s": catalogue(kind) for kind in KINDS}
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (`\w+`.*) \|$", README, re.MULTILINE))
    named = {kind: re.findall(r"`(\w+)`", rows[kind]) for kind in rows.keys() & kinds.keys()}
    assert len(named) == 6
    assert [name for kind, names in named.items() for name in names if name not in kinds[kind]] == []


def test_every_setting_is_in_the_readme() -> None:
    names = {
        f"INITLAB_{name.upper()}" for settings in (ServiceSettings, ClientSettings) for name in settings.model_fields
    }
    missing = sorted(name for name in names if f"`{name}`" not in README)
    assert not missing, f"write a row of the table of settings in README.md for {missing}"
