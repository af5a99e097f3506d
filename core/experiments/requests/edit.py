"""Changes what an experiment is called and noted of; its spec, and what is trained, stay as they were posted."""

import hashlib
import re
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from core.errors import InitlabError, NotFound
from core.experiments.cohorts.events import asked_by, record_event
from core.experiments.cohorts.states import OF_STATUS
from core.spec import Text
from core.store import Experiment, Tag

MOST_TAGS = 20
LONGEST_NOTES = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def _readable(text: str) -> str:
    """Return the text; a terminal would obey what is refused, and no database holds a NUL."""
    if _CONTROL.search(text):
        raise ValueError("should have no control characters but tabs and line breaks, and no lone surrogates")
    return text


Notes = Annotated[str, Field(max_length=LONGEST_NOTES), AfterValidator(_readable)]


class ExperimentEdit(BaseModel):
    """Changes of an experiment (JSON Merge Patch); what is left out stays as it is.

    `tags` are all that it has from then on. `notes` are free text, as of a lab book; an empty text removes them.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Text = ""
    tags: Annotated[list[Text], Field(max_length=MOST_TAGS)] = []
    notes: Notes = ""


class PreconditionFailed(InitlabError):
    """The object has changed since the caller looked."""

    status = 412
    title = "Precondition failed"


def description(experiment: Experiment) -> str:
    """Return a text that changes with what can be edited of an experiment, and with nothing else."""
    parts = (experiment.name, [tag.tag for tag in experiment.tags], experiment.notes)
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def edit(
    session: Session,
    experiment: Experiment,
    change: ExperimentEdit,
    by: str | None = None,
    expected: Collection[str] | None = None,
) -> None:
    """Give an experiment another name, other tags or notes; what is the same already changes nothing.

    `by` is the id of the API key that asks. The history has what was set, so that nothing of a lab book is lost. Raises
    `PreconditionFailed` where its `description` is none of those expected (None: any).
    """
    session.expire(experiment)
    if session.get(Experiment, inspect(experiment).identity, with_for_update=OF_STATUS) is None:
        raise NotFound("the experiment was deleted meanwhile")
    if expected is not None and description(experiment) not in expected:
        raise PreconditionFailed(f"experiment {experiment.id} was edited meanwhile: look at it again")
    given = change.model_dump(exclude_unset=True)
    has = {"name": experiment.name, "tags": [tag.tag for tag in experiment.tags], "notes": experiment.notes}
    if "tags" in given:
        given["tags"] = sorted(set(given["tags"]))
    changed: dict[str, Any] = {key: value for key, value in given.items() if value != has[key]}
    if not changed:
        return
    experiment.name = changed.get("name", experiment.name)
    experiment.notes = changed.get("notes", experiment.notes)
    if "tags" in changed:
        kept = {tag.tag: tag for tag in experiment.tags}
        experiment.tags = [kept.get(tag) or Tag(tag=tag) for tag in changed["tags"]]
    session.flush()
    record_event(session, experiment.id, "edited", **changed, **asked_by(by))
