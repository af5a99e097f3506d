"""Projects: what experiments and data sets belong to, who has which role in them, and how much they hold."""

from core.experiments.projects.projects import (
    DEFAULT,
    ProjectChange,
    ProjectSpec,
    Quotas,
    change,
    create,
    delete,
    hold,
    keep_days,
    members,
    project,
    projects,
)
from core.experiments.projects.roles import ROLES, Role, RoleName
from core.experiments.projects.usage import (
    Amount,
    QuotaExceeded,
    forget,
    give_back,
    note_unfinished,
    recount,
    take,
    used,
)

__all__ = [
    "DEFAULT",
    "ROLES",
    "Amount",
    "ProjectChange",
    "ProjectSpec",
    "QuotaExceeded",
    "Quotas",
    "Role",
    "RoleName",
    "change",
    "create",
    "delete",
    "forget",
    "give_back",
    "hold",
    "keep_days",
    "members",
    "note_unfinished",
    "project",
    "projects",
    "recount",
    "take",
    "used",
]
