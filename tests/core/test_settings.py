"""Every setting says what it sets, and something reads it."""

import ast
import inspect
import re
from itertools import pairwise
from pathlib import Path

import pytest

from core.settings import Settings

ROOT = Path(__file__).parent.parent.parent
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for part in ("api", "core", "initlab", "worker")
    for path in (ROOT / part).rglob("*.py")
)

each_setting = pytest.mark.parametrize("name", Settings.model_fields)


@each_setting
def test_a_setting_says_what_it_sets(name: str) -> None:
    (settings,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(settings, ast.ClassDef)
    documented = {
        ast.unparse(field.target)
        for field, text in pairwise(settings.body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
    assert name in documented, f"write a docstring below {name} in core/settings.py"


@each_setting
def test_a_setting_is_read_somewhere(name: str) -> None:
    assert re.search(rf"\.{name}\b", SOURCES), f"nothing reads settings.{name}"
