"""Reads specs from JSON or YAML files."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from initlab.errors import SpecError


class _Loader(yaml.SafeLoader):
    """YAML's safe types, with 1e-3 a number as in YAML 1.2 (PyYAML's 1.1 reads it as text)."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def read(path: str | Path) -> dict[str, Any]:
    """Return the spec in a JSON or YAML file, or on standard input for `-`; raises `SpecError`."""
    name = "standard input" if str(path) == "-" else str(path)
    try:
        text = sys.stdin.read() if str(path) == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{name} cannot be read: {error}") from None
    try:
        spec = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506 a SafeLoader
    except (json.JSONDecodeError, yaml.YAMLError, RecursionError) as error:
        raise SpecError(f"{name} is neither JSON nor YAML: {error}") from None
    if not isinstance(spec, dict):
        raise SpecError(f'{name} should hold an object, such as {{"arms": [...]}}')
    return spec
