"""Workers, sweepers and users at once on PostgreSQL: nobody meets a deadlock, and what must hold does at the end."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import update

from core.errors import Conflict, NotFound
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.events import counts
from core.experiments.cohorts.leases import Fenced, end, is_held
from core.experiments.cohorts.recovery import mark_lost
from core.experiments.cohorts.splitting import split_cohort
from core.experiments.maintenance import sweep
from core.experiments.queries import lists, read
from core.experiments.requests import cancel, delete, pause, resume, retry
from core.store import Cohort, Database, Status, now
from tests.core.experiments.claims import queued, take
from tests.core.experiments.model_state import UPDATES, Hand
from tests.core.experiments.snapshot import Extent, Whole, assert_consistent, lengths

CLAIMS = 25
"""Of each of four workers."""


class Crowd:
    """Everybody's doings, each a function of what chance it is given."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.claims: list[tuple[int, int, int]] = []
        self.errors: list[BaseException] = []
        self.working = 4
        self._lock = threading.Lock()

    def work(self, chance: random.Random) -> None:
        for _ in range(CLAIMS):
            held = take(self.database, f"host/{threading.get_ident()}/0")
            if held is None:
                self.post(chance)
                continue
            with self._lock:
                self.claims.append((held.experiment_id, held.cohort_id, held.attempt))
            at = Extent(held.resume_from.step, held.resume_from.epochs) if held.resume_from else Extent()
            with suppress(Fenced):
                self._train(Hand(held, at, held.resume_from, None, set(held.ended)), chance)
        with self._lock:
            self.working -= 1

    def _train(self, hand: Hand, chance: random.Random) -> None:
        for _ in range(chance.randrange(4)):
            until = hand.on(chance.randrange(1, 5))
            kept = CheckpointRef(
                name=f"{hand.held.cohort_id}-{hand.held.attempt}-{until.steps}",
                sha256="0",
                step=until.steps,
                epochs=until.epochs,
            )
            with self.database.transaction() as session:
                hand.flush(session, until, {}, chance.choice([kept, None]))
            hand.at = until
        how = chance.choice(["done", "done", "failed", "queued", "lose", "halve", "dead"])
        with self.database.transaction() as session:
            if how == "dead":
                session.execute(update(Cohort).where(is_held(hand.held)).values(lease_until=now() - 1))
                return
            until = hand.on(UPDATES) if how == "done" else hand.at
            hand.flush(session, until, dict.fromkeys(hand.training, until) if how == "done" else {})
            if how == "lose":
                mark_lost(session, hand.held, "no device")
            elif how == "halve":
                split_cohort(session, hand.held, "no memory")
            else:
                end(
                    session,
                    hand.held,
                    Status({"done": "succeeded"}.get(how, how)),
                    error="why" if how == "failed" else None,
                )

    def sweep(self, _: random.Random) -> None:
        while self.working:
            sweep(self.database, 0)

    def post(self, chance: random.Random) -> None:
        queued(self.database, cohorts=chance.randrange(1, 4), seeds=chance.randrange(1, 5))

    def use(self, chance: random.Random) -> None:
        while self.working:
            with self.database.reading() as session:
                found, *_ = lists.experiments(session, limit=3)
            wishes: list[Callable[..., object]] = [cancel, pause, resume, resume, retry, retry, delete]
            wish = chance.choice(wishes)
            if found:
                with suppress(Conflict, NotFound), self.database.transaction() as session:
                    wish(session, read.experiment(session, chance.choice(found).id))

    def does(self, what: Callable[[random.Random], None], number: int) -> threading.Thread:
        def do() -> None:
            try:
                what(random.Random(number))
            except BaseException as error:  # noqa: BLE001 whatever it is, the test wants to know
                self.errors.append(error)
                self.working = 0

        return threading.Thread(target=do, daemon=True)


@pytest.mark.timeout(180)
def test_nobody_waits_for_somebody_who_waits_for_them(postgres: Database) -> None:
    crowd = Crowd(postgres)
    crowd.post(random.Random(0))
    doings = [crowd.work] * 4 + [crowd.sweep] * 2 + [crowd.use] * 2
    threads = [crowd.does(what, number) for number, what in enumerate(doings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert crowd.errors == []
    assert len(set(crowd.claims)) == len(crowd.claims) > 40
    whole = Whole.of(postgres)
    assert_consistent(whole)
    assert lengths(whole).keys() == whole.by_id("runs").keys()
    with postgres.reading() as session:
        happened = {name: n for name, n in counts(session).items() if n}
    assert {"rescues", "releases", "halvings", "retries"} <= happened.keys()
