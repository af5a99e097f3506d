"""The first minutes on a GPU: the plan fits, and a part that fails or hangs costs its own time alone."""

import importlib
import json
import sys
from pathlib import Path

import first_gpu
import pytest
from first_gpu import GRACE, Part, parts, run


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_plan_fits_into_fifteen_minutes(tmp_path: Path) -> None:
    assert sum(part.seconds for part in parts(tmp_path)) + GRACE <= 14.5 * 60


@pytest.mark.parametrize("script", ["trainers", "layouts"])
def test_every_command_is_understood(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [part.command for part in parts(tmp_path) if f"bench/{script}.py" in part.command]
    assert commands
    for command in commands:
        monkeypatch.setattr(sys, "argv", command[1:])
        given = importlib.import_module(script).asked()
        assert (given.device, given.to) == ("cuda", tmp_path)


def test_a_part_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    hangs = "import subprocess; subprocess.Popen(['sh', '-c', 'echo begun; cat; cat'], stdin=subprocess.PIPE).wait()"
    found = run(Part("hangs", 2, "", python(hangs)), 2, tmp_path)
    assert found["timed_out"]
    assert found["rc"] != 0
    assert (tmp_path / "hangs.log").read_text() == "begun\n"


def test_the_parts_after_one_that_fails_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = [
        Part("absent", 5, "", ["/no/such/command"]),
        Part("fails", 20, "", python("raise SystemExit(3)")),
        Part("works", 20, "", python("print('measured')")),
    ]
    monkeypatch.setattr(first_gpu, "parts", lambda _: plan)
    monkeypatch.setattr(sys, "argv", ["first_gpu.py", "--to", str(tmp_path)])
    assert first_gpu.main() == 1
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [summary[part.name]["rc"] for part in plan] == [None, 3, 0]
    assert "measured" in capsys.readouterr().out
