"""The one who asks, and what it may see, post and change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from api.keys import Roles, Scope
from api.links import Link
from api.sessions import BrowserSession
from core.errors import Forbidden, InvalidSpec
from core.experiments.projects import Role
from core.registry import unknown


@dataclass(frozen=True)
class Caller:
    """The one who asks: a key's id or `@user`, and what it may do. Where no keys are needed everybody is an admin."""

    id: str | None = None
    scope: Scope = Scope.ADMIN
    roles: Roles = field(default_factory=Roles)
    groups: Sequence[str] = ()
    """Of the user, as members of projects are called: `%group`."""
    session: BrowserSession | None = None
    """The browser's session that it comes with; None: it sends a key, or a proxy names it."""
    link: Link | None = None
    """The link that it comes with, whose maker is the `id`: it sees what that one sees of one experiment."""

    @property
    def who(self) -> str:
        """The one whose requests are counted together: those with a link do not count for its maker."""
        return str(self.id) if self.link is None else f"link {self.link.id}"

    @cached_property
    def projects(self) -> Mapping[str, Role | None]:
        """The role in each project; None: it sees nothing of it."""
        return self.roles.of(*([] if self.id is None else [self.id]), *self.groups)

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The projects that it sees nothing of."""
        if self.scope >= Scope.ADMIN:
            return frozenset()
        return frozenset(name for name, role in self.projects.items() if role is None)

    def role(self, project: str) -> Role | None:
        """Return its role in a project; an admin is a maintainer of each."""
        return Role.MAINTAINER if self.scope >= Scope.ADMIN else self.projects.get(project)

    def check_may_change(self, what: str, owner: str | None, project: str) -> None:
        """Raise `Forbidden` where something is another's: its owner's, its project's maintainers' and the admins'."""
        if (self.id is None or self.id != owner) and self.role(project) != Role.MAINTAINER and self.scope < Scope.ADMIN:
            whose = f"belongs to {owner}" if owner else "belongs to nobody"
            who = f"only its owner, maintainers of the project {project!r} and admins"
            raise Forbidden(f"{what} {whose}: {who} may change it")

    def check_may_post(self, project: str) -> None:
        """Raise `InvalidSpec` for a project that it does not know of, and `Forbidden` for one that it only sees."""
        seen = [name for name in self.projects if name not in self.hidden]
        if project not in seen:
            raise InvalidSpec([unknown("project", project, seen, "project")])
        role = self.role(project)
        if role is not None and role < Role.MEMBER:
            raise Forbidden(f"the role of {self.id} in the project {project!r} is {role.word}: members post into it")
