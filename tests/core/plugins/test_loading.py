"""Plug-ins stand in the catalogues beside what is built in; one that cannot be loaded is left out as a whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import NotFound
from core.initializers import initializers
from core.metrics import epoch_metrics, metrics
from core.plugins import available, fingerprint, loaded, sha256_of
from tests.core.plugins.planting import initializer, metric, planted


def test_a_file_and_a_package_are_plug_ins(tmp_path: Path) -> None:
    package = {"two/__init__.py": "from .inner import made\n", "two/inner.py": initializer("made_two") + "made = 1\n"}
    with planted(tmp_path, {"one.py": initializer("made_one"), "_three.py": "1 / 0", **package}):
        assert [(one.name, one.error, one.entries) for one in loaded()] == [
            ("one", None, {"initializer": ["made_one"]}),
            ("two", None, {"initializer": ["made_two"]}),
        ]
        assert (available()["one"].version, available()["two"].version) == ("1.0", "")
        assert initializers["made_one"].plugin == "one"
        assert initializers.describe("made_two")["plugin"] == "two"
        assert initializers.describe("he_normal")["plugin"] is None
        assert initializers.parse({"name": "made_one", "value": 2}).build()
    assert not {"made_one", "made_two"} & {*initializers}
    assert loaded() == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (bad.py, line 1)"),
        (f"{initializer('half_done')}\nraise SystemExit(3)", "SystemExit: 3"),
        ("", "it registers nothing"),
        (initializer("he_normal"), "initializer 'he_normal' is already registered"),
        (f"{initializer('half_done')}{metric('accuracy')}", "the name 'test_accuracy' is already registered"),
        ("from core.initializers import no_such_thing", "cannot import name"),
        (initializer("of_one"), "initializer 'of_one' is already registered"),
    ],
)
def test_one_that_fails_leaves_nothing_and_harms_no_other(tmp_path: Path, text: str, reason: str) -> None:
    with planted(tmp_path, {"a.py": initializer("of_one"), "bad.py": text, "c.py": initializer("of_three")}):
        assert {"of_one", "of_three"} <= {*initializers}
        assert "half_done" not in {*initializers}
        bad = next(one for one in loaded() if one.name == "bad")
        assert bad.error is not None
        assert reason in bad.error
        assert bad.entries == {}
        assert list(available()) == ["a", "c"]


def test_a_name_that_no_plug_in_may_have(tmp_path: Path) -> None:
    with planted(tmp_path, {"Loud.py": initializer("made")}):
        assert [one.error for one in loaded()] == [
            "ValueError: its name should be a-z, 0-9, '_', '.' and '-', at most 40 of them (_loading.py, "
            f"line {_line()})"
        ]


def _line() -> int:
    text = (Path(__file__).parents[3] / "core/plugins/_loading.py").read_text(encoding="utf-8")
    return 1 + text[: text.index('raise ValueError("its name should')].count("\n")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with planted(tmp_path / "x", {}):
        (tmp_path / "x").rmdir()
        assert [one.error for one in loaded()] == [f"INITLAB_PLUGINS names {tmp_path / 'x'}, which is no folder"]


def test_its_hash_is_that_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "a.py").write_text("1")
    (folder / "b.txt").write_text("2")
    first = sha256_of([folder])
    (folder / "__pycache__" / "a.pyc").write_text("x")
    (folder / ".hidden").write_text("x")
    assert sha256_of([folder]) == first
    (folder / "b.txt").write_text("3")
    assert sha256_of([folder]) != first
    (folder / "b.txt").write_text("2")
    assert sha256_of([folder]) == first
    (folder / "b.txt").rename(folder / "c.txt")
    assert sha256_of([folder]) != first


def test_another_content_has_another_fingerprint(tmp_path: Path) -> None:
    found = []
    for version in ("1.0", "1.1"):
        with planted(tmp_path, {"one.py": initializer("made", version)}):
            found.append((fingerprint(), available()["one"].sha256))
    assert len({*found}) == len({sha for _, sha in found}) == 2
    assert fingerprint() == ""


def test_its_metrics_are_measured_where_they_are_asked_for(tmp_path: Path) -> None:
    with planted(tmp_path, {"mine.py": metric("luck")}):
        assert (metrics.plugin_of("valid_luck"), metrics.plugin_of("valid_accuracy")) == ("mine", None)
        assert "valid_luck" in epoch_metrics("multiclass", 3)
        assert "valid_luck" in epoch_metrics("multiclass", 3, plugins=frozenset(["mine"]))
        assert "valid_luck" not in epoch_metrics("multiclass", 3, plugins=frozenset())
    with pytest.raises(NotFound):
        metrics["valid_luck"]


INSTALLED = """
import {module}  # somebody imports it before any catalogue is asked
from core.initializers import initializers
from core.plugins import loaded
print([(one.name, one.version, one.source, one.error, one.entries) for one in loaded()])
print(initializers["made"].plugin)
"""


@pytest.mark.parametrize("module", ["json", "made_by_me"])
def test_an_installed_package_is_one_by_its_entry_point(tmp_path: Path, module: str) -> None:
    (tmp_path / "made_by_me").mkdir()
    (tmp_path / "made_by_me" / "__init__.py").write_text(initializer("made"))
    about = tmp_path / "made_by_me-2.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: made-by-me\nVersion: 2.5\n")
    (about / "entry_points.txt").write_text("[initlab.plugins]\nmine = made_by_me\n")
    found = subprocess.run(
        [sys.executable, "-c", INSTALLED.format(module=module)],
        env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[3]}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.splitlines() == [
        "[('mine', '2.5', 'the installed package made-by-me', None, {'initializer': ['made']})]",
        "mine",
    ], found.stderr
