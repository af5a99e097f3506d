"""Reports that are kept."""

from core.experiments.cohorts.removal import remove
from core.experiments.queries import reports
from core.store import Database
from tests.core.experiments.claims import queued

MEDIA = "application/json"


def test_a_report_is_found_of_its_version_alone(database: Database) -> None:
    experiment = queued(database)
    for version in ("a", "b"):
        with database.transaction() as session:
            reports.store(session, experiment, version, None, MEDIA, version.encode())
    with database.reading() as session:
        assert reports.find(session, experiment, "b", None, MEDIA) == b"b"
        assert reports.find(session, experiment, "a", None, MEDIA) is None
        assert reports.find(session, experiment, "b", "valid_loss", MEDIA) is None


def test_of_an_experiment_that_is_deleted_while_its_report_is_made_nothing_is_kept(database: Database) -> None:
    experiment = queued(database)
    with database.transaction() as session:
        remove(session, experiment)
    with database.transaction() as session:
        reports.store(session, experiment, "a", None, MEDIA, b"a")
    with database.reading() as session:
        assert reports.find(session, experiment, "a", None, MEDIA) is None
