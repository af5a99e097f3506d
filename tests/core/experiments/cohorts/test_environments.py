"""The environment of an attempt is recorded with its claim: what it holds, and which attempts share one."""

import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from core.experiments.cohorts.claims import claim
from core.experiments.cohorts.eligibility import WorkerCapabilities
from core.experiments.cohorts.environments import commit, environment, trained_in
from core.store import Database
from tests.core.experiments.claims import queued, taken


def test_it_says_what_this_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    monkeypatch.delenv("KMP_AFFINITY", raising=False)
    found = environment(device="cpu", threads=3, layout="loop")
    assert found["packages"]["torch"] == torch.__version__
    assert found["packages"]["numpy"] == np.__version__
    assert (found["python"], found["device"], found["threads"]) == (platform.python_version(), "cpu", 3)
    assert (found["gpu"], found["driver"], found["cudnn"]) == (None, None, None)
    assert found["settings"]["MKL_CBWR"] == "COMPATIBLE"
    assert found["settings"]["KMP_AFFINITY"] is None


def test_attempts_of_one_environment_are_told_together(database: Database) -> None:
    experiment = queued(database, cohorts=3)
    first, second = taken(database), taken(database)
    with database.transaction() as session:
        held = claim(session, "host/another/0", WorkerCapabilities(), 60.0, threads=7)
        assert held is not None
    with database.reading() as session:
        alike, other = trained_in(session, experiment)
    assert [(one.cohort, one.attempt) for one in alike.attempts] == [(first.cohort_id, 1), (second.cohort_id, 1)]
    assert alike.environment["threads"] == first.threads
    assert [one.cohort for one in other.attempts] == [held.cohort_id]
    assert other.environment == {**alike.environment, "threads": 7}


def test_a_checkout_has_a_commit_and_says_that_files_have_changed(tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git is not None

    def do(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        return subprocess.run(
            [git, "-C", str(tmp_path), *who, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    assert commit(tmp_path) is None, "it is no checkout"
    do("init", "-q")
    assert commit(tmp_path) is None, "nothing has been committed"
    (tmp_path / "file").write_text("1")
    do("add", "file")
    do("commit", "-qm", "first")
    head = do("rev-parse", "HEAD")
    assert commit(tmp_path) == head
    (tmp_path / "new").write_text("of no commit")
    assert commit(tmp_path) == head
    (tmp_path / "file").write_text("2")
    assert commit(tmp_path) == f"{head}+"
