"""Users' own data sets and the experiments that use them: the content is pinned, and kept while it is needed."""

import copy
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.datasets import DatasetPaths, Uploads
from core.errors import Conflict, InvalidSpec
from core.experiments.cohorts.states import ACTIVE
from core.experiments.cohorts.used_datasets import name_of, names, places
from core.experiments.projects import Amount, give_back
from core.spec import Spec, changed, parse, used_pins
from core.store import Experiment, serialise


def pin(spec: Spec, paths: DatasetPaths) -> Spec:
    """Return the spec with the content's SHA-256 in every name of a user's data set: `churn` becomes `churn@<sha256>`.

    Names that nothing has stay as they are, for `check` to refuse. Raises `InvalidSpec` where it asks for plug-ins
    with another content than they have here.
    """
    problems = changed(spec.plugins, used_pins(arm.treatment for arm in spec.expanded))
    if problems:
        raise InvalidSpec(problems)
    raw = copy.deepcopy(spec.canonical())
    found = list(places(raw))
    for holder, key in found:
        about = Uploads(paths.uploads, paths.hidden).get(name_of(holder[key]))
        if about is not None and "@" not in holder[key]:
            holder[key] = f"{about.name}@{about.sha256}"
    return parse(raw) if found else spec


def keep(session: Session, spec: dict[str, Any], paths: DatasetPaths) -> None:
    """Have the data sets that a pinned, canonical spec names stay until the session's transaction ends.

    Raises `Conflict` where one was deleted, or replaced, since it was pinned.
    """
    pinned = sorted({holder[key] for holder, key in places(spec)})
    for one in pinned:
        serialise(session, _lock(name_of(one)))
    for one in pinned:
        about = Uploads(paths.uploads, paths.hidden).get(name_of(one))
        if about is None or one != f"{about.name}@{about.sha256}":
            raise Conflict(f"the data set {name_of(one)!r} has changed while the spec was checked: post it again")


def delete_dataset(session: Session, name: str, paths: DatasetPaths) -> None:
    """Remove a user's data set; raises `NotFound`, and `Conflict` while an unfinished experiment uses it."""
    about = Uploads(paths.uploads).find(name)
    serialise(session, _lock(name))
    unfinished = select(Experiment.id, Experiment.spec).where(Experiment.status.in_(ACTIVE)).order_by(Experiment.id)
    for row in session.execute(unfinished):
        if name in names(row.spec):
            raise Conflict(f"experiment {row.id} uses the data set {name!r} and has not ended: cancel it first")
    give_back(session, about.owner, about.project, Amount(bytes=about.bytes))
    Uploads(paths.uploads).remove(name)


def _lock(name: str) -> str:
    return f"data set {name}"
