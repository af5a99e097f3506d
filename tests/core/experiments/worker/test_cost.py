"""What runs have cost is stored with what they measured, under the same fence, and attempts add up."""

import threading
import time
from pathlib import Path

import pytest

from core.datasets import DatasetPaths
from core.energy import CORE_WATTS, JOULES, WORLD, Cost
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.leases import Ended, Fenced, Flush, flush, renew
from core.experiments.cohorts.splitting import split_cohort
from core.experiments.maintenance import sweep
from core.experiments.queries import read
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.spec import parse
from core.store import Database
from tests.core.experiments.claims import expire, queued, taken
from tests.core.experiments.submitting import submit

Row = tuple[float | None, float | None, str | None]


def costs(database: Database, experiment: int) -> list[Row]:
    with database.reading() as session:
        return [(run.energy_kwh, run.co2e_g, run.energy_source) for run in read.runs(session, experiment)]


def test_a_run_has_what_it_had_cost_when_it_ended(database: Database) -> None:
    experiment = queued(database)
    held = taken(database)
    assert (held.cost, costs(database, experiment)) == (Cost(), [(None, None, None)] * 2)
    first, second = (lane.run for lane in held.lanes)
    with database.transaction() as session:
        renew(session, held, 30)
        flush(
            session,
            held,
            Flush(
                step=3,
                ended={first: Ended(outcome="diverged", steps=3, final={})},
                cost=Cost(kwh=1.0, co2e_g=475.0, source="measured"),
            ),
        )
    with database.transaction() as session:
        renew(session, held, 30)
        flush(
            session,
            held,
            Flush(
                step=5,
                ended={second: Ended(outcome="completed", steps=5, final={})},
                cost=Cost(kwh=3.0, co2e_g=900.0, source="estimated"),
            ),
        )
    assert costs(database, experiment) == [(1.0, 475.0, "measured"), (3.0, 900.0, "estimated")]


def test_another_attempt_adds_to_it_and_a_stale_one_does_not(database: Database) -> None:
    experiment = queued(database)
    held = taken(database)
    kept = CheckpointRef(name="file", sha256="0", step=3, epochs=0)
    with database.transaction() as session:
        renew(session, held, 30)
        flush(session, held, Flush(step=3, checkpoint=kept, cost=Cost(kwh=1.0, co2e_g=475.0, source="measured")))
    expire(database, held)
    sweep(database, 3600)
    again = taken(database)
    assert again.cost == Cost(kwh=1.0, co2e_g=475.0, source="measured"), (
        "what was trained in vain was taken all the same"
    )
    with pytest.raises(Fenced), database.transaction() as session:
        renew(session, held, 30)
        flush(session, held, Flush(step=9, cost=Cost(kwh=9.0, co2e_g=9.0, source="measured")))
    with database.transaction() as session:
        renew(session, again, 30)
        flush(session, again, Flush(step=4, cost=Cost(kwh=2.0, co2e_g=500.0, source="estimated")))
        split_cohort(session, again, "no memory")
    halves = [taken(database), taken(database)]
    assert {half.cost for half in halves} == {Cost(kwh=2.0, co2e_g=500.0, source="estimated")}
    assert costs(database, experiment) == [(2.0, 500.0, "estimated")] * 2


def test_a_training_costs_no_more_than_its_process_was_busy(database: Database, tmp_path: Path) -> None:
    spec = parse({"arms": [{}, {"label": "b", "initializer": "zeros"}], "seeds": 2, "epochs": 3})
    with database.transaction() as session:
        experiment = submit(session, spec, DatasetPaths())[0].id
    url = database.engine.url.render_as_string(hide_password=False)
    worker = Worker(Settings(database_url=url, data_dir=tmp_path), threading.Event(), cores=2)
    began = time.process_time()
    assert worker() == 1
    busy = time.process_time() - began
    worker.close()
    found = costs(database, experiment)
    assert len(set(found)) == 1, "they trained together"
    kwh, co2e, source = found[0]
    assert kwh is not None
    assert 0 < 4 * kwh * JOULES <= CORE_WATTS * busy
    assert (co2e, source) == (pytest.approx(kwh * WORLD), "estimated")
