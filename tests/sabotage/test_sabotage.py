"""Every protection is switched off once, and a test has to notice: `make sabotage`, outside of `make test`.

The tree is copied, one text of it replaced, and the test named beside it is run there: it has to fail. `make test`
checks that each text and each test is still there.
"""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sabotage.protections import SABOTAGES, Sabotage

ROOT = Path(__file__).parents[2]
FOLDERS = ("api", "core", "initlab", "migrations", "tests", "worker")


every_sabotage = pytest.mark.parametrize("sabotage", SABOTAGES, ids=[one.protection for one in SABOTAGES])


@every_sabotage
def test_a_sabotage_fits_the_source_and_names_a_test_that_is_there(sabotage: Sabotage) -> None:
    source = (ROOT / sabotage.file).read_text()
    assert source.count(sabotage.text) == 1
    ast.parse(source.replace(sabotage.text, sabotage.becomes))  # a module that cannot be imported fails any test
    file, test = sabotage.noticed_by.split("::")
    assert f"def {test.split('[')[0]}(" in (ROOT / file).read_text()


@pytest.mark.sabotage
@pytest.mark.timeout(600)
@every_sabotage
def test_a_protection_that_is_switched_off_is_noticed(sabotage: Sabotage, tmp_path: Path) -> None:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    file = tmp_path / sabotage.file
    source = file.read_text()
    assert not fails(sabotage.noticed_by, tmp_path), "as the code is"
    file.write_text(source.replace(sabotage.text, sabotage.becomes))
    assert fails(sabotage.noticed_by, tmp_path)


def fails(test: str, tree: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("INITLAB_") or "TEST" in k}
    ended = subprocess.run(
        command,
        cwd=tree,
        env=environment | {"PYTHONPATH": str(tree), "INITLAB_TEST_EVERY": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    failed = "\nFAILED " in ended.stdout  # and not: could not be set up
    assert ended.returncode == (1 if failed else 0), ended.stdout[-3000:]
    return failed
