"""The runner of the emulated device, where a compiler or the order of imports is not as it should be."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulation import __main__, guard

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
import torch
x = torch.arange(4.0, device="cuda")
print(sys.argv[1:], x.device, (x @ x).item())
sys.exit(3)
"""


def test_without_a_compiler_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guard, "BUILT", tmp_path)
    monkeypatch.setattr(guard, "_loaded", [])
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert __main__.main(["-m", "gpu"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "apt-get install g++" in said[0]


def test_torch_comes_after_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_loaded", [])
    monkeypatch.setitem(sys.modules, "torch", sys)
    with pytest.raises(RuntimeError, match=r"python -m tests\.emulation"):
        guard.load_guard()


@pytest.mark.emulated
def test_a_script_runs_on_the_device_with_its_arguments(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "tests.emulation", str(script), "--fast"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "['--fast'] cuda:0 14.0\n"), done.stderr
