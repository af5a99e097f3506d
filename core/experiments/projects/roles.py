"""The roles that keys, users and groups have in a project."""

from enum import IntEnum
from typing import Literal

RoleName = Literal["viewer", "member", "maintainer"]


class Role(IntEnum):
    """A role in a project; a higher one includes those below."""

    VIEWER = 1
    """See what is in it."""
    MEMBER = 2
    """Post into it, and change one's own."""
    MAINTAINER = 3
    """Change everybody's in it, and say who its members are."""

    @property
    def word(self) -> str:
        return self.name.lower()


ROLES = {role.word: role for role in Role}
