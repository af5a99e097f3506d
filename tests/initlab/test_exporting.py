"""The command that exports, against canned answers: where a file goes, and that nothing half is left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("to", "path", "name"),
    [
        ("csv", "/experiments/7/metrics?format=csv", "experiment-7.csv"),
        ("parquet", "/experiments/7/metrics?format=parquet", "experiment-7.parquet"),
        ("arrow", "/experiments/7/metrics?format=arrow", "experiment-7.arrows"),
        ("eln", "/experiments/7/experiment.eln", "experiment-7.eln"),
        ("bundle", "/experiments/7/bundle.zip", "experiment-7.zip"),
    ],
)
def test_a_file_is_saved_under_its_name(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, to: str, path: str, name: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    server.answer(200, experiment)
    server.answer(200, b"content")
    assert run_cli("export", "7", "--to", to) == (0, f"{name}\n", "")
    assert (server.asked[-1].path, (tmp_path / name).read_bytes()) == (path, b"content")
    server.answers[:] = []
    server.answer(200, experiment)
    server.answer(200, b"more")
    code, out, _ = run_cli("export", "7", "--to", to, "-o", "own", "--json")
    assert (code, json.loads(out), (tmp_path / "own").read_bytes()) == (0, {"saved": "own"}, b"more")


def test_what_is_refused_leaves_no_file(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.answer(200, experiment)
    server.answer(409, {"title": "Conflict", "status": 409, "detail": "experiment 7 is running"})
    code, _, err = run_cli("export", "7", "--to", "bundle")
    assert (code, "experiment 7 is running" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []
