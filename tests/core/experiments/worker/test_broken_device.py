"""A device fails, or memory runs out, anywhere in an attempt: no cohort stays behind, and no process that is of no use.

Each case is a process of its own, since it may end: it works for as long as there is anything to do.
"""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from core.experiments.cohorts.events import events
from core.experiments.worker.worker import BROKEN
from core.store import Cohort, Database, upgrade
from tests.core.experiments.claims import queued

# They are forked, as nothing was computed yet: to import all that for each would take longer than the rest.
WORK = textwrap.dedent("""
    import os, sys, threading, time
    from pathlib import Path
    import sklearn.datasets
    from sqlalchemy import select
    from core import failpoints
    from core.experiments.worker.worker import Worker
    from core.settings import Settings
    from core.store import Database, MetricBlock
    from core.training import faults

    def drain(url, draining):
        '''Ask the process to leave as soon as it has measured something.'''
        database = Database(url)
        while not draining.wait(0.05):
            with database.reading() as session:
                if session.scalar(select(MetricBlock.n).limit(1)):
                    draining.set()

    def work(case, folder):
        failpoints._folder = folder
        url, draining = f"sqlite:///{folder / 'db'}", threading.Event()
        if "drained" in case:
            threading.Thread(target=drain, args=[url, draining], daemon=True).start()
        told = lambda broken: (folder / "broken").write_text(str(broken))
        worker = Worker(Settings(data_dir=folder, database_url=url), draining, cores=2, attempted=told)
        worker._cuda = True  # as on a machine with GPUs; the experiments are for the CPU
        if "capture" in case:
            faults.note_failed_capture()
        worker()
        worker.close()

    children = {}
    for name in sys.argv[1:]:
        folder = Path(name)
        children[folder.name] = os.fork()
        if not children[folder.name]:
            try:
                work(folder.name, folder)
            finally:
                sys.stderr.flush()
                os._exit(0 if sys.exc_info()[0] is None else 1)
    for case, child in children.items():
        print(case, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")


class Case(NamedTuple):
    """What fails where, and what becomes of it."""

    orders: dict[str, str]
    code: int
    kinds: list[str]
    """What the history says after the first claim."""
    statuses: list[str]
    lost: int = 0
    epochs: int = 1


LONG = 20_000
HALVED = ["halved", "released"]
ALONE = ["claimed", "ended"]
CASES = {
    "meter": Case({"meter": "device"}, BROKEN, ["lost"], ["queued"], lost=1),
    "update": Case({"update": "device"}, BROKEN, ["lost"], ["queued"], lost=1),
    "drained": Case({"checkpoint.before_write": "device"}, BROKEN, ["lost"], ["queued"], lost=1, epochs=LONG),
    "release": Case({"memory.release": "device"}, BROKEN, ["ended"], ["succeeded"]),
    "release-failed": Case({"update": "disk_full", "memory.release": "device"}, BROKEN, ["ended"], ["failed"]),
    "release-memory": Case({"update": "memory", "memory.release": "device"}, BROKEN, ["lost"], ["queued"], lost=1),
    "end": Case({"update": "device", "end.fenced": "disk_full"}, BROKEN, [], ["running"]),
    "memory-meter": Case({"meter": "memory"}, 0, [*HALVED, *ALONE, *ALONE], ["succeeded"] * 2),
    "memory-update": Case({"update": "memory"}, 0, [*HALVED, *ALONE, *ALONE], ["succeeded"] * 2),
    "memory-drained": Case({"checkpoint.before_write": "memory"}, 0, HALVED, ["queued"] * 2, epochs=LONG),
    "capture": Case({}, BROKEN, ["ended"], ["succeeded"]),
    "capture-memory": Case({"update": "memory"}, BROKEN, HALVED, ["queued"] * 2),
}


@pytest.mark.thorough
@pytest.mark.slow
def test_a_fault_anywhere_in_an_attempt_leaves_no_cohort_behind(tmp_path: Path) -> None:
    databases = {}
    for name, case in CASES.items():
        folder = tmp_path / name
        folder.mkdir()
        databases[name] = database = Database(f"sqlite:///{folder / 'db'}")
        upgrade(database.engine)
        queued(database, epochs=case.epochs, device="cpu")
        for point, what in case.orders.items():
            (folder / point).write_text(what)
    words = [sys.executable, "-c", WORK, *(str(tmp_path / name) for name in CASES)]
    root = Path(__file__).parents[4]
    told = subprocess.run(words, cwd=root, check=True, stdout=subprocess.PIPE, text=True, timeout=240).stdout
    codes = {name: int(code) for name, code in (line.split() for line in told.splitlines())}
    for name, case in CASES.items():
        with databases[name].reading() as session:
            cohorts = session.scalars(select(Cohort)).all()
            _, _, *kinds = [event.kind for event in events(session, cohorts[0].experiment_id)]
        found = Case(case.orders, codes[name], kinds, [c.status for c in cohorts], cohorts[0].lost, case.epochs)
        assert (name, found) == (name, case)
        assert not any((tmp_path / name / point).exists() for point in case.orders), "an order was not carried out"
        broken = (tmp_path / name / "broken").read_text() == "True"
        assert (name, broken) == (name, case.code == BROKEN and "capture" not in name), "what a failed capture spoils"
        databases[name].dispose()
