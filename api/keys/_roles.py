"""The roles of everybody in all projects, as the database had them when they were read."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Self

from sqlalchemy.orm import Session

from core.experiments import projects
from core.experiments.projects import ROLES, Role


class Roles:
    """The projects that there are, with the roles of their members, and that of everybody else."""

    def __init__(
        self,
        default: Mapping[str, Role | None] = MappingProxyType({}),
        members: Mapping[str, Mapping[str, Role]] = MappingProxyType({}),
    ) -> None:
        """Take by project the role of those who are no members, and the roles of those who are."""
        self._default = default
        self._members = members
        self._known: dict[tuple[str, ...], Mapping[str, Role | None]] = {}

    @classmethod
    def read(cls, session: Session) -> Self:
        """Return the database's."""
        found = projects.projects(session)
        members = projects.members(session)
        return cls(
            {one.name: None if one.default_role is None else ROLES[one.default_role] for one in found},
            {name: {who: ROLES[role] for who, role in roles.items()} for name, roles in members.items()},
        )

    def __contains__(self, project: str) -> bool:
        return project in self._default

    @property
    def groups(self) -> Collection[str]:
        """Return the groups that are a member of any project: `%group`."""
        return {who for roles in self._members.values() for who in roles if who.startswith("%")}

    def of(self, *who: str) -> Mapping[str, Role | None]:
        """Return the role in every project of somebody with these ids, its own and its groups'; None: it has none."""
        if who not in self._known:
            self._known[who] = {
                name: max([*_given(self._members.get(name, {}), who), *([default] if default else [])], default=None)
                for name, default in self._default.items()
            }
        return self._known[who]


def _given(members: Mapping[str, Role], who: Collection[str]) -> list[Role]:
    return [members[one] for one in who if one in members]
