"""The ETag of an experiment: it changes with all that is shown, and tells apart what can be edited."""

from sqlalchemy.orm import Session

from api.responses import etag
from core.experiments.queries import read
from core.experiments.queries.progress import Progress
from core.experiments.requests import description
from core.store import Experiment


def etag_of(session: Session, one: Experiment, progress: Progress) -> str:
    """Return a strong validator: of name, tags and notes, a dot, and of everything else."""
    rest = etag(read.version(session, one.id), progress.eta_seconds, progress.warnings)  # which go on by themselves
    return f'"{description(one)}.{rest.strip(chr(34))}"'


def expected(if_match: str | None) -> list[str] | None:
    """Return the descriptions that an `If-Match` header asks for; None: any.

    Of an ETag only its first part counts: that the training went on is nothing that an edit would undo.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    return [one.strip().strip('"').partition(".")[0] for one in if_match.split(",")]
