"""Renews the lease on a cohort, and learns of what the user asks for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import StopRequest, poll_requests, renew
from core.store import Database

RENEWALS = 6
"""Renewals in the time of a lease."""
EXPIRING = 0.8
"""The part of a lease after which a worker that could not renew it stops: others may claim soon."""


class LeaseRenewer:
    """The lease of one claim, as its holder knows it: by its own clock, from before the last renewal."""

    def __init__(self, database: Database, held: Claim, seconds: float) -> None:
        self._database = database
        self._held = held
        self._seconds = seconds
        self._renewed = time.monotonic()

    @property
    def is_due(self) -> bool:
        """True where the lease has to be renewed although there is nothing to store."""
        return time.monotonic() - self._renewed >= self._seconds / RENEWALS

    @property
    def is_expiring(self) -> bool:
        """True where another worker may soon claim the cohort."""
        return time.monotonic() - self._renewed > self._seconds * EXPIRING

    def poll(self) -> StopRequest | None:
        """Return what the user asks for, by one cheap read. Raises `Fenced`."""
        with self._database.reading() as session:
            return poll_requests(session, self._held)

    @contextmanager
    def transaction(self) -> Iterator[tuple[Session, StopRequest | None]]:
        """A transaction that begins by renewing the lease, and what the user asks for. Raises `Fenced`.

        Every write of a worker is in one of these: the renewal locks the cohort's row, so that what follows cannot race
        a new claim.
        """
        began = time.monotonic()
        with self._database.transaction() as session:
            request = renew(session, self._held, self._seconds)
            yield session, request
        self._renewed = began
