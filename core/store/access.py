"""Tables of who may do what: API keys, projects with their members, what each has used, and sessions that ended."""

from sqlalchemy import BigInteger, Double, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base


class ApiKey(Base):
    """A key of the API, without its secret."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Whose it is: the owner of what it posts."""
    sha256: Mapped[str] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(String(10))
    unfinished_runs: Mapped[int | None] = mapped_column(Integer)
    priority: Mapped[int | None] = mapped_column(Integer)
    requests: Mapped[str | None] = mapped_column(String(40))
    """As many in a time, such as 20/second."""
    runs: Mapped[int | None] = mapped_column(BigInteger)
    """Stored ones at any time; so the next two. None: as the settings have it."""
    points: Mapped[int | None] = mapped_column(BigInteger)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[float] = mapped_column(Double)
    expires_at: Mapped[float | None] = mapped_column(Double)
    last_used_at: Mapped[float | None] = mapped_column(Double)
    """To within a minute or so."""
    revoked_at: Mapped[float | None] = mapped_column(Double)


class Project(Base):
    """A group of experiments and data sets: who sees and changes them, how many there may be, and for how long."""

    __tablename__ = "projects"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    description: Mapped[str] = mapped_column(Text, default="")
    default_role: Mapped[str | None] = mapped_column(String(10))
    """Of everybody who is no member; None: they do not see it."""
    keep_days: Mapped[float | None] = mapped_column(Double)
    """Days for which what has ended is kept; None: as the settings have it."""
    runs: Mapped[int | None] = mapped_column(BigInteger)
    """Stored ones at any time; so the next two. None: as many as there is room for."""
    points: Mapped[int | None] = mapped_column(BigInteger)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[float] = mapped_column(Double)


class Member(Base):
    """The role of a key, of a user or of a group of users in a project."""

    __tablename__ = "members"

    project: Mapped[str] = mapped_column(ForeignKey("projects.name", ondelete="CASCADE"), primary_key=True)
    who: Mapped[str] = mapped_column(String(200), primary_key=True)
    """A key's id, `@user` or `%group`."""
    role: Mapped[str] = mapped_column(String(10))


class Usage(Base):
    """The amount that a project, or an owner in all projects, has stored: kept as it comes and goes."""

    __tablename__ = "usages"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    """project or owner."""
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Of the project, or of the owner, who is nobody where there are no keys."""
    runs: Mapped[int] = mapped_column(BigInteger, default=0)
    points: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    unfinished: Mapped[int | None] = mapped_column(BigInteger)
    """No more of the owner's runs than this have not ended: it grows with each post, and is counted anew when it is
    above the owner's limit. None: not known; so of projects."""


class EndedSession(Base):
    """A session of a browser that was signed out, kept until it would have expired by itself."""

    __tablename__ = "ended_sessions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    expires_at: Mapped[float] = mapped_column(Double)
