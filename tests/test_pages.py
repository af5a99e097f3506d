"""What the tutorial and the how-to pages say to do is done: every block is run, every command in the text parsed."""

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")  # for the readers of docs/integrations.md

import pytest
import yaml

from initlab import Client
from initlab.demo import service
from tests.documented import FOR_EVER, Block, Reader, blocks, check_words, make
from tests.test_repository import ROOT

TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = [TUTORIAL, ROOT / "docs" / "integrations.md", *sorted((ROOT / "docs" / "howto").glob("*.md"))]
LONG = ("integrations", "take-it-with-you")
"""Pages that try every framework, and every way out."""
TRIED = [pytest.param(page, id=page.stem, marks=[pytest.mark.thorough] if page.stem in LONG else []) for page in PAGES]
FILE = re.compile(r"`([\w.-]+\.(?:json|py))`[^`\n]*:\s*$")
"""The end of the words before a block that is to be saved."""
SPAN = re.compile(r"`(?:\w+=\S+ )*initlab (?!is ready)([^`]+)`")
NEEDS_TORCHVISION = ("lightning", "transformers")
"""Frameworks that import it, which needs help beside a torch without CUDA."""
ELSEWHERE = (".", "export")
"""Commands for the reader's own shell."""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """With the tutorial's first experiment, made shorter, trained as experiment 1, and a table of customers."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "own").mkdir()
    first = next(json.loads(block.text) for block in blocks(TUTORIAL.read_text("utf-8")) if block.language == "json")
    rows = [f"{i},{1000 + i},Name{i},{20 + i % 50},{i % 2}" for i in range(100)]
    (folder / "churn.csv").write_text("\n".join(["RowNumber,CustomerId,Surname,Age,Exited", *rows]))
    with service(tmp_path_factory.mktemp("service")) as url:
        with Client(url) as client:
            assert client.submit(first | {"seeds": 2, "epochs": 1}).wait(progress=False).id == 1
        reader = Reader(folder, url)
        reader.shell("initlab db upgrade")  # of the reader's own, where keys are made: the service's stays without
        yield reader


@pytest.mark.service
@pytest.mark.parametrize("page", TRIED)
def test_what_a_page_shows_works(page: Path, reader: Reader, request: pytest.FixtureRequest) -> None:
    text = page.read_text(encoding="utf-8")
    for block in blocks(text):
        before = "".join(text.splitlines(keepends=True)[: block.line - 1])
        try:
            _do(block, FILE.search(before), reader, request)
        except AssertionError as error:
            raise AssertionError(f"{page.name}:{block.line}: {error}") from None


def _do(block: Block, file: re.Match[str] | None, reader: Reader, request: pytest.FixtureRequest) -> None:
    if file is not None:
        (reader.folder / file[1]).write_text(block.text)
    elif block.language == "python":
        helped = any(f"import {name}" in block.text or f"from {name}" in block.text for name in NEEDS_TORCHVISION)
        first = (
            "import core.torchvision\ncore.torchvision.load()\n" if helped or "pytorch_lightning" in block.text else ""
        )
        reader.run(sys.executable, "-c", first + block.text)
    elif block.language == "yaml":
        _check_workflow(block.text)
    else:
        assert block.language == "sh", f"nobody checks a block of {block.language!r}"
        lines = [shlex.split(line, comments=True) for line in block.text.splitlines()]
        if not any(_is_parsed_only(words) for words in lines):
            assert reader.shell(block.text) or "keys" in block.text or "id=" in block.text
            return
        for words in lines:
            if words[0] == "make":
                make(reader, words[1:], request)
            elif words[0] not in ELSEWHERE:
                check_words(words[1:])


def _is_parsed_only(words: list[str]) -> bool:
    """Return whether a command would not end, install something, or change the reader's own shell."""
    return (
        words[0] in (*ELSEWHERE, "make")
        or words[:3] == ["initlab", "datasets", "fetch"]
        or words[1] in (*FOR_EVER, "mcp")
    )


def _check_workflow(text: str) -> None:
    steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
    commands = [shlex.split(step["run"].partition(">")[0]) for step in steps if "run" in step]
    ours = [words[1:] for words in commands if words[0] == "initlab"]
    assert ours
    for words in ours:
        check_words(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_command_in_the_text_is_one(page: Path) -> None:
    for said in SPAN.findall(page.read_text(encoding="utf-8").replace("\n", " ")):
        check_words(shlex.split(said.replace(" ID", " 1")))
