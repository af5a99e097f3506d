"""Every block of code in the README is run, or held against the program that it is for."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import AliasChoices

from core.datasets import DatasetPaths
from core.settings import Settings as ServiceSettings
from core.spec import check as check_spec
from core.spec import parse
from initlab import Client
from initlab.demo import service
from initlab.settings import Settings as ClientSettings
from tests.core.entries import KINDS, catalogue
from tests.documented import Block, Reader, blocks, check_shell
from tests.test_repository import ROOT, copy_sources

README = (ROOT / "README.md").read_text(encoding="utf-8")


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
    fields = {**ServiceSettings.model_fields, **ClientSettings.model_fields}
    names = {
        field.validation_alias if isinstance(field.validation_alias, str) else f"INITLAB_{name.upper()}"
        for name, field in fields.items()
        if not isinstance(field.validation_alias, AliasChoices)
    } | {
        str(field.validation_alias.choices[0])
        for field in fields.values()
        if isinstance(field.validation_alias, AliasChoices)
    }
    missing = sorted(name for name in names if f"`{name}`" not in README)
    assert not missing, f"write a row of the table of settings in README.md for {missing}"
